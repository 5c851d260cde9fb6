"""What the sentence says of the subject -> attributes, positions, classes of appearance."""

from __future__ import annotations

from collections.abc import Iterable

from cospal_cli.core import colours
from cospal_cli.core.query import Attribute
from cospal_cli.core.vocabulary import COCO
from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.dress import (
    ACCESSORY,
    ADJECTIVES,
    BODY,
    HAIR,
    ORDINALS,
    PATTERN,
    PLAIN,
    POSITION,
)
from cospal_cli.language.lexicon.person import FEMALE, GENERIC, MALE, YOUNG
from cospal_cli.language.lexicon.verbs import kinds
from cospal_cli.language.parser import derived
from cospal_cli.language.parser.chunks import NounPhrase
from cospal_cli.language.parser.clauses import Event, SentenceParts
from cospal_cli.language.parser.description import Description
from cospal_cli.language.parser.tokens import Token

# Too small in a box for their colour to be read from it.
_TINY = frozenset(
    """watch wristwatch bracelet ring armband wristband belt sash glove gloves earring earrings
    glasses sunglasses spectacles goggles necklace pendant lanyard badge medal monocle tie_clip
    eyeglasses shades headphones earphones headset""".split()
)
_BODY_REGION = {
    "face": "head", "head": "head", "ear": "head", "ears": "head", "chest": "upper",
    "belly": "upper", "legs": "lower", "leg": "lower", "feet": "feet", "foot": "feet",
    "paw": "feet", "paws": "feet", "body": "whole", "fur": "whole", "skin": "whole",
}  # fmt: skip
# Adjectives with evidence elsewhere: sizes rank boxes, "hair" colours are colours.
_HAIR_COLOUR = {
    "blond": "blond", "blonde": "blond", "brunette": "brunette", "redhead": "ginger",
    "redheaded": "ginger", "red-haired": "ginger", "dark-haired": "black", "black-haired": "black",
    "brown-haired": "brown", "blond-haired": "blond", "blonde-haired": "blond",
    "gray-haired": "gray", "grey-haired": "gray", "white-haired": "white",
    "silver-haired": "silver", "light-haired": "blond", "ginger-haired": "ginger",
    "fair-haired": "blond",
}  # fmt: skip
_DENIM = frozenset("jean jeans denims jeggings dungarees cutoffs".split())
RESTS = frozenset("sit stand lie stay wait sleep kneel crouch squat rest park".split())
_MUTE = frozenset(
    "same other another next different main another real moving visible far matching".split()
)


def describe(sentence: SentenceParts) -> Description:
    """The subject's attributes, positions and the words that only the classifier can judge."""
    out = Description.pair()
    subject = sentence.subject
    assert subject is not None
    _subject(out, subject, stands_for_wearer(sentence, subject))
    for owner, relation, phrase in sentence.relations:
        if owner is subject and not phrase.pronoun:
            _relation(out, relation, phrase)
    for owner, relation, phrase in sentence.denied:
        if owner is subject and phrase.pronoun:
            out.unresolved.append(phrase.head.word)  # "holding nothing"
        elif owner is subject:
            _denied(out, relation, phrase)
    for phrase in sentence.excepted:
        _not_meant(out, subject, phrase)
    for place in sentence.positions:
        _position(out, place)
    for place in sentence.elsewhere:
        _position(out.turned(True), place)
    for event in sentence.events:
        if event.owner is subject and not (event.passive or event.negated):
            for phrase in event.objects:
                if phrase.thing.appearance and not (phrase.thing.alive or phrase.denied):
                    out.look(phrase)
    for event in sentence.events:
        for prep, phrase in event.places if event.owner is subject else ():
            if phrase.place and _stands(event, prep):
                _position(out.turned(event.negated), phrase.place)
    for token in sentence.numbers:
        out.unresolved.append(token.word)
    if subject.denied and subject.determiner != "no":  # "not the red car"
        out.swap()
    denied = out.turned(True)
    out.unresolved += denied.unresolved
    out.unknown += denied.unknown
    return out


def _denied(out: Description, relation: str, phrase: NounPhrase) -> None:
    """A relation that is not so. Of "not a red hat" only the red counts against, hats may be."""
    no = Description.pair()
    _relation(no, relation, phrase)
    if phrase.thing.lemma in YOUNG and relation == "is":
        no.add(Attribute(phrase.thing.lemma, "age"))
    if any(a.values for a in no.attributes):
        no.appearance, no.nouns = {}, []
        no.attributes = [a for a in no.attributes if a.values]
    target = out.turned(True)
    for attribute in no.attributes:
        target.add(attribute)
    target.appearance |= no.appearance
    target.positions += no.positions
    evidence = bool(no.appearance or no.positions or any(_shown(a) for a in no.attributes))
    named = phrase.thing.lemma not in GENERIC and not phrase.bare
    lost = [phrase.head.word] if named and not evidence else []
    out.unresolved += [*lost, *no.unresolved, *(t.word for t in no.unknown)]
    if no.opposite is not None:  # "without a non-red hat"
        for attribute in no.opposite.attributes:
            out.add(attribute)


def _shown(attribute: Attribute) -> bool:
    """Whether anything in the picture is evidence of the attribute."""
    return bool(attribute.values) or attribute.kind in ("size", "age")


def _not_meant(out: Description, subject: NounPhrase, phrase: NounPhrase) -> None:
    """ "Other than the white dog": white and being that dog count against."""
    _denied(out, "is", phrase)
    for worn in phrase.worn:
        _denied(out, "wear" if worn.thing.region else "hold", worn)
    for token in phrase.described:
        if token.word in POSITION:
            _position(out.turned(True), POSITION[token.word])


def stands_for_wearer(sentence: SentenceParts, subject: NounPhrase) -> bool:
    """ "orange top moving cups", "legs in black pants": the person is meant by a part."""
    part = subject.thing.region or (subject.head.lemma in BODY and not subject.owners)
    if not part or subject.thing.classes or subject.bare:
        return False
    acts = any(
        e.owner is subject and not e.passive and kinds().get(e.verb.lemma) not in (None, "still")
        for e in sentence.events
    )
    dressed = any(o is subject and relation == "wear" for o, relation, _ in sentence.relations)
    lone = subject.tokens[0].tag != "DET" and not (sentence.context or sentence.events)
    lone = lone and subject.thing.region in ("upper", "lower", "whole")
    return acts or dressed or lone


def _stands(event: Event, prep: str) -> bool:
    """Whether "on the left" says where the subject is, not where it goes or looks."""
    if prep in ("to", "toward", "towards"):
        return event.verb.lemma in RESTS
    return prep in ("on", "in", "at", "near", "by")


def _subject(out: Description, subject: NounPhrase, wearer: bool) -> None:
    lemma = subject.thing.lemma
    if subject.head.tag == "NOUN":
        out.nouns.append(subject.head.word)
    for modifier in subject.modifiers:
        known = lexicon.thing(modifier.word)
        if known.appearance:
            out.appearance[modifier.word] = known.appearance
        elif lexicon.is_colour(modifier.word):
            out.turned(modifier.denied).add(_colour([modifier], "whole", ""))
        elif modifier.word != lemma:
            out.unresolved.append(modifier.word)
    if lemma in MALE | FEMALE:
        out.unresolved.append(subject.head.word)
    elif lemma in YOUNG:
        out.add(Attribute(lemma, "age"))
    if lemma in _HAIR_COLOUR:
        out.add(_hair(subject.head))
    elif lemma not in (*GENERIC, *COCO) and subject.head.tag == "NOUN":
        out.look(subject)  # the detector itself knows its classes better
    for worn in subject.worn:
        if worn.denied:
            _denied(out, "wear", worn)
        else:
            (_garment if worn.thing.region else _held)(out, worn)
    if subject.thing.region and wearer:  # "orange top moving cups"
        _garment(out, subject)
    else:
        region = _BODY_REGION.get(lemma, "whole")
        _adjectives(out, _describing(subject), region, "")
    for token in subject.described:
        if token.word in POSITION:
            _position(out.turned(token.denied), POSITION[token.word])
        elif token.tag == "POS" or token.word in ORDINALS or token.start > subject.head.start:
            out.unresolved.append(token.word)


def _relation(out: Description, relation: str, phrase: NounPhrase) -> None:
    if relation == "is":
        if phrase.place:
            _position(out, phrase.place)
        elif not phrase.bare:
            out.nouns.append(phrase.head.word)
            out.look(phrase)
        _adjectives(out, _describing(phrase), "whole", "")
    elif phrase.bare:
        _adjectives(out, _describing(phrase), "whole", "")
    elif phrase.thing.region and (relation == "wear" or phrase.head.lemma in HAIR):
        _garment(out, phrase)
    elif phrase.head.lemma in BODY:
        region = _BODY_REGION.get(phrase.head.lemma, "")
        _adjectives(out, _describing(phrase), region, phrase.head.word)
    else:
        _held(out, phrase)


def _unknown_modifiers(out: Description, phrase: NounPhrase) -> None:
    """ "The Lakers jersey": a name that says which, without evidence."""
    for token in phrase.modifiers:
        if not (lexicon.knows(token.word) or lexicon.thing(token.word).known):
            out.unresolved.append(token.word)


def _garment(out: Description, phrase: NounPhrase) -> None:
    word, region = phrase.head.word, phrase.thing.region
    _unknown_modifiers(out, phrase)
    hair = phrase.head.lemma in HAIR or word in HAIR
    if word not in PLAIN and phrase.head.lemma not in PLAIN:
        out.nouns.append(word)
        kind = "hair" if hair else "accessory" if word in ACCESSORY else "garment"
        out.add(Attribute(word, kind, region, word))
        if not out.look(phrase) and not phrase.described:
            out.unresolved.append(word)
    _adjectives(out, _describing(phrase), "" if word in _TINY else region, word, hair)


def _held(out: Description, phrase: NounPhrase) -> None:
    """Carried things: their colour fills too little of the box to count as the subject's."""
    out.nouns.append(phrase.head.word)
    _unknown_modifiers(out, phrase)
    out.add(Attribute(phrase.head.word, "held", "whole", phrase.head.word))
    if not out.look(phrase) and phrase.thing.known:
        out.unresolved.append(phrase.head.word)
    for group in _colour_groups(_describing(phrase)):
        word = " ".join(t.word for t in group)
        if lexicon.is_colour(group[-1].word):
            out.add(Attribute(word, "held", "whole", phrase.head.word))
            out.adjectives.append(word)
            out.unresolved.append(word)


def _adjectives(
    out: Description, tokens: Iterable[Token], region: str, garment: str, hair: bool = False
) -> None:
    """Describing words of one noun; without a ``region`` their colours cannot be seen."""
    said = out
    for group in _colour_groups(list(tokens)):
        word = " ".join(t.word for t in group)
        negated = any(t.denied for t in group)
        out = said.turned(negated)
        if lacking := derived.lacks(word):
            _bare(out, word, lacking, negated)
            continue
        kind = ADJECTIVES.get(word, "")
        made = None if word in _HAIR_COLOUR else derived.worn(word)
        if made is not None:
            _derived(out, word, made, region, garment)
            continue
        if word in _HAIR_COLOUR and (hair or not garment):
            out.add(_hair(group[0]))
        elif colours.parse_colour([t.word for t in group]) and (kind in ("", "pattern")):
            if region:
                out.add(_colour(group, region, garment))
            else:
                out.unresolved.append(word)
        elif kind == "size" and garment:
            out.add(Attribute(word, "hair" if hair else "style", region or "whole", garment))
            out.unresolved.append(word)
        elif word in _MUTE or word in POSITION or word in ORDINALS:
            continue
        else:
            out.add(Attribute(word, kind or "other", region or "whole", garment))
            seen = word in PATTERN and bool(region) and garment not in ACCESSORY
            if kind != "size" and word != "little" and not seen:
                out.unresolved.append(word)
        out.adjectives.append(word)


def _bare(out: Description, word: str, garment: str, negated: bool) -> None:
    """ "Hatless": a hat counts against; what cannot be seen to be missing is unresolved."""
    thing = lexicon.thing(garment)
    if not negated:
        out.add(Attribute(word, "state"))
        out.adjectives.append(word)
    denied = out.turned(True)
    denied.add(
        Attribute(
            garment, "accessory" if garment in ACCESSORY else "garment", thing.region, garment
        )
    )
    denied.appearance |= {garment: thing.appearance} if thing.appearance else {}
    if not thing.appearance:
        out.unresolved.append(word)


def _derived(out: Description, word: str, made: derived.Worn, region: str, of: str) -> None:
    """ "besuited", "raven-haired", "slate-coloured": the garment, its place and its colour."""
    own = made.kind == "colour" or not made.garment
    where = region or "whole" if own else made.region
    garment = of or made.garment
    if made.garment:
        out.add(Attribute(word, made.kind, made.region, made.garment))
        out.nouns.append(made.garment)
        appearance = lexicon.thing(made.garment).appearance
        out.appearance.update({made.garment: appearance} if appearance else {})
    elif made.kind != "colour":
        out.add(Attribute(word, made.kind, where, garment))
        out.unresolved.append(word)
    values = colours.parse_colour([made.colour]) if made.colour else None
    if values and (region or made.garment):
        out.add(Attribute(word, "colour", where, garment, values))
    elif made.garment and made.garment not in out.appearance:
        out.unresolved.append(word)
    out.adjectives.append(word)


def _colour_groups(tokens: list[Token]) -> list[list[Token]]:
    """ "light blue" is one colour; "black and white" are two."""
    groups: list[list[Token]] = []
    for token in tokens:
        previous = groups[-1][-1] if groups else None
        tone = previous is not None and previous.word in lexicon.TONES
        if tone and lexicon.is_colour(token.word) and previous.end + 1 >= token.start:  # type: ignore[union-attr]
            groups[-1].append(token)
        else:
            groups.append([token])
    return groups


def _describing(phrase: NounPhrase) -> list[Token]:
    """Adjectives of a phrase, its head too where it has no noun."""
    adjectives = [t for t in phrase.described if t.tag == "ADJ"]
    return [*adjectives, phrase.head] if phrase.bare else adjectives


def _colour(tokens: list[Token], region: str, garment: str) -> Attribute:
    words = [t.word for t in tokens]
    values = colours.parse_colour(words) or {}
    if garment in _DENIM and words[-1] == "blue":  # washed out, or nearly black
        denim = colours.parse_colour(["denim"]) or {}
        values = {
            name: max(values.get(name, 0), denim.get(name, 0)) for name in {**values, **denim}
        }
    return Attribute(" ".join(words), "colour", region, garment, values)


def _hair(token: Token) -> Attribute:
    values = colours.parse_colour([_HAIR_COLOUR[token.word]]) or {}
    return Attribute(token.word, "colour", "head", "hair", values)


def _position(out: Description, place: str) -> None:
    if place not in out.positions:
        out.positions.append(place)
