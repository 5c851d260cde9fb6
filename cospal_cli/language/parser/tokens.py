"""Text -> tagged tokens: offsets into the text, fixed phrases joined, one tag each.

Tags are those of ``words_closed``. A word that may be noun or verb is decided by its neighbours,
from left to right, so the result depends on nothing but the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.language.lexicon.closed import CLOSED
from cospal_cli.language.lexicon.dress import POSITION, REGION

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:st|nd|rd|th)?|[^\w\s]|_")
_FINITE = ("VZ", "VD", "AUX")
VERBAL = ("VB", "VZ", "VD", "VN", "VG")
_OPENS = ("DET", "POSS", "ADJ", "NUM", "POS", "GEN")  # a noun must follow
POSITION_NOUNS = frozenset("left right middle center centre front back top bottom rear".split())
_BEHIND = ("PREP", "REL", "AUX", "TO", "NEG", "CONJ")
_ADJECTIVAL = ("ed", "y", "ish", "ful", "ous", "al", "ic", "less", "ing")
_PLURAL_PRONOUNS = frozenset("they we you i".split())


@dataclass(frozen=True)
class Token:
    """A word or mark. ``word`` is lower case; ``start``/``end`` are offsets into the text."""

    word: str
    start: int
    end: int
    tag: str = ""
    lemma: str = ""  # verbs: the base form; nouns: the singular where the lists know it
    known: bool = True
    denied: bool = False  # the sentence says that it is not so

    @property
    def verbal(self) -> bool:
        """Whether it is a form of a verb."""
        return self.tag in VERBAL


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Where words, numbers and marks stand in ``text``; a genitive's 's is one of its own.

    No word list is used, so that what was computed for these words stays valid.
    """
    for match in _WORD.finditer(text):
        start, end = match.span()
        if end - start > 2 and match.group().lower().endswith(("'s", "’s")):
            yield start, end - 2
            start = end - 2
        yield start, end


def tokenize(text: str) -> list[Token]:
    """Words, numbers and marks of ``text`` with their offsets, fixed phrases joined."""
    tokens: list[Token] = []
    for start, end in spans(text):
        word = text[start:end].lower().replace("’", "'")
        if word[0].isalpha() and "-" in word and not lexicon.knows(word):
            tokens.extend(_split_hyphens(word, start))
        else:
            tokens.append(Token(word, start, end))
    return _join(tokens)


def _split_hyphens(word: str, start: int) -> list[Token]:
    """ "soccer-ball" -> "soccer", "ball"; a compound of unknown parts stays whole."""
    parts = word.split("-")
    if lexicon.is_noun("".join(parts)):  # "pick-up", "sail-boat"
        return [Token("".join(parts), start, start + len(word))]
    derived = parts[-1].endswith(("ed", "ing")) or parts[0].endswith("ed")  # "rolled-up"
    counted = CLOSED.get(parts[0]) == "NUM"  # "two-storey"
    if derived or counted or not all(lexicon.knows(part) for part in parts):
        return [Token(word, start, start + len(word))]
    split = []
    for part in parts:
        split.append(Token(part, start, start + len(part)))
        start += len(part) + 1
    return split


def _join(tokens: list[Token]) -> list[Token]:
    phrases = lexicon.phrases()
    joined: list[Token] = []
    at = 0
    while at < len(tokens):
        for size in (4, 3, 2, 1):
            part = tokens[at : at + size]
            words = [token.word for token in part]
            lemmas = (*words[:-1], lexicon.noun_lemma(words[-1]))
            compound = "-".join(words)
            plain = len(part) == 2 and words[0] not in CLOSED and "-" not in words[0]
            made = compound if plain and lexicon.is_compound(compound) else lexicon.solid(words)
            listed = {tuple(words), lemmas} & phrases
            if size == 2 and made and not listed:
                joined.append(Token(made, part[0].start, part[-1].end))
                at += size
                break
            if size == 1 or (len(part) == size and listed):
                joined.append(Token(" ".join(words), part[0].start, part[-1].end))
                at += len(part)
                break
    return joined


def tag(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with tag, lemma and whether a list knows the word."""
    done: list[Token] = []
    for at, token in enumerate(tokens):
        rest = tokens[at + 1 :]
        name, lemma, known = _decide(token.word, done, rest)
        done.append(replace(token, tag=name, lemma=lemma or token.word, known=known))
    return done


def _decide(word: str, done: list[Token], rest: Sequence[Token]) -> tuple[str, str, bool]:
    """Tag, lemma and whether the word is known."""
    following = rest[0].word if rest else ""
    if not word[0].isalnum() and word != "'s" and word != "&":
        return "PUNCT", "", True
    if word[0].isdigit():
        return ("POS" if word[-1].isalpha() else "NUM"), "", True
    closed = _closed(word, done, following)
    if closed:
        return closed, "", True
    if word in POSITION:
        return _position(word, done, rest)
    readings = lexicon.verb_readings(word)
    noun = lexicon.is_noun(word)
    if readings and _as_verb(word, readings, done, rest, noun):
        return _verb(word, readings, done, rest)
    bare = {name for _, name in readings} & {"VB"} and not noun
    if before_opens(done) and bare and not lexicon.is_adjective(word):
        return "NOUN", word, True  # "with a white sail"
    if noun and not readings and _agrees(word, done, following):
        return "VZ", lexicon.noun_lemma(word), False  # "the spaniel | laps at its bowl"
    acts = lexicon.thing(word).alive and _acts(following)  # "a camel | watches"
    if not acts and lexicon.is_thing_colour(word, _garment_ahead(rest)):
        return "ADJ", word, True
    if lexicon.is_colour(word) or lexicon.is_tone(word, following):
        fruit = word == "orange" and _before(done) == "DET" and not _may_be_noun(following)
        return ("NOUN", word, True) if fruit else ("ADJ", word, True)
    if noun and not (lexicon.is_adjective(word) and _may_be_noun(following)):
        return "NOUN", lexicon.noun_lemma(word), True
    if lexicon.is_adjective(word):
        return "ADJ", word, True
    return _guess(word, done, following)


def _garment_ahead(rest: Sequence[Token]) -> str:
    """The next word that is not an adjective."""
    words = (t.word for t in rest if not lexicon.is_adjective(t.word) or lexicon.is_noun(t.word))
    return next(words, "")


def _closed(word: str, done: list[Token], following: str) -> str:
    """The tag of a function word, or "" for a content word."""
    before = done[-1] if done else None
    name = CLOSED.get(word, "")
    if word == "'s":
        opens = following in CLOSED or not following or lexicon.verb_readings(following)
        return "AUX" if opens and not _may_be_noun(following) else "GEN"
    if word == "that":
        return "REL" if before and before.tag in ("NOUN", "PRON", "ADJ", "POS") else "DET"
    if word in ("who", "which"):
        return "REL" if before and before.tag not in ("PUNCT", "DET") else "WH"
    if word == "whose" and before is None:
        return "WH"
    if word in ("those", "these") and (CLOSED.get(following) in _BEHIND or not following):
        return ""  # "those in red"
    if word == "what" and before:
        return "PRON"
    if word == "another":
        return "DET" if _may_be_noun(following) or lexicon.is_adjective(following) else "PRON"
    if word == "her":
        return "POSS" if _may_be_noun(following) or lexicon.is_adjective(following) else "PRON"
    if word in ("back", "down", "up") and before and before.tag in _OPENS:
        return ""
    if word == "back" and before and before.tag == "PREP" and lexicon.is_noun(following):
        return ""  # "through the back door"
    if name == "AUX" and word == "can" and before and before.tag in _OPENS:
        return ""
    if word == "like" and before and before.tag in ("TO", "AUX"):
        return ""
    if word == "inside" and before and before.tag == "DET":
        return ""
    return name


def _position(word: str, done: list[Token], rest: Sequence[Token]) -> tuple[str, str, bool]:
    """Words of place: adjective, noun of place, particle after a verb, or the verb "left"."""
    following = rest[0].word if rest else ""
    before = _before(done)
    ends = not following or not following[0].isalnum() or CLOSED.get(following) in ("DET", "POSS")
    past = before in ("CONJ", "PUNCT") and any(t.tag == "VD" for t in done)
    if word == "top" and _before(done) in ("ADJ", "NOUN") and _names_top(done, following):
        return "NOUN", word, True
    if word == "left" and (past or before in ("NOUN", "PRON")) and ends and not _awaits_noun(done):
        if len(done) > 1 and done[-2].verbal:  # "exits stage left"
            return "PRT", word, True
        said = any(t.tag in ("DET", "POSS", "PRON") for t in done)
        return ("VD", "leave", True) if said else ("POS", word, True)  # "black van left"
    if word in ("back", "right", "left") and before in VERBAL:
        return "PRT", word, True
    starts = not done and _may_be_noun(following)  # "first person to appear"
    if word in ("first", "last") and before not in _OPENS and not starts:
        return "ADV", word, True
    acts = any(name == "VZ" for _, name in lexicon.verb_readings(following))
    if _may_be_noun(following) and not (word in POSITION_NOUNS and acts):
        return "POS", word, True
    if before in ("DET", "POSS", "PREP", "TO", "POS", "ADJ") or not done:
        return "NOUN", word, True
    return ("PRT" if word in POSITION_NOUNS else "POS"), word, True


def _names_top(done: list[Token], following: str) -> bool:
    """Whether "top" is the garment: "orange top moving cups", not "the red top shelf"."""
    cloth = done[-1].tag == "ADJ" or lexicon.thing(done[-1].word).region
    return bool(cloth) and (not lexicon.is_noun(following) or _acts(following))


def _acts(word: str) -> bool:
    """Whether a verb's -s or -ing form is written so: "walks", "moving"."""
    return bool({name for _, name in lexicon.verb_readings(word)} & {"VZ", "VG"})


def _awaits_noun(done: list[Token]) -> bool:
    return bool(done) and done[-1].tag in _OPENS


def before_opens(done: list[Token]) -> bool:
    """Whether a determiner or an adjective stands just before, so that a noun must follow."""
    if not done or done[-1].tag not in ("DET", "POSS", "GEN", "ADJ"):
        return False
    return not (len(done) > 1 and done[-2].word == "in" and lexicon.is_colour(done[-1].word))


def _before(done: list[Token]) -> str:
    """Tag of the last token that is not an adverb."""
    return next((token.tag for token in reversed(done) if token.tag not in ("ADV", "NEG")), "")


def _may_be_noun(word: str) -> bool:
    """Whether a noun phrase may go on with ``word``."""
    if not word or not word[0].isalnum() or word in CLOSED or word == "that":
        return False
    return lexicon.is_noun(word) or lexicon.is_adjective(word) or not lexicon.knows(word)


def _as_verb(
    word: str,
    readings: tuple[tuple[str, str], ...],
    done: list[Token],
    rest: Sequence[Token],
    noun: bool,
) -> bool:
    """Whether a verb's form, perhaps in the noun lists too, is a verb at this place."""
    before, tags = _before(done), {name for _, name in readings}
    if not noun:
        return not (before_opens(done) and "VB" in tags)
    following = rest[0].word if rest else ""
    last = done[-1] if done else None
    if before in _OPENS:
        bare = last is not None and lexicon.is_colour(last.word) and len(done) > 1
        coloured = bare and done[-2].tag in ("PREP", "AUX") and "VZ" in tags  # "in red | waves"
        placed = last is not None and last.tag == "NOUN"
        return bool(placed or (coloured and word not in REGION))
    if "VB" in tags and _both_named(done):
        return True  # "a man and a woman | walk"
    if last is not None and (before == "NUM" or (before == "NOUN" and last.word == "one")):
        counted = before == "NUM" or len(done) < 2 or done[-2].tag not in _OPENS
        if counted and not _may_act(done):
            return False  # "with one hand", "two steps"
    if before in ("NOUN", "PRON", "REL", "NUM", "WH"):
        plural = last is not None and (
            last.word in _PLURAL_PRONOUNS or (before == "NOUN" and lexicon.may_be_plural(last.word))
        )
        agrees = plural or before == "REL"
        base = agrees or (not _may_be_noun(following) and not _determined(done))
        return bool(tags & {"VZ", "VD", "VG", "VN"}) or base
    if before in ("AUX", "TO"):
        return bool(tags & {"VB", "VG", "VN"}) and not (
            before == "TO" and lexicon.is_noun(word) and "VB" not in tags
        )
    if before in ("CONJ", "PUNCT", "PRT", "SUB"):
        opens = not _may_be_noun(following) or CLOSED.get(following, "") != ""
        if "VZ" in tags:
            return opens
        chain = next((token.tag for token in reversed(done) if token.verbal), "")
        return bool(tags & {"VG", "VD"}) or (chain == "VB" and opens)
    if before in ("VG", "VD", "VN") and any(t.tag == "REL" for t in done):
        return "VZ" in tags and not _may_be_noun(following)  # "who is laughing | walks"
    if not done:
        return "VG" in tags or CLOSED.get(following) in ("TO", "PRT")
    return before in ("", "ADV") and bool(tags & {"VZ", "VD", "VG"}) and bool(done)


def _both_named(done: list[Token]) -> bool:
    """Whether all before is two nouns joined by "and"."""
    tags = [t.tag for t in done if t.tag not in ("DET", "ADJ", "POSS")]
    return tags == ["NOUN", "CONJ", "NOUN"]


def _agrees(word: str, done: list[Token], following: str) -> bool:
    """Whether a plural noun right behind "the ..." is a verb in truth."""
    plural = word.endswith("s") and lexicon.noun_lemma(word) != word
    opens = CLOSED.get(following) in ("DET", "POSS") or following in ("at", "into", "towards")
    return plural and opens and _before(done) == "NOUN" and _determined(done)


def _determined(done: list[Token]) -> bool:
    """Whether the noun before belongs to a phrase with "a" or "the": "a crimson dickie | bow"."""
    if any(token.word in ("does", "do", "did") for token in done):
        return False  # "what does the adult | ride"
    for token in reversed(done):
        if token.tag not in (*_OPENS, "NOUN"):
            return False
        if token.tag in ("DET", "POSS"):
            return True
    return False


def _may_act(done: list[Token]) -> bool:
    """Whether "two" or "one" itself may be the subject: at the start, "the one", "one walks"."""
    return len(done) == 1 or done[-2].tag in ("DET", "PUNCT", "CONJ", "REL")


def _verb(
    word: str, readings: tuple[tuple[str, str], ...], done: list[Token], rest: Sequence[Token]
) -> tuple[str, str, bool]:
    """The reading of a verb form; a participle before a noun is an adjective."""
    before = _before(done)
    following = rest[0].word if rest else ""
    names = {name: verb for verb, name in reversed(readings)}
    opens = before_opens(done) or before in ("NUM", "POS") or not done  # not "in black | shaking"
    modifies = _may_be_noun(following) and opens
    modifies = modifies or ("VG" in names and _dangles(done, following))
    if modifies and {"VG", "VN"} & set(names):
        return "ADJ", names.get("VG") or names["VN"], True
    if before == "AUX" or (done and done[-1].word in ("gets", "got", "get")):
        order: tuple[str, ...] = ("VG", "VN", "VB", "VD", "VZ")
    elif before in ("TO", "NEG"):
        order = ("VB", "VG", "VN", "VZ", "VD")
    else:
        order = ("VZ", "VD", "VG", "VB", "VN")
    name = next(tag for tag in order if tag in names)
    return name, names[name], True


def _guess(word: str, done: list[Token], following: str) -> tuple[str, str, bool]:
    """A word of no list, by its shape and its neighbours."""
    before = _before(done)
    stem = word.removesuffix("ing") if len(word) > 5 and "-" not in word else word
    if word.endswith("ly") and len(word) > 4 and before not in _OPENS:
        return "ADV", word, True
    opened = before in ("DET", "POSS", "ADJ", "GEN") or _dangles(done, following)
    if stem != word and not opened:
        return "VG", stem, False
    ends = CLOSED.get(following, "") in ("PREP", "PRT", "TO", "DET", "POSS", "ADV", "PRON", "CONJ")
    ends = ends or not following or not following[0].isalnum()
    participle = word.endswith("ed") and len(word) > 4 and "-" not in word
    if participle and before == "PUNCT" and CLOSED.get(following) == "PREP":
        return "VN", word.removesuffix("ed"), False
    if before in ("NOUN", "PRON", "REL", "AUX", "WH") and ends:
        if participle:
            return ("VN" if before == "AUX" else "VD"), word.removesuffix("ed"), False
        if word.endswith("s") and not word.endswith("ss") and before != "AUX":
            return "VZ", word.removesuffix("s"), False
    if before in ("CONJ", "ADV") and ends and word.endswith("s") and _verbs_so_far(done):
        return "VZ", word.removesuffix("s"), False
    opens = before in ("DET", "POSS", "ADJ", "", "PREP", "NUM", "POS", "PUNCT", "CONJ")
    shaped = _may_be_noun(following) and word.endswith(_ADJECTIVAL)
    if opens and not _acts(following) and (shaped or _describes_next(word, following)):
        return "ADJ", word, False
    return "NOUN", lexicon.noun_lemma(word), False


def _describes_next(word: str, following: str) -> bool:
    """Whether an unknown word right before a known noun or adjective only describes it."""
    if lexicon.noun_lemma(word) != word:  # plurals are heads
        return False
    return lexicon.is_noun(following) or lexicon.is_adjective(following)


def _dangles(done: list[Token], following: str) -> bool:
    """ "with flashing blue lights", "in flowing robes": the -ing form describes what follows."""
    if not done or done[-1].word not in ("with", "in"):
        return False
    bare = any(name == "VB" for _, name in lexicon.verb_readings(following))
    return bare or lexicon.is_noun(following) or lexicon.is_adjective(following)


def _verbs_so_far(done: list[Token]) -> bool:
    return any(token.tag in _FINITE or token.verbal for token in done)
