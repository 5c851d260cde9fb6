"""What passes from stage to stage: frozen, validated dataclasses on NumPy.

Frames are RGB uint8 HWC. Boxes are float32 xyxy in pixels of the *displayed* frame (rotation
applied, before any working-size reduction). Times are seconds from the first displayed frame's own
pts; spans are half-open. Scores are in [0, 1]. ``T`` observations, ``D`` detections, ``N`` frames,
``L`` detector classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.brief import brief
from cospal_cli.core.contract import HEAD_INPUTS, HEAD_OUTPUTS, check, expect

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class VideoInfo:
    """The metadata of a video. ``width``/``height`` are those of the displayed frame."""

    path: str
    width: int
    height: int
    rotation: int  # degrees clockwise that were applied: 0, 90, 180 or 270
    time_base: Fraction
    avg_fps: Fraction
    start_pts: int = 0
    frames_declared: int | None = None
    duration_s: float | None = None
    bytes: int | None = None
    sample_aspect: Fraction = Fraction(1)
    codec: str = ""
    assumed_fps: float | None = None  # of pictures, which do not say; None: the file's own stamps


@dataclass(frozen=True)
class FrameBatch:
    """Sampled frames. ``images`` (N, h, w, 3) may be smaller than the displayed ``size`` (W, H)."""

    images: NDArray[np.uint8]
    indices: IntArray  # 0-based presentation ordinals in the source
    times_s: NDArray[np.float64]
    size: tuple[int, int]  # displayed (width, height)

    __repr__ = brief

    def __post_init__(self) -> None:
        n = len(self.images)
        expect("images", self.images, (n, None, None, 3), "u")
        expect("indices", self.indices, (n,), "i")
        expect("times_s", self.times_s, (n,), "f")

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class TimeRule:
    """A rule by which time stamps were put right (the table is in ``video.timing``)."""

    rule: str
    count: int  # frames, or places on the time line
    first_s: float  # where first


@dataclass(frozen=True)
class Timeline:
    """Every decoded source frame of the chosen range, in presentation order. Length F."""

    indices: IntArray  # ordinals in the source; consecutive
    pts: IntArray  # source time base units, strictly increasing (estimated where damaged)
    times_s: NDArray[np.float64]  # strictly increasing
    end_s: float  # time at which the last frame's display ends
    vfr: bool = False
    warnings: tuple[str, ...] = ()
    damaged: bool = False  # some of it could not be read; the warnings say what
    rules: tuple[TimeRule, ...] = ()  # none: every time stamp is used as it stands

    __repr__ = brief

    def __post_init__(self) -> None:
        n = len(self.indices)
        expect("pts", self.pts, (n,), "i")
        expect("times_s", self.times_s, (n,), "f")


@dataclass(frozen=True)
class Detections:
    """One frame's boxes, best first."""

    frame_index: int
    boxes_xyxy: FloatArray  # (D, 4)
    scores: FloatArray  # (D,)
    labels: IntArray  # (D,) index into the detector's class names
    label_scores: FloatArray  # (D, L) every class's score for the box
    features: FloatArray | None = None  # (D, F)
    # Only from a detector that was prompted with the sentence:
    referral: FloatArray | None = None  # (D,) how well the box fits the referral phrase
    token_scores: FloatArray | None = None  # (D, W) the score of every word of the sentence

    __repr__ = brief

    def __post_init__(self) -> None:
        n = len(self.boxes_xyxy)
        expect("boxes_xyxy", self.boxes_xyxy, (n, 4), "f")
        expect("scores", self.scores, (n,), "f")
        expect("labels", self.labels, (n,), "i")
        expect("label_scores", self.label_scores, (n, None), "f")
        for name, shape in (
            ("features", (n, None)),
            ("referral", (n,)),
            ("token_scores", (n, None)),
        ):
            if getattr(self, name) is not None:
                expect(name, getattr(self, name), shape, "f")

    def __len__(self) -> int:
        return len(self.boxes_xyxy)


@dataclass(frozen=True)
class BoxColours:
    """Colours and thumbnails of D boxes; small enough to keep for hours of video.

    ``shares`` (D, R, C) uint8: share (0..255) of colour name c in region r, the names and regions
    of ``colours.NAMES`` and ``colours.REGIONS``. ``thumbs`` (D, S, S) uint8: gray box thumbnail.
    """

    shares: NDArray[np.uint8]
    thumbs: NDArray[np.uint8]

    __repr__ = brief

    def __post_init__(self) -> None:
        n = len(self.shares)
        expect("shares", self.shares, (n, None, None), "u")
        expect("thumbs", self.thumbs, (n, None, None), "u")

    def __len__(self) -> int:
        return len(self.shares)

    def take(self, rows: IntArray) -> BoxColours:
        """Those of some boxes, in the order of ``rows``."""
        return BoxColours(self.shares[rows], self.thumbs[rows])


@dataclass(frozen=True)
class Tubelet:
    """One object through time, at the sampled frames from its first to its last (gaps filled)."""

    id: int
    frame_indices: IntArray  # (T,) source ordinals, strictly increasing
    times_s: NDArray[np.float64]  # (T,)
    boxes_xyxy: FloatArray  # (T, 4)
    scores: FloatArray  # (T,); interpolated where not observed
    observed: NDArray[np.bool_]  # (T,)
    label_scores: FloatArray  # (L,) mean over observations
    colours: BoxColours | None = None  # one row per *observed* frame
    camera_xy: FloatArray | None = None  # (T, 2) where the camera's motion alone carries a point,
    # in displayed pixels, relative to the video's first frame: centre - camera_xy is world motion
    track_ids: tuple[int, ...] = ()  # the tracker's ids that were linked into this tubelet
    referral: FloatArray | None = None  # (O,) the detections' own, one per *observed* frame
    features: NDArray[np.float16] | None = None  # (O, F) likewise

    __repr__ = brief

    def __post_init__(self) -> None:
        n = len(self.frame_indices)
        expect("boxes_xyxy", self.boxes_xyxy, (n, 4), "f")
        for name in ("times_s", "scores", "observed"):
            expect(name, getattr(self, name), (n,), "bf")
        expect("label_scores", self.label_scores, (None,), "f")
        if self.camera_xy is not None:
            expect("camera_xy", self.camera_xy, (n, 2), "f")
        seen = int(self.observed.sum())
        for name in ("colours", "referral", "features"):
            rows = getattr(self, name)
            if rows is not None and len(rows) != seen:
                raise ValueError(
                    f"{name}: one row per observation, expected {seen}, found {len(rows)}"
                )

    def __len__(self) -> int:
        return len(self.frame_indices)


@dataclass(frozen=True)
class Clips:
    """The features of a whole video, clip by clip in order of time."""

    features: FloatArray  # (C, Dv)
    spans_s: NDArray[np.float64]  # (C, 2) half-open

    __repr__ = brief

    def __post_init__(self) -> None:
        expect("features", self.features, (None, None), "f")
        expect("spans_s", self.spans_s, (len(self.features), 2), "f")

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True)
class WordVectors:
    """The vector of each word of a text."""

    spans: tuple[tuple[int, int], ...]  # (N) half-open character spans in the text
    vectors: FloatArray  # (N, Dt)

    __repr__ = brief

    def __post_init__(self) -> None:
        expect("vectors", self.vectors, (len(self.spans), None), "f")

    def __len__(self) -> int:
        return len(self.spans)


@dataclass(frozen=True)
class Attribute:
    """An adjective or noun bound to the subject. ``kind``: colour, garment, age, gender, size, ...

    ``region`` is where on the subject it shows: whole, upper, lower, head or feet.
    ``values`` are basic colour names with weights (kind colour) or empty.
    """

    word: str
    kind: str
    region: str = "whole"
    garment: str = ""
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Action:
    """A verb of the subject. ``kind``: move, jump, still, limb, talk or unknown.

    ``directions``, as the camera sees them: any of left, right, up, down, away, closer, to, in,
    out, back, front.
    ``speed``: fast, slow or "". ``weight`` < 1 when the kind is a guess by word similarity.
    """

    word: str
    kind: str
    directions: tuple[str, ...] = ()
    speed: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Relation:
    """How the subject stands to another thing: "left of the *red car*".

    ``kind``: left, right, above, below, front, behind, between, on, in, hold, touch, near,
    closest, toward or away. ``classes`` as in ``Query``; ``attributes``: the thing's own colours.
    """

    kind: str
    word: str
    classes: Mapping[str, float]
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True)
class Excluded:
    """What the sentence denies: evidence for it counts against. Fields as in ``Query``."""

    attributes: tuple[Attribute, ...] = ()
    actions: tuple[Action, ...] = ()
    positions: tuple[str, ...] = ()
    context: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    appearance: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    def words(self) -> tuple[str, ...]:
        """Every word of it, once."""
        said = [*(a.word for a in self.attributes), *(a.word for a in self.actions)]
        return tuple(dict.fromkeys([*said, *self.positions, *self.context, *self.appearance]))


@dataclass(frozen=True)
class Query:
    """A parsed sentence. Words are lower case as written; ``text`` is the user's own, verbatim."""

    text: str
    referral: str  # "the man in white clothes"
    subject: str  # head noun: "man"
    classes: Mapping[str, float]  # detector class name -> weight in (0, 1]; empty: any class
    nouns: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    actions: tuple[Action, ...] = ()  # in the order of the sentence
    positions: tuple[str, ...] = ()  # left, right, middle, top, bottom, front, back, largest,
    # smallest, tallest, first, last
    context: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # nouns of other
    # things ("next to the white *car*") -> detector classes, as ``classes``; {}: none known
    relations: tuple[Relation, ...] = ()  # to those of the other things that have classes
    order: tuple[int, str] | None = None  # (2, "left"): the second from the left
    appearance: Mapping[str, Mapping[int, float]] = field(
        default_factory=dict
    )  # word -> ImageNet-1k
    # class index -> weight: words whose evidence only the appearance classifier can give
    global_words: tuple[str, ...] = ()  # CRG global query (method: nouns, adjectives, verbs)
    local_phrases: tuple[str, ...] = ()  # CRG local query: referral x each verb phrase
    excluded: Excluded = Excluded()  # what is denied: "no hat", "not on the left"
    unresolved: tuple[str, ...] = ()  # words of the referral or action without any evidence here
    interrogative: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Phrase:
    """The words that the heads read for one query, or one part of it."""

    words: tuple[str, ...]  # (N) lower case
    vectors: FloatArray  # (N, Dt) the text encoder's
    referral: NDArray[np.bool_]  # (N,) nouns and adjectives of the referral: who is meant
    content: NDArray[np.bool_]  # (N,) nouns, verbs, adjectives, adverbs

    __repr__ = brief

    def __post_init__(self) -> None:
        n = len(self.words)
        expect("vectors", self.vectors, (n, None), "f")
        for name in ("referral", "content"):
            expect(name, getattr(self, name), (n,), "b")

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True)
class Phrases:
    """A query as the method reads it (CRG): the sentence, and global words joined to local ones."""

    sentence: Phrase
    refined: Phrase  # <global:all that is local>: what inference reads
    passes: tuple[Phrase, ...]  # <global:local_i>, one per sub-phrase, at most five
    acts: tuple[Phrase, ...] = ()  # each sub-phrase behind its subject, each word encoded alone:
    # the referral's words cannot be read from it

    __repr__ = brief


@dataclass(frozen=True)
class GroundingInputs:
    """All that the heads see of one video and one query: the contract.

    Names, axes and kinds are those of ``contract.HEAD_INPUTS``. Nothing of the ground truth is
    among them. Absent frames, and padding, are False in the masks and zero elsewhere; at least one
    word is True.
    """

    tubelets: FloatArray  # (K, T, F) features at T uniformly spaced times of the video
    tubelet_mask: NDArray[np.bool_]  # (K, T) whether the tubelet is there
    clips: FloatArray  # (C, Dv)
    clip_mask: NDArray[np.bool_]  # (C,)
    words: FloatArray  # (N, Dt)
    word_mask: NDArray[np.bool_]  # (N,)
    referral_mask: NDArray[np.bool_]  # (N,) words that say who is meant
    content_mask: NDArray[np.bool_]  # (N,) nouns, verbs, adjectives, adverbs
    word_ids: IntArray  # (N,) in the training vocabulary; 0: not in it
    phrase_ids: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))  # (N,) 0: a word of
    # the sentence; j: of its j-th sub-phrase, encoded alone. Left out, there are no sub-phrases

    __repr__ = brief

    def __post_init__(self) -> None:
        if not len(self.phrase_ids):
            object.__setattr__(self, "phrase_ids", np.zeros(len(self.word_ids), np.int64))
        check(self, HEAD_INPUTS)


@dataclass(frozen=True)
class GroundingScores:
    """The heads' outputs, in the order of the inputs' tubelets."""

    tubelet_scores: FloatArray  # (K,) sum to 1 over the tubelets
    proposals: FloatArray | None = None  # (P, 2) start and end as shares of the video, 0..1
    proposal_scores: FloatArray | None = None  # (P,) sum to 1; higher: the sentence is
    # reconstructed better from there
    curves: FloatArray | None = None  # (K, T, J) log odds of each sub-phrase in each bin of each
    # tubelet; ``contract.ABSENT`` where there is none

    __repr__ = brief

    def __post_init__(self) -> None:
        check(self, HEAD_OUTPUTS)


@dataclass(frozen=True)
class Tube:
    """The answer: one box for every source frame in the half-open ``span_s``."""

    id: int  # the tubelet it was cut from
    frame_indices: IntArray  # (T,) consecutive source ordinals
    pts: IntArray  # (T,)
    times_s: NDArray[np.float64]  # (T,)
    boxes_xyxy: FloatArray  # (T, 4)
    box_scores: FloatArray  # (T,)
    interpolated: NDArray[np.bool_]  # (T,)
    span_s: tuple[float, float]
    score: float  # its share among the candidates of its video
    match: float = 0.0  # how likely it is what the sentence means; see ``ranking.match``
    label: str = ""  # the sentence's noun for the subject
    why: Mapping[str, float] = field(default_factory=dict)  # each term's contribution, in nats
    detected: str = ""  # the detector's class of the tubelet

    @property
    def confidence(self) -> float:
        """The former name of ``match``, for one version."""
        return self.match

    def __repr__(self) -> str:
        start, end = self.span_s
        first, last = int(self.frame_indices[0]), int(self.frame_indices[-1])
        return (
            f"Tube({self.label[:40]!r}, {start:.2f} to {end:.2f} s, frames {first} to {last}, "
            f"score {self.score:.2f})"
        )

    def __post_init__(self) -> None:
        n = len(self.frame_indices)
        expect("boxes_xyxy", self.boxes_xyxy, (n, 4), "f")
        for name in ("times_s", "box_scores"):
            expect(name, getattr(self, name), (n,), "f")
        expect("interpolated", self.interpolated, (n,), "b")
        if n == 0 or not self.span_s[0] < self.span_s[1]:
            raise ValueError(f"span_s: an empty tube, {n} frames in {self.span_s}")
