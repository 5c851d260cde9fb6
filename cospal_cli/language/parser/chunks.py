"""Tagged tokens -> noun phrases, each with its head, its describing words and its determiner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.dress import ADJECTIVES, HAIR, POSITION
from cospal_cli.language.lexicon.person import FEMALE, GENERIC, MALE, PARTITIVE, YOUNG
from cospal_cli.language.lexicon.words import Thing
from cospal_cli.language.parser.tokens import POSITION_NOUNS, Token

_WEARERS = (MALE | FEMALE | YOUNG | {"person", "someone", "people"}) - {"baby"}
_INSIDE = ("DET", "POSS", "NUM", "ADJ", "POS", "NOUN", "GEN")
_PLACE_HEADS = frozenset("side corner part half edge end hand area portion row seat lane".split())


@dataclass(eq=False)
class NounPhrase:
    """A noun phrase. ``head`` is its last noun, or its last describing word ("in red")."""

    tokens: list[Token]
    head: Token
    thing: Thing
    described: list[Token] = field(default_factory=list)  # adjectives before the head
    modifiers: list[Token] = field(default_factory=list)  # nouns before the head ("tennis player")
    owners: list[Token] = field(default_factory=list)  # nouns before 's
    determiner: str = ""
    worn: list[NounPhrase] = field(default_factory=list)  # garments before the head: "red hat lady"
    lead: Token | None = None  # the first word of a longer owner: "*the* man in the suit's bike"

    @property
    def start(self) -> int:
        """Offset in the text of the first character."""
        return (self.lead or self.tokens[0]).start

    @property
    def end(self) -> int:
        """Offset behind the last character."""
        return self.tokens[-1].end

    @property
    def denied(self) -> bool:
        """Whether the sentence says that there is none: "no hat", "not a dog"."""
        first = self.tokens[0]
        if first.denied and first.tag not in ("ADJ", "POS"):
            return True
        return self.determiner == "no" or self.head.word == "nothing"

    @property
    def pronoun(self) -> bool:
        """Whether a pronoun stands for the thing."""
        return self.head.tag == "PRON"

    @property
    def bare(self) -> bool:
        """Describing words without a noun: "in red"."""
        return self.head.tag == "ADJ"

    @property
    def place(self) -> str:
        """The position in the picture that the phrase names ("the left side"), or ""."""
        if self.head.word in POSITION and self.head.tag in ("NOUN", "POS"):
            worn = self.thing.region and (self.described or self.modifiers)  # "the orange top"
            return "" if worn else POSITION[self.head.word]
        if self.head.word in _PLACE_HEADS:
            return next((POSITION[t.word] for t in self.described if t.word in POSITION), "")
        return ""

    @property
    def wearable(self) -> bool:
        """Whether it is something worn: a garment, hair, or colours alone ("in black")."""
        if self.bare:
            return lexicon.is_colour(self.head.word) or self.head.word in lexicon.TONES
        return bool(self.thing.region)


Item = NounPhrase | Token


def chunk(tokens: Sequence[Token]) -> list[Item]:
    """Noun phrases in place of their tokens; the other tokens as they are."""
    items: list[Item] = []
    at = 0
    while at < len(tokens):
        if tokens[at].tag == "PRON":
            items.append(NounPhrase([tokens[at]], tokens[at], Thing(tokens[at].word)))
            at += 1
            continue
        size = _extent(tokens[at:])
        part = tokens[at : at + size]
        if any(t.tag in ("NOUN", "ADJ", "POS") for t in part):
            items.append(noun_phrase(list(part)))
        elif len(part) == 1 and (part[0].tag == "NUM" or _of_some(tokens[at : at + 2])):
            items.append(part[0])
        at += max(size, 1)
        if not size:
            items.append(tokens[at - 1])
    return _share_garments(_fold_partitives(items))


def _of_some(tokens: Sequence[Token]) -> bool:
    """ "Each of the players"."""
    return [t.word for t in tokens[1:]] == ["of"] and tokens[0].word in PARTITIVE


def _extent(tokens: Sequence[Token]) -> int:
    """How many tokens from the first on are one noun phrase."""
    at = 0
    noun = False
    while at < len(tokens):
        tag = tokens[at].tag
        if tag in ("DET", "POSS") and at > 0 and tokens[at - 1].tag not in ("DET", "GEN"):
            break
        if tag == "NUM" and noun and tokens[at - 1].word != "number":
            break
        if tag not in _INSIDE:
            if not _joins(tokens, at, noun):
                break
        elif noun and tag in ("ADJ", "POS"):
            if not _garment_ahead(tokens[:at], tokens[at:]):
                break
        elif noun and tag == "NOUN" and _dressed_by(tokens[:at], tokens[at]):
            break
        noun = (noun or tag == "NOUN") and tag != "GEN"
        at += 1
    return at


def _joins(tokens: Sequence[Token], at: int, noun: bool) -> bool:
    """A comma or "and" between two describing words: "black and white dog"."""
    inside = 0 < at < len(tokens) - 1 and not noun
    if not inside or tokens[at].word not in ("and", ","):
        return False
    return tokens[at - 1].tag == "ADJ" and tokens[at + 1].tag == "ADJ"


def noun_phrase(tokens: list[Token]) -> NounPhrase:
    """The phrase that ``tokens`` are, with its head found."""
    after = max((i + 1 for i, t in enumerate(tokens) if t.tag == "GEN"), default=0)
    named = any(t.tag in ("NOUN", "ADJ", "POS") for t in tokens[after:])
    own = tokens[after:] if named else tokens
    nouns = [t for t in own if t.tag == "NOUN"]
    if len(nouns) > 1 and nouns[-1].word == "number":
        nouns.pop()
    head = nouns[-1] if nouns else next(t for t in reversed(own) if t.tag in ("ADJ", "POS"))
    thing = lexicon.thing(head.word) if nouns else Thing(head.word)
    worn = _garments(own, head) if thing.alive or thing.lemma in GENERIC else []
    taken = {id(t) for garment in worn for t in garment.tokens}
    bare = bool(worn) and tokens[0].word == "no"  # "no hat man"
    if bare:
        worn[0].determiner = "no"
    return NounPhrase(
        tokens=tokens,
        head=head,
        thing=thing,
        worn=worn,
        described=[
            t
            for t in own
            if t.tag in ("ADJ", "POS", "NUM") and t is not head and id(t) not in taken
        ],
        modifiers=[t for t in nouns[:-1] if id(t) not in taken],
        owners=[t for t in tokens[:after] if t.tag == "NOUN"],
        determiner=tokens[0].word if tokens[0].tag in ("DET", "POSS") and not bare else "",
    )


def _garments(tokens: list[Token], head: Token) -> list[NounPhrase]:
    """ "long dark hair lady", "blue shirt black shorts man": the garments with their words."""
    garments: list[NounPhrase] = []
    start = 0
    for at, token in enumerate(tokens):
        near = lexicon.thing(token.word)
        carried = near.classes and not near.alive and at > start and tokens[at - 1].tag == "ADJ"
        if token is head or token.tag != "NOUN" or not (near.region or carried):
            continue
        following = tokens[at + 1]
        if following is not head and following.tag == "NOUN":
            continue  # "polo shirt man": the shirt
        first = at
        while first > start and _of_garment(tokens[first - 1], token):
            first -= 1
        garments.append(noun_phrase(tokens[first : at + 1]))
        start = at + 1
    return garments


def _of_garment(token: Token, garment: Token) -> bool:
    """Whether the word before a garment describes it, and not whoever wears it."""
    hair = lexicon.noun_lemma(garment.word) in HAIR or garment.word in HAIR
    kind = ADJECTIVES.get(token.word, "")
    cloth = lexicon.is_colour(token.word) or kind in ("", "pattern", "material")
    if token.tag == "NOUN":
        return bool(lexicon.thing(token.word).region)
    return token.tag == "ADJ" and (cloth or hair)


def _dressed_by(before: Sequence[Token], token: Token) -> bool:
    """ "man | jeans": a garment right behind a person begins a phrase of its own."""
    person = before[-1].tag == "NOUN" and lexicon.noun_lemma(before[-1].word) in _WEARERS
    return person and bool(lexicon.thing(token.word).region)


def _garment_ahead(before: Sequence[Token], rest: Sequence[Token]) -> bool:
    """ "blue shirt | black shorts man": describing words between two garments of one person."""
    nouns = [t for t in rest[: _run(rest)] if t.tag == "NOUN"]
    worn = bool(lexicon.thing(before[-1].word).region)
    return worn and len(nouns) > 1 and lexicon.thing(nouns[-1].word).person


def _run(tokens: Sequence[Token]) -> int:
    """How many adjectives and nouns stand in a row."""
    return next((i for i, t in enumerate(tokens) if t.tag not in ("ADJ", "NOUN")), len(tokens))


def _share_garments(items: list[Item]) -> list[Item]:
    """ "gray shirt and jeans man": both garments are the man's."""
    shared: list[Item] = []
    for item in items:
        last = shared[-2:]
        if (
            isinstance(item, NounPhrase)
            and item.worn
            and not item.determiner
            and len(last) == 2
            and isinstance(last[0], NounPhrase)
            and isinstance(last[1], Token)
            and last[1].word in ("and", ",", "&")
            and last[0].wearable
        ):
            shared[-2:] = []
            item.worn.insert(0, last[0])
            item.tokens = [*last[0].tokens, last[1], *item.tokens]
        shared.append(item)
    return shared


def _fold_partitives(items: list[Item]) -> list[Item]:
    """ "a group of people", "one of the men": the noun after "of" is meant."""
    folded: list[Item] = []
    at = 0
    while at < len(items):
        item = items[at]
        of = items[at + 1 : at + 3]
        if (
            len(of) == 2
            and isinstance(of[0], Token)
            and of[0].word == "of"
            and isinstance(of[1], NounPhrase)
            and (_amount(item) or (at == 0 and _side(item, of[1])))
        ):
            first = item.tokens if isinstance(item, NounPhrase) else [item]
            of[1].tokens = [*first, of[0], *of[1].tokens]
            if isinstance(item, NounPhrase) and _amount(item):
                ranks = (*item.described, item.head)
                of[1].described[:0] = [t for t in ranks if t.word in POSITION]
            at += 2
            continue
        folded.append(item)
        at += 1
    return folded


def _side(item: Item, whole: NounPhrase) -> bool:
    """ "the back of the van": a side of a thing that can be found stands for the thing."""
    side = item.place if isinstance(item, NounPhrase) else item.word in POSITION_NOUNS
    return bool(side and whole.thing.classes)


def _amount(item: Item) -> bool:
    if isinstance(item, Token):
        return item.tag == "NUM" or item.word in PARTITIVE
    ranks = item.head.word in POSITION and item.head.word not in POSITION_NOUNS
    return ranks or (not item.place and item.head.word in PARTITIVE)
