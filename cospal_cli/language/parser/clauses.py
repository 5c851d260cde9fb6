"""What the pass over a sentence collects, and looking ahead among its phrases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cospal_cli.language.lexicon.dress import BODY, HAIR
from cospal_cli.language.lexicon.person import GENDER, GENERIC
from cospal_cli.language.lexicon.verbs import HOLD, MOVE, OWN, WEAR
from cospal_cli.language.parser.chunks import Item, NounPhrase
from cospal_cli.language.parser.tokens import VERBAL, Token

_STATES = frozenset("dress clothe park locate surround name call seat".split())
_CARRIED = frozenset("carry push pull drive ride chase lead follow bring tow drag".split())
_ALONE = (MOVE - _CARRIED) | frozenset("stand sit lie stop stay wait".split())  # without an object
_MEANWHILE = frozenset("while as when whilst".split())
_OTHER_WORDS = frozenset("another other next second third different".split())


@dataclass(eq=False)
class Event:
    """A verb with what follows it."""

    verb: Token
    owner: NounPhrase | None
    start: int  # offset of its first auxiliary or adverb
    end: int  # offset behind its particle, object or direction: no background
    finite: bool = False
    passive: bool = False
    relative: bool = False
    negated: bool = False
    aspect: bool = False  # only begins, tries or goes on with the next verb
    particles: list[str] = field(default_factory=list)
    adverbs: list[str] = field(default_factory=list)
    objects: list[NounPhrase] = field(default_factory=list)
    places: list[tuple[str, NounPhrase]] = field(default_factory=list)  # preposition, its noun

    @property
    def dressing(self) -> bool:
        """Whether it says what is worn or looked like: "wears a hat", "has long hair"."""
        owns = self.verb.lemma in OWN and not self.passive
        return self.verb.lemma in WEAR or (owns and any(_of_body(p) for p in self.objects))


def _of_body(phrase: NounPhrase) -> bool:
    return phrase.wearable or (phrase.head.lemma in BODY and bool(phrase.described))


@dataclass
class SentenceParts:
    """What the pass found. Relations: wear, with, hold, is, near; (owner, relation, phrase)."""

    subject: NounPhrase | None = None
    events: list[Event] = field(default_factory=list)
    relations: list[tuple[NounPhrase, str, NounPhrase]] = field(default_factory=list)
    positions: list[str] = field(default_factory=list)
    context: list[NounPhrase] = field(default_factory=list)
    denied: list[tuple[NounPhrase, str, NounPhrase]] = field(
        default_factory=list
    )  # relations not so
    absent: list[NounPhrase] = field(default_factory=list)  # things that are not beside the subject
    elsewhere: list[str] = field(default_factory=list)  # positions that the subject does not have
    excepted: list[NounPhrase] = field(default_factory=list)  # "other than *the man*": not meant
    numbers: list[Token] = field(default_factory=list)
    beside: list[NounPhrase] = field(default_factory=list)  # "a man and *a woman* dance": meant too
    referral_end: int = 0

    def own(self, phrase: NounPhrase | None) -> bool:
        """Whether ``phrase`` is the subject itself."""
        return phrase is self.subject

    def find_end(self) -> None:
        """Set where the referral ends: before the main verb, else before the first thing done."""
        own = [e for e in self.events if self.own(e.owner)]
        main = [e for e in own if e.finite and not e.relative]
        doing = [e for e in own if not e.dressing and e.verb.lemma not in HOLD]
        self.referral_end = min((e.start for e in main or doing), default=-1)


def describes(prep: str, phrase: NounPhrase, before_verbs: bool) -> bool:
    """Whether "in ..." or "with ..." says how somebody looks."""
    if prep == "in":
        return phrase.wearable and phrase.head.lemma not in HAIR
    body = phrase.head.lemma in BODY and bool(phrase.described)
    return phrase.wearable or (body and before_verbs)


def participle(verb: Token, last_tag: str, following: Item | None) -> bool:
    """ "dressed in red", "parked near ...", "held by the boy"; not "stood by the door"."""
    if last_tag not in ("NP", "CONJ", "PUNCT", "ADV") or isinstance(following, NounPhrase):
        return False
    if verb.lemma in _STATES:
        return True
    by = following is not None and following.word == "by" and last_tag == "NP"
    return by and verb.lemma not in _ALONE


def same_as(phrase: NounPhrase, subject: NounPhrase | None) -> bool:
    """Whether a later clause speaks of the subject again: a pronoun or the same noun."""
    if subject is None:
        return False
    if phrase.pronoun:
        if phrase.head.word == "it":
            return not subject.thing.person
        named = GENDER.get(subject.thing.lemma)
        return phrase.head.word not in ("he", "she") or named in (None, phrase.head.word)
    other = {t.word for t in phrase.described} & _OTHER_WORDS
    return (
        phrase.thing.lemma == subject.thing.lemma
        and not other
        and phrase.determiner not in ("a", "an", "another")
    )


def nearest(
    seen: Sequence[NounPhrase], subject: NounPhrase | None, alive: bool
) -> NounPhrase | None:
    """The last noun phrase seen, or the last that can wear and act (also "the one")."""
    for phrase in reversed(seen):
        generic = not phrase.thing.classes and (phrase is subject or phrase.thing.lemma in GENERIC)
        if not alive or phrase.thing.alive or generic:
            return phrase
    return None


def main_first(tokens: Sequence[Token]) -> Sequence[Token]:
    """ "While another man waves, the boy jumps": the clause before the comma goes behind the other.

    Both must have a verb, and each a subject: "when walking, the boy ..." stays.
    """
    ends = [at for at, token in enumerate(tokens) if token.word == ","]
    if not ends or tokens[0].word not in _MEANWHILE:
        return tokens
    before, after = tokens[1 : ends[0]], tokens[ends[0] + 1 :]
    spoken = [token for token in after if token.tag != "PUNCT"]
    if not (_is_clause(before) and _is_clause(spoken)):
        return tokens
    return [*spoken, *tokens[: ends[0]]]


def _is_clause(tokens: Sequence[Token]) -> bool:
    """Whether a verb stands behind a noun or a pronoun."""
    named = [at for at, token in enumerate(tokens) if token.tag in ("NOUN", "PRON")]
    return bool(named) and any(token.tag in VERBAL for token in tokens[named[0] + 1 :])


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
    """Whether a noun phrase that is not a pronoun stands at or behind ``at``."""
    return any(isinstance(item, NounPhrase) and not item.pronoun for item in items[at:])


def finite_after(items: Sequence[Item], at: int) -> bool:
    """Whether a finite verb comes next, prepositional phrases and adverbs aside."""
    while True:
        item = item_at(items, at)
        if not isinstance(item, Token):
            return False
        if item.tag == "ADV":
            at += 1
        elif item.tag in ("PREP", "TO", "VG") and isinstance(item_at(items, at + 1), NounPhrase):
            at += 2  # "in a hat", "wearing a hat"
        else:
            return item.tag in ("VZ", "VD", "VB", "AUX")


def inside_thing(items: Sequence[Item], phrase: NounPhrase) -> bool:
    """Whether "the back" is a thing's ("in the back of a car"), not the picture's."""
    at = next(i for i, item in enumerate(items) if item is phrase)
    of, thing = item_at(items, at + 1), item_at(items, at + 2)
    if not (isinstance(of, Token) and of.word == "of" and isinstance(thing, NounPhrase)):
        return False
    return phrase.place in ("back", "front", "top", "bottom") and bool(thing.thing.classes)
