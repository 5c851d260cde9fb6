"""What the subject and the other things are: detector classes, unknown words by likeness."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cospal_cli.core.query import Action
from cospal_cli.core.vocabulary import COCO
from cospal_cli.language.lexicon import imagenet
from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.person import GENERIC, IMPLIED
from cospal_cli.language.lexicon.verbs import kinds
from cospal_cli.language.lexicon.words import Thing
from cospal_cli.language.parser.chunks import NounPhrase
from cospal_cli.language.parser.clauses import SentenceParts
from cospal_cli.language.parser.describe import stands_for_wearer
from cospal_cli.language.parser.description import Description

_ANYTHING = {**dict.fromkeys(COCO, 1.0), "person": 0.15}  # "what": an object or animal


@dataclass
class UnknownWords:
    """Unknown words by similarity, if allowed and installed; remembers why not."""

    allowed: bool
    trouble: str | None = None

    def ready(self) -> bool:
        """Whether unknown words can be compared; tried once."""
        if not self.allowed:
            return False
        if self.trouble is None:
            from cospal_cli.language.encoders import similar

            self.trouble = similar.ready()
        return not self.trouble

    def noun(self, word: str) -> Thing:
        """The thing nearest to an unknown noun."""
        named = imagenet.thing(word) or _agent(word) or lexicon.compound(word)
        if named or not self.ready():
            return named or Thing(word, known=False)
        from cospal_cli.language.encoders import similar

        return similar.noun(word)

    def action(self, guess: Action, lemma: str) -> Action:
        """``guess`` with the kind of the nearest known verbs, if they agree."""
        if not self.ready():
            return guess
        from cospal_cli.language.encoders import similar

        _, kind, weight = similar.verb(lemma)
        return replace(guess, kind=kind, weight=weight) if weight else guess


def _agent(word: str) -> Thing | None:
    """ "juggler", "sculptor": whoever does what a known verb says."""
    stem = word[:-2] if word.endswith(("er", "or")) else ""
    forms = {stem, stem + "e", stem[:-1] if stem[-2:-1] == stem[-1:] else stem}
    if stem and any(lexicon.verb_readings(form) for form in forms):
        return Thing(word, {"person": 1.0}, person=True, alive=True, known=False)
    return None


def context_of(sentence: SentenceParts, subject: NounPhrase) -> dict[str, dict[str, float]]:
    """The other things' classes, and the thing that the subject's role implies."""
    things = {p.head.word: p.thing.classes for p in sentence.context if p.head.tag == "NOUN"}
    carried = [*subject.modifiers, *(p.head for p in subject.worn if not p.thing.region)]
    for word in (m.word for m in carried if subject.thing.person):  # "umbrella lady"
        near = lexicon.thing(word)
        things |= {word: near.classes} if near.classes and not near.alive else {}
    for owner in subject.owners:
        near = lexicon.thing(owner.word)
        things |= {owner.word: near.classes} if near.classes else {}
    implied = role(subject)
    return {**({subject.head.word: implied} if implied else {}), **things}


def role(subject: NounPhrase) -> dict[str, float]:
    """Classes of the thing that a "rider", a "batter" or a "driver" is known by; or empty."""
    classes: dict[str, float] = {}
    for noun in IMPLIED.get(subject.head.lemma, "").split(" or "):
        classes = {**lexicon.thing(noun).classes, **classes} if noun else classes
    return classes


def classes_of(
    sentence: SentenceParts, description: Description, words: UnknownWords
) -> dict[str, float]:
    """Detector classes of the subject, without those that are denied; empty for any class."""
    return _without_denied(_said(sentence, description, words), sentence, description)


def _said(
    sentence: SentenceParts, description: Description, words: UnknownWords
) -> dict[str, float]:
    subject = sentence.subject
    assert subject is not None
    lemma = subject.thing.lemma
    if stands_for_wearer(sentence, subject):
        return {"person": 1.0}
    if subject.thing.classes:
        return dict(subject.thing.classes)
    if subject.pronoun or subject.bare or lemma in GENERIC:
        worn = any(a.kind in ("garment", "accessory", "hair") for a in description.attributes)
        coloured = any(r == "wear" for o, r, _ in sentence.relations if o is subject)
        if worn or subject.head.word in ("he", "she", "someone"):
            return {"person": 1.0}
        if coloured:  # "the one in red"
            return {**dict.fromkeys(COCO, 0.25), "person": 1.0}
        named = [p.thing.classes for o, r, p in sentence.relations if o is subject and r == "is"]
        if lemma in ("one", "ones", "other", "others"):  # "all except the red car"
            named += [p.thing.classes for p in sentence.excepted]
        things = lemma in ("thing", "object", "item", "something") or subject.head.word == "it"
        return next((dict(c) for c in named if c), dict(_ANYTHING) if things else {})
    if subject.thing.known or not subject.head.word:
        return {}
    near = dict(words.noun(subject.head.lemma).classes)
    return near or ({**dict.fromkeys(COCO, 0.4), "person": 1.0} if _acts(sentence) else {})


def _without_denied(
    classes: dict[str, float], sentence: SentenceParts, description: Description
) -> dict[str, float]:
    """ "An animal that is not a dog": every class but that, if any is left."""
    subject = sentence.subject
    turned = subject is not None and subject.denied and subject.determiner != "no"
    if turned and classes and not description.turned(True).attributes:  # "not a car"
        return {name: 1.0 for name in COCO if name not in classes}
    denied = [p for o, r, p in sentence.denied if o is subject and r == "is"]
    for phrase in [*denied, *sentence.excepted]:
        gone = {name for name, weight in phrase.thing.classes.items() if weight >= 0.9}
        kept = {name: weight for name, weight in classes.items() if name not in gone}
        if gone and max(kept.values(), default=0) >= 0.5 and len(kept) < len(classes):
            classes = kept
            description.unresolved = [w for w in description.unresolved if w != phrase.head.word]
    return classes


def _acts(sentence: SentenceParts) -> bool:
    """Whether the subject, of a noun nobody knows, speaks, handles things or is dressed."""
    events = [e for e in sentence.events if e.owner is sentence.subject and not e.passive]
    handles = any(kinds().get(e.verb.lemma) == "limb" and e.objects for e in events)
    talks = any(kinds().get(e.verb.lemma) == "talk" for e in events)
    own = [p for o, r, p in sentence.relations if o is sentence.subject and r == "wear"]
    return talks or handles or any(p.thing.region for p in own)


def resolve_nouns(
    subject: NounPhrase, description: Description, classes: dict[str, float], words: UnknownWords
) -> None:
    """Give unknown nouns the appearance of near ones, or list them as unresolved."""
    for token in description.unknown:
        near = words.noun(token.lemma)
        if near.appearance:
            description.appearance[token.word] = dict(near.appearance)
        elif not (token is subject.head and classes):
            description.unresolved.append(token.word)
    known = subject.thing.known and subject.head.tag == "NOUN"
    if (
        known
        and not classes
        and not subject.thing.appearance
        and subject.thing.lemma not in GENERIC
    ):
        description.unresolved.append(subject.head.word)
