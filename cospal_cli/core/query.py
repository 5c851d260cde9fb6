"""A parsed sentence: who is meant, what it does, and what it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    ``signature``: the family of actions by what they look like in time (launch, touch, bend ...,
    those of the verb list), or "".
    """

    word: str
    kind: str
    directions: tuple[str, ...] = ()
    speed: str = ""
    weight: float = 1.0
    signature: str = ""


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
