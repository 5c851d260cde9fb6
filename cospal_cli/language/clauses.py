"""What the pass over a sentence finds, and looking ahead among its phrases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cospal_cli.language.chunks import Item, Phrase
from cospal_cli.language.tokens import VERBAL, Token
from cospal_cli.language.words_verbs import HOLD, WEAR


@dataclass(eq=False)
class Event:
    """A verb with what follows it."""

    verb: Token
    owner: Phrase | None
    start: int  # offset of its first auxiliary or adverb
    end: int  # offset behind its particle, object or direction: no background
    finite: bool = False
    passive: bool = False
    relative: bool = False
    negated: bool = False
    aspect: bool = False  # only begins, tries or goes on with the next verb
    particles: list[str] = field(default_factory=list)
    adverbs: list[str] = field(default_factory=list)
    objects: list[Phrase] = field(default_factory=list)
    places: list[tuple[str, Phrase]] = field(default_factory=list)  # preposition, its noun

    @property
    def dressing(self) -> bool:
        return self.verb.lemma in WEAR


@dataclass
class Sentence:
    """What the pass found. Relations: wear, with, hold, is, near; (owner, relation, phrase)."""

    subject: Phrase | None = None
    events: list[Event] = field(default_factory=list)
    relations: list[tuple[Phrase, str, Phrase]] = field(default_factory=list)
    positions: list[str] = field(default_factory=list)
    context: list[Phrase] = field(default_factory=list)
    numbers: list[Token] = field(default_factory=list)
    referral_end: int = 0

    def own(self, phrase: Phrase | None) -> bool:
        return phrase is self.subject

    def find_end(self) -> None:
        """Set where the referral ends: before the main verb, else before the first thing done."""
        own = [e for e in self.events if self.own(e.owner)]
        main = [e for e in own if e.finite and not e.relative]
        doing = [e for e in own if not e.dressing and e.verb.lemma not in HOLD]
        self.referral_end = min((e.start for e in main or doing), default=-1)


def item_at(items: Sequence[Item], at: int) -> Item | None:
    """The item at ``at``, or None behind the last one."""
    return items[at] if at < len(items) else None


def verb_at(items: Sequence[Item], at: int) -> bool:
    """Whether a verb stands at ``at``."""
    item = item_at(items, at)
    return isinstance(item, Token) and item.tag in VERBAL


def verb_later(items: Sequence[Item], at: int) -> bool:
    """Whether any verb stands behind ``at``."""
    return any(isinstance(item, Token) and item.tag in VERBAL for item in items[at + 1 :])


def has_noun(items: Sequence[Item], at: int) -> bool:
    """Whether a noun phrase that is no pronoun stands at or behind ``at``."""
    return any(isinstance(item, Phrase) and not item.pronoun for item in items[at:])


def finite_after(items: Sequence[Item], at: int) -> bool:
    """Whether a finite verb comes next, prepositional phrases and adverbs aside."""
    while True:
        item = item_at(items, at)
        if not isinstance(item, Token):
            return False
        if item.tag == "ADV":
            at += 1
        elif item.tag in ("PREP", "TO") and isinstance(item_at(items, at + 1), Phrase):
            at += 2
        else:
            return item.tag in ("VZ", "VD", "VB", "AUX")
