"""Words that turn the meaning: how far a "not" reaches, and the many ways to write it.

Two passes over the tokens. ``spelt_out`` gives every way of saying it one word: "not", "no",
"without" or "except". ``scoped`` then marks what a "not" denies: the adjectives, the preposition or
the noun phrase behind it; before a verb it stays, for the verb to carry. Twice denied is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.closed import CLOSED
from cospal_cli.language.lexicon.negative import (
    EVERY,
    NEARLY,
    NOBODY,
    PHRASES,
    PREFIXES,
)
from cospal_cli.language.parser import derived
from cospal_cli.language.parser.tokens import Token

_JOINS = frozenset("or and , nor &".split())
_NONE = ("no", "none", "nothing")
_OPEN = frozenset("in with who that which wearing on at near not without except but".split())
_NOUNS = ("DET", "POSS", "NOUN", "NUM", "PRON")


def spelt_out(tokens: Sequence[Token]) -> list[Token]:
    """Untagged tokens with "no longer" as "not", "sans" as "without", "nobody" as "no person"."""
    spelt: list[Token] = []
    at = 0
    while at < len(tokens):
        size, made = _one(tokens, at)
        spelt += made
        at += size
    return _excepted(_only(spelt))


def _one(tokens: Sequence[Token], at: int) -> tuple[int, list[Token]]:
    """How many tokens from ``at`` on are read, and what they say."""
    token = tokens[at]
    for word, phrases in PHRASES.items():
        for phrase in phrases:
            size = _matches(tokens, at, phrase)
            if size and _fits(tokens, at, word, phrase, size):
                one = replace(token, word=word, end=tokens[at + size - 1].end)
                return size, [replace(one, word="and"), one] if phrase == ("nor",) else [one]
    words = [t.word for t in tokens[at : at + 4]]
    following = words[1] if len(words) > 1 else ""
    if token.word == "got" and at and tokens[at - 1].word in ("has", "have", "had", "not"):
        return 1, []  # "has not got a bag"
    if token.word == "neither" and following != "of" and "nor" in [t.word for t in tokens[at:]]:
        return 1, [replace(token, word="not")]
    if words[:2] == ["nothing", "on"] and words[-1] in ("head", "feet"):
        return 4, [
            replace(token, word="no", end=token.start + 2),
            replace(token, word="hat" if words[-1] == "head" else "shoes", start=token.start + 3),
        ]
    if words[:2] in (["lacks", "a"], ["lacks", "any"], ["lacks", "the"], ["lacks", "his"]):
        return 1, [replace(token, word="has", end=token.end), replace(token, word="no")]
    if words[:2] == ["no", "one"] or token.word in NOBODY:
        size = 2 if words[:2] == ["no", "one"] else 1
        whole = replace(token, end=tokens[at + size - 1].end)
        return size, [replace(whole, word="no"), replace(whole, word="person")]
    if token.word == "all" and following in _OPEN:
        return 1, [token, replace(token, word="ones")]
    if token.word == "non" and following:
        skip = 2 if following == "-" and len(words) > 2 else 1
        return skip + 1, [replace(tokens[at + skip], denied=True, start=token.start)]
    stem = _stem(token.word)
    return 1, [replace(token, word=stem, denied=True) if stem else token]


def _matches(tokens: Sequence[Token], at: int, phrase: Sequence[str]) -> int:
    """How many tokens hold the words of ``phrase``, joined ones counting as one; 0: other words."""
    words: list[str] = []
    for size, token in enumerate(tokens[at : at + len(phrase)], 1):
        words += token.word.split()
        if len(words) >= len(phrase):
            return size if words == list(phrase) else 0
    return 0


def _fits(tokens: Sequence[Token], at: int, word: str, phrase: Sequence[str], size: int) -> bool:
    """Whether the phrase means it here: "missing a shoe" behind a noun, "instead of" a noun."""
    following = tokens[at + size].word if at + size < len(tokens) else ""
    verb = any(tag == "VG" for _, tag in lexicon.verb_readings(following))
    if phrase[0] in ("missing", "minus", "free", "lacking"):
        before = CLOSED.get(tokens[at - 1].word, "") if at else "DET"
        return before not in ("DET", "POSS") and bool(following) and not verb
    if phrase in (("no", "more"), ("anything", "but")):
        return bool(following) and not lexicon.is_noun(following)
    acts = verb or any(tag == "VZ" for _, tag in lexicon.verb_readings(following))
    if phrase in (("instead", "of"), ("rather", "than")):
        return (acts and not lexicon.is_noun(following)) == (word == "not")
    if phrase == ("less",):
        return lexicon.is_adjective(following)
    return bool(following) or at > 0


def _stem(word: str) -> str:
    """ "white" of "non-white", "masked" of "unmasked"; "" for any other word."""
    for prefix in PREFIXES:
        rest = word.removeprefix(prefix)
        if rest == word or len(rest) < 3 or (prefix[-1] != "-" and lexicon.knows(word)):
            continue
        made = derived.worn(rest)
        garment = made is not None and made.kind in ("garment", "accessory")
        acts = prefix == "non-" and any(tag == "VG" for _, tag in lexicon.verb_readings(rest))
        if prefix.startswith("non") and (lexicon.is_adjective(rest) or acts):
            return rest
        if garment or rest in ("masked", "hooded", "dressed", "armed", "bearded", "shaded"):
            return rest
    return ""


def _only(tokens: list[Token]) -> list[Token]:
    """ "Not only a hat but also gloves": both are said."""
    kept: list[Token] = []
    at, both = 0, False
    while at < len(tokens):
        words = tuple(t.word for t in tokens[at : at + 2])
        if words in NEARLY:
            at, both = at + 2, True
            continue
        if both and words[0] == "but":
            kept.append(replace(tokens[at], word="and"))
            at += 2 if words[1:] == ("also",) else 1
            both = False
            continue
        acts = words[0] == "without" and _participle(tokens, at)
        kept.append(replace(tokens[at], word="not") if acts else tokens[at])
        at += 1
    return kept


def _participle(tokens: Sequence[Token], at: int) -> bool:
    """Whether an -ing form of a verb is next: "without wearing a hat"."""
    following = tokens[at + 1].word if at + 1 < len(tokens) else ""
    verb = any(tag == "VG" for _, tag in lexicon.verb_readings(following))
    return verb and not lexicon.is_noun(following)


def _excepted(tokens: list[Token]) -> list[Token]:
    """ "All but the man", "everyone besides her"; "nobody but the man" is the man."""
    kept: list[Token] = []
    for at, token in enumerate(tokens):
        following = tokens[at + 1].word if at + 1 < len(tokens) else ""
        every = any(t.word in EVERY for t in kept[:3])
        if token.word in ("but", "besides", "save", "bar") and every and _opens(following):
            token = replace(token, word="except")
        if token.word == "for" and kept and kept[-1].word == "except":
            continue
        none = next((i for i, t in enumerate(kept[-3:]) if t.word in _NONE), None)
        if token.word == "except" and none is not None:
            del kept[max(len(kept) - 3, 0) + none :]
            continue
        kept.append(token)
    return kept


def _opens(word: str) -> bool:
    return word in ("the", "a", "an", "for", "this", "that", "his", "her", "one", "those", "these")


def scoped(tokens: Sequence[Token]) -> list[Token]:
    """The tagged tokens with what each "not" denies marked; one before a verb stays."""
    marked = _contrasted(list(tokens))
    at = 0
    while at < len(marked):
        if marked[at].tag != "NEG":
            at += 1
            continue
        start = at + 1
        while start < len(marked) and _between(marked, start):
            if marked[start].tag == "ADV":
                start += 1
            else:  # "not so tall", "never, ever"
                del marked[start]
        if start < len(marked) and marked[start].tag == "NEG":  # "not never"
            del marked[start], marked[at]
            continue
        if _deny(marked, start):
            del marked[at]
        else:
            at += 1
    return marked


def _between(tokens: Sequence[Token], at: int) -> bool:
    """Whether the token only stands between "not" and what it denies."""
    following = tokens[at + 1].tag if at + 1 < len(tokens) else ""
    if tokens[at].tag == "PUNCT":
        return following == "ADV"
    return tokens[at].tag == "ADV" or (
        tokens[at].word in ("so", "that", "as", "too", "all") and following == "ADJ"
    )


def _contrasted(tokens: list[Token]) -> list[Token]:
    """ "Not the man but the woman walks": the woman, and not the man."""
    at = next((i for i, t in enumerate(tokens) if t.word == "but"), 0)
    if not tokens or tokens[0].tag != "NEG" or not at or at + 1 >= len(tokens):
        return tokens
    if tokens[at + 1].tag not in _NOUNS:
        return tokens
    except_ = replace(tokens[0], word="except", tag="PREP")
    return [*tokens[at + 1 :], except_, *tokens[1:at]]


def _deny(tokens: list[Token], at: int) -> bool:
    """Mark what stands at ``at`` as denied; False for a verb."""
    if at >= len(tokens):
        return True
    name = tokens[at].tag
    if name in ("ADJ", "POS"):
        _turn_adjectives(tokens, at)
    elif name in ("PREP", "TO", *_NOUNS):
        _turn(tokens, at)
        for later in range(at + 1, len(tokens) - 1):
            if tokens[later].word in ("but", "nor") or tokens[later].verbal:
                break
            if tokens[later].word == "or" and tokens[later + 1].tag in (name, "DET"):
                same = tokens[later + 1].tag == name or name in _NOUNS
                if same:
                    _turn(tokens, later + 1)
    else:
        return name in ("CONJ", "PUNCT", "SUB")
    return True


def _turn(tokens: list[Token], at: int) -> None:
    token = tokens[at]
    if token.word == "without":
        tokens[at] = replace(token, word="with")
    else:
        tokens[at] = replace(token, denied=not token.denied)


def _turn_adjectives(tokens: list[Token], at: int) -> None:
    """ "not black or white", "not tall, dark or thin": all of them."""
    while at < len(tokens) and tokens[at].tag in ("ADJ", "POS"):
        _turn(tokens, at)
        joined = at + 1 < len(tokens) and tokens[at + 1].word in _JOINS
        further = at + 2 < len(tokens) and tokens[at + 2].tag in ("ADJ", "POS")
        at += 2 if joined and further else 1
