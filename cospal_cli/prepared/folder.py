"""A prepared folder: the heads' inputs of a data set's videos and sentences, and nothing more.

    prepared.json         settings, identity, splits, what was skipped; written last
    videos/*.safetensors  one per video: see ``prepared.videos``
    splits/SPLIT.jsonl    the records: id, video, sentence, number of tubelets; no boxes, no times
    texts/SPLIT.jsonl     the parse of each sentence; may be replaced by any other parser's
    texts/SPLIT.safetensors  the word vectors of those texts

Reading is lazy and safe from several threads. InputError names a file that is damaged.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.files import write_text
from cospal_cli.core.fitting import field_of, fitting
from cospal_cli.core.foreign import errors_as, short
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.observation import FrameSpan, HeadFeatures, Observation
from cospal_cli.core.phrases import Phrases
from cospal_cli.core.query import Query
from cospal_cli.core.reading import LARGE, json_lines, open_regular, read_table
from cospal_cli.datasets.splits import PARTS, VALIDATION, split_name
from cospal_cli.features.clips import fewer
from cospal_cli.features.spec import FeatureSpec
from cospal_cli.features.tubelets import select
from cospal_cli.language.phrases import Refined, join, texts_of, words_alone, words_in
from cospal_cli.prepared import texts as texts
from cospal_cli.prepared import videos as cache
from cospal_cli.prepared.arrays import digest
from cospal_cli.settings import Config, SettingError, stored

FORMAT = "cospal/prepared@1"
NAME, VIDEOS, SPLITS, TEXTS = "prepared.json", "videos", "splits", "texts"
FOLDER = "prepared"  # below the data folder, unless another is named
_SECTIONS = Mapping[str, Mapping[str, str | int | float | bool | None]]
AGAIN = "run 'cospal data prepare' again: it computes what is missing"


class Widths(NamedTuple):
    """Lengths of the heads' input vectors."""

    tubelets: int  # F
    clips: int  # Dv
    words: int  # Dt


@dataclass(frozen=True)
class Sample:
    """A record of a split, as far as training may know it."""

    id: str
    video: str  # its file in ``videos``: equal for records of one video
    source: str
    text: str
    form: str  # declarative or interrogative
    tubelets: int  # K
    actions: int  # verbs of the sentence
    passes: int  # of CRG
    split: str = "train"
    prompt: str = ""  # the text for the detector; "" where it is not prompted
    segment: FrameSpan | None = None  # the part of the video that is searched; None: all


@dataclass(frozen=True)
class _Split:
    """One split's tables."""

    samples: tuple[Sample, ...]
    validation: frozenset[str]  # ids of the samples for validation
    parses: Mapping[str, Refined]


@dataclass(frozen=True)
class Prepared:
    """See ``open``."""

    folder: Path
    about: Json  # prepared.json
    _splits: dict[str, _Split] = field(default_factory=dict, repr=False)
    _words: dict[str, texts.TextsFile] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @classmethod
    def open(cls, folder: Path) -> Prepared:
        """What ``cospal data prepare`` wrote; InputError if it is something else, or incomplete."""
        about = read_about(folder)
        if about is None:
            raise InputError(
                f"{str(folder)!r} holds no prepared features", "run: cospal data prepare"
            )
        if not about.get("complete"):
            raise InputError(f"{str(folder)!r} is incomplete", AGAIN)
        return cls(folder, about)

    @property
    def identity(self) -> Mapping[str, Json]:
        """What the features were computed with: see ``features.spec``."""
        found: Mapping[str, Json] = self.about["identity"]
        return found

    @property
    def spec(self) -> FeatureSpec:
        """Likewise, to be compared with others'."""
        return FeatureSpec(self.identity)

    @cached_property
    def config(self) -> Config:
        """The settings in use."""
        return stored.config_of(self.about["settings"])

    @property
    def splits(self) -> tuple[str, ...]:
        """The data set's own splits: train, val, test, those that there are."""
        return tuple(self.about["splits"])

    @property
    def synthetic(self) -> bool:
        """Whether a program generated the data set: to be said wherever its figures appear."""
        return bool(self.about["synthetic"])

    @property
    def sizes(self) -> Widths:
        """Lengths of the vectors."""
        parts = self.identity
        return Widths(*(int(parts[name]["dim"]) for name in ("tubelets", "clips", "text")))

    def samples(self, split: str) -> tuple[Sample, ...]:
        """The records of train, val or test, or of a part of train: fit or validation."""
        split = split_name(split)
        tables = self._tables("train" if split in PARTS else split)
        if split not in PARTS:
            return tables.samples
        wanted = split == VALIDATION
        return tuple(one for one in tables.samples if (one.id in tables.validation) == wanted)

    def features(self, sample: Sample) -> HeadFeatures:
        """The features of the sample's video, with at most ``features.max_clips`` clips."""
        features = self._video(sample).vision(sample.prompt, sample.segment)
        wanted = self.sizes.tubelets
        if not len(features.tubelets):  # without a box the detector's own width is unknown
            shape = (0, self.config.features.frames, wanted)
            features = replace(features, tubelets=features.tubelets.reshape(shape))
        if features.tubelets.shape[-1] != wanted:  # made again in part, by another version
            length = features.tubelets.shape[-1]
            raise InputError(
                f"{sample.video}: its vectors have {length} numbers, the others' {wanted}", AGAIN
            )
        return replace(features, clips=fewer(features.clips, self.config.features.max_clips))

    def phrases(self, sample: Sample) -> Phrases:
        """The sample's words."""
        refined = self.refined(sample)
        reader = self._texts(sample.split)
        words = {text: reader.words(text) for text in texts_of(refined)}
        words |= {word: reader.words(word) for word in words_alone(refined) if word in reader}
        return join(refined, words, self.config.features.max_words)

    def refined(self, sample: Sample) -> Refined:
        """The parse of the sample's sentence."""
        return self._tables(sample.split).parses[sample.id]

    def words(self, split: str) -> Counter[str]:
        """How often each word is in the split's sentences, or in what their parse adds to them."""
        counts: Counter[str] = Counter()
        for sample in self.samples(split):
            refined = self.refined(sample)
            words = words_in(refined.text)
            counts.update(words)
            counts.update(
                {word for text in texts_of(refined) for word in words_in(text)} - {*words}
            )
        return counts

    def observation(self, sample: Sample) -> Observation:
        """The tubelets behind ``vision``, in its order, for rankings and tubes."""
        observation = self._video(sample).scene(sample.prompt)
        info = replace(observation.info, path=str(Path(self.about["root"]) / observation.info.path))
        part = replace(observation, info=info)
        if sample.segment is not None:
            part = part.within(sample.segment)
        best = select(part.tubelets, self.config.features.max_tubelets)
        return replace(part, tubelets=tuple(best))

    def query(self, sample: Sample) -> Query:
        """The parsed sentence, for the rankings."""
        from cospal_cli.language.parser.parse import parse

        return parse(sample.text, self.config.language)

    def _video(self, sample: Sample) -> cache.VideoFile:
        return cache.VideoFile(self.folder / VIDEOS / sample.video)

    def _texts(self, split: str) -> texts.TextsFile:
        if split not in self._words:
            with self._lock:
                if split not in self._words:
                    self._words[split] = self._open_texts(self.folder / TEXTS / split)
        return self._words[split]

    def _open_texts(self, path: Path) -> texts.TextsFile:
        """The word vectors beside a file of parses; InputError unless they are of those parses."""
        parses, vectors = (
            path.with_suffix(".jsonl"),
            texts.TextsFile(path.with_suffix(".safetensors")),
        )
        with errors_as(InputError, str(parses), AGAIN), open_regular(parses) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
            if vectors.key.get("parses") != digest:
                raise ValueError("these are not the parses whose words were encoded")
        return vectors

    def _tables(self, split: str) -> _Split:
        if split not in self.splits:
            raise UsageError(
                f"{str(self.folder)!r} has no split {split!r}", f"it has: {', '.join(self.splits)}"
            )
        if split not in self._splits:
            with self._lock:
                if split not in self._splits:
                    self._splits[split] = self._read(split)
        return self._splits[split]

    def _read(self, split: str) -> _Split:
        path = self.folder / SPLITS / f"{split}.jsonl"
        written = self.about.get("tables", {}).get(split)  # none in folders of 0.1.0
        with errors_as(InputError, str(path), AGAIN), open_regular(path) as file:
            if written is not None and digest(file) != written:
                raise ValueError("it is damaged: its bytes are not those written")
        parses = read_parses(self.folder / TEXTS / f"{split}.jsonl")
        samples, validation = [], set()
        for place, row in json_lines(path, InputError, AGAIN):
            with errors_as(InputError, place, AGAIN):
                sample = _sample(row, parses, split)
                samples.append(sample)
                if stored.today(row).get(VALIDATION):
                    validation.add(sample.id)
        return _Split(tuple(samples), frozenset(validation), parses)


def _sample(row: Json, parses: Mapping[str, Refined], split: str) -> Sample:
    """The record of a table's row; KeyError or ValueError where a value is not one."""
    texts = {name: field_of(row, name, str) for name in ("id", "video", "source", "text", "form")}
    if not texts["text"].strip():
        raise ValueError("'text': expected a sentence, found none")
    if Path(texts["video"]).name != texts["video"]:
        raise ValueError(f"'video': expected a name, found {short(texts['video'])}")
    refined = parses[texts["id"]]
    segment = None
    if row.get("segment"):
        segment = FrameSpan(*field_of(row, "segment", tuple[int, int]))
    return Sample(
        **texts,
        tubelets=field_of(row, "tubelets", int, 0),
        actions=refined.verbs,
        passes=len(refined.local_texts),
        split=split,
        prompt=fitting(row.get("prompt", ""), str, "prompt"),
        segment=segment,
    )


def write_about(folder: Path, about: Json) -> None:
    """Write ``prepared.json``, with a digest of itself."""
    sealed = {**about, "digest": digest(json.dumps(about).encode())}
    write_text(folder / NAME, json.dumps(sealed, indent=1) + "\n")


def read_about(folder: Path) -> JsonDict | None:
    """``prepared.json``; None where there is none. InputError if it cannot be read."""
    path, hint = folder / NAME, "prepare the data set into another folder"
    if not path.exists():
        return None
    about = read_table(path, InputError, hint, LARGE)
    with errors_as(InputError, str(path), hint):
        written = about.pop("digest", None)  # none in folders of 0.1.0
        if written is not None and written != digest(json.dumps(about).encode()):
            raise ValueError("it is damaged: its values are not those written")
        if about["format"] != FORMAT:
            raise ValueError(f"{short(about['format'])}, expected {FORMAT!r}")
        field_of(about, "made_with", JsonDict)
        if about.get("complete"):
            _check_about(about)
    return about


def _check_about(about: Json) -> None:
    """KeyError or ValueError for what the readers of a finished folder cannot use."""
    field_of(about, "splits", dict[str, dict[str, int]])
    if "tables" in about:
        field_of(about, "tables", dict[str, str])
    field_of(about, "root", str)
    field_of(about, "synthetic", bool)
    for name in ("tubelets", "clips", "text"):
        field_of(field_of(about, "identity", _SECTIONS)[name], "dim", int, 1)
    try:
        stored.config_of(field_of(about, "settings", JsonDict))
    except SettingError as error:  # UsageError for settings of the user's own
        raise ValueError(error.message) from error


def read_parses(path: Path, hint: str = AGAIN) -> dict[str, Refined]:
    """A file of parses by record id. InputError names the line at fault; ``hint``: what to do."""
    parses: dict[str, Refined] = {}
    for place, row in json_lines(path, InputError, hint):
        with errors_as(InputError, place, hint):
            parses[field_of(row, "id", str)] = Refined.from_dict(row)
    return parses
