"""What trained heads read of a sentence: CRG's global and local queries, word by word.

A sentence is refined to a bag of content words (global) and its subject with each verb phrase
(local). Each of these texts is encoded by itself; a query joins the words of two of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cospal_cli.core.errors import InputError
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.phrases import Phrase, Phrases, WordVectors
from cospal_cli.core.query import Query
from cospal_cli.language.encoders.text import TextEncoder
from cospal_cli.language.lexicon.closed import CLOSED
from cospal_cli.language.parser.parse import MAX_PHRASES
from cospal_cli.language.parser.tokens import spans

WORD_QUERIES = 16  # most words of a sentence that ask by themselves
_ADVERBS = ("ADV", "PRT")  # closed classes that describe the action: "quickly", "down"
_QUESTION = frozenset("who what which whose whom".split())
_FORM = '{"id", "text", "global": "man white sits", "local": ["..."], "referral": ["man"], "verbs"}'


@dataclass(frozen=True)
class Refined:
    """A sentence's parse; a line of a ``texts`` file, which any other parser may write instead."""

    text: str  # the sentence, verbatim
    global_text: str  # "man white bends looks sits"
    local_texts: tuple[str, ...]  # "the man in white clothes bends down", ...: one to five
    referral_words: tuple[str, ...]  # nouns and adjectives of whoever is meant: "man", "white"
    verbs: int  # actions that the sentence names
    subject: str = ""  # "the man in white clothes": where those words count; "": anywhere

    @cached_property
    def names(self) -> frozenset[str]:
        """The referral's words as texts hold them, compounds and their parts."""
        words = [_plain(word) for word in self.referral_words]
        return frozenset(words).union(*map(_parts, words))

    @cached_property
    def head(self) -> list[str]:
        """The subject's words."""
        return words_in(self.subject)

    def as_dict(self) -> JsonDict:
        """Plain values for JSON."""
        return {
            "text": self.text,
            "global": self.global_text,
            "local": list(self.local_texts),
            "referral": list(self.referral_words),
            "verbs": self.verbs,
            "subject": self.subject,
        }

    @classmethod
    def from_dict(cls, values: Json) -> Refined:
        """From JSON's values; ValueError says what is wrong. ``subject`` may be left out."""
        text, whole, subject = values.get("text"), values.get("global"), values.get("subject", "")
        local, referral, verbs = values.get("local"), values.get("referral"), values.get("verbs")
        if not all(isinstance(value, str) for value in (text, whole, subject)):
            raise ValueError(
                f"'text', 'global' and 'subject' must be text; a line looks like {_FORM}"
            )
        if not _texts(local) or not _texts(referral) or type(verbs) is not int or verbs < 0:
            raise ValueError(
                f"'local' and 'referral' must be lists of text, 'verbs' a number; a line "
                f"looks like {_FORM}"
            )
        assert isinstance(text, str)
        assert isinstance(whole, str)
        assert isinstance(local, list)
        assert isinstance(referral, list)
        kept = tuple(one for one in local if _spoken(one))[:MAX_PHRASES]
        whole = whole if _spoken(whole) else text
        return cls(text, whole, kept or (text,), tuple(referral), verbs, subject)


def refine(query: Query) -> Refined:
    """The texts that the heads read for a parsed sentence."""
    alone = query.text if query.verbs else query.referral  # no verb phrase was understood
    return Refined(
        text=query.text,
        global_text=" ".join(query.global_words) or query.text,
        local_texts=query.local_phrases[:MAX_PHRASES] or (alone or query.text,),
        referral_words=tuple(dict.fromkeys((*query.nouns, *query.adjectives))),
        verbs=max(len(query.verbs), len(query.local_phrases)),  # "walks in and walks out" is two
        subject=query.referral,
    )


def verbatim(text: str) -> Refined:
    """The parse of a sentence that cannot be parsed: the sentence is everything."""
    return Refined(text, text, (text,), (), 0)


def texts_of(refined: Refined) -> tuple[str, ...]:
    """Every text that must be encoded for ``refined``, each once."""
    return tuple(dict.fromkeys((refined.text, refined.global_text, *refined.local_texts)))


def words_alone(refined: Refined) -> tuple[str, ...]:
    """Every word behind the subject of a sub-phrase, to be encoded by itself, each once."""
    return tuple(dict.fromkeys(word for part in _behind(refined) for word in part))


def phrases(refined: Refined, encoder: TextEncoder, max_words: int) -> Phrases:
    """The words of ``refined`` with their vectors; of each phrase at most ``max_words``."""
    return phrases_of([refined], encoder, max_words)[0]


def phrases_of(many: Sequence[Refined], encoder: TextEncoder, max_words: int) -> list[Phrases]:
    """``phrases`` of each, every distinct text encoded once."""
    every = (text for one in many for text in (*texts_of(one), *words_alone(one)))
    texts = list(dict.fromkeys(every))
    words = dict(zip(texts, encoder.words_of(texts), strict=True))
    return [join(refined, words, max_words) for refined in many]


def join(refined: Refined, words: Mapping[str, WordVectors], max_words: int) -> Phrases:
    """The same, given the ``words`` of each of its texts. InputError for a sentence of none.

    Without words encoded alone, as in folders of 0.1.0, there are no ``acts``.

    ``refined`` and ``passes`` are <global : local>, one after the other; where all local texts are
    joined, the subject that they share is read once.
    """
    sentence = _read(refined.text, words, refined)
    if not len(sentence):
        raise InputError(
            f"the text encoder cannot read any word of {refined.text!r:.200}",
            "write it in English words",
        )
    whole = _read(refined.global_text, words, refined)
    local = [_read(text, words, refined) for text in refined.local_texts]
    rest = [_from(one, _shared(one, local[0], refined.head)) for one in local[1:]]
    return Phrases(
        _joined([sentence], max_words),
        _joined([whole, *local[:1], *rest], max_words),
        tuple(_joined([whole, one], max_words) for one in local),
        _acts(refined, words, max_words),
    )


def moment_queries(acts: Sequence[Phrase], queries: str) -> tuple[Phrase, ...]:
    """What asks for a moment of its own: see ``TemporalConfig.queries``."""
    if queries == "phrases" or not acts:
        return tuple(acts)
    whole = _joined(acts, sum(map(len, acts)))
    if queries == "sentence":
        return (whole,)
    kept = np.flatnonzero(whole.content) if whole.content.any() else range(len(whole))
    return tuple(_cut(whole, slice(at, at + 1)) for at in kept[:WORD_QUERIES])


def _behind(refined: Refined) -> list[list[str]]:
    """The words of each sub-phrase behind its subject; none where no verb was understood."""
    found = []
    for text in refined.local_texts if refined.verbs else ():
        words, size = words_in(text), len(refined.head)
        rest = words[size:] if words[:size] == refined.head else words
        found.append(rest or words)
    return found


def _acts(refined: Refined, words: Mapping[str, WordVectors], max_words: int) -> tuple[Phrase, ...]:
    if not all(word in words for word in words_alone(refined)):
        return ()
    return tuple(_alone(part[:max_words], words) for part in _behind(refined))


def _alone(names: Sequence[str], words: Mapping[str, WordVectors]) -> Phrase:
    """Words each by itself; one in several pieces ("t-shirt") is their mean."""
    vectors = [np.asarray(words[name].vectors, np.float32) for name in names]
    means = [one.mean(axis=0) if len(one) else np.zeros(one.shape[1:]) for one in vectors]
    return Phrase(
        tuple(names),
        np.array(means, np.float32),
        np.zeros(len(names), bool),
        np.array([_content(name) for name in names], bool),
    )


def _read(text: str, words: Mapping[str, WordVectors], refined: Refined) -> Phrase:
    """The words of one text, without punctuation."""
    phrase = words[text]
    shown = [_plain(text[start:end]) for start, end in phrase.spans]
    kept = [at for at, word in enumerate(shown) if _spoken(word)]
    names = tuple(shown[at] for at in kept)
    return Phrase(
        words=names,
        vectors=np.asarray(phrase.vectors[kept], np.float32),
        referral=np.array(_meant(names, refined), bool),
        content=np.array([_content(word) for word in names], bool),
    )


def _meant(words: Sequence[str], refined: Refined) -> list[bool]:
    """Which words say who is meant: the referral's, within the subject where it is found.

    A word of the referral that is not there may hide behind a wh-word: "who" for the "person".
    """
    names = refined.names
    flags = [word in names or ("-" in word and _parts(word) <= names) for word in words]
    start, end = _stretch(words, refined.head)
    flags = [flag and start <= at < end for at, flag in enumerate(flags)]
    if _QUESTION.intersection(words[:2]):
        seen = {part for word in words for part in _parts(word)}
        hidden = {part for name in names for part in _parts(name)} - seen
        for at, word in enumerate(words[:2]):
            flags[at] |= bool(hidden) and word in _QUESTION
    return flags


def _stretch(words: Sequence[str], part: Sequence[str]) -> tuple[int, int]:
    """Where ``part`` stands in ``words``, half-open; everywhere if it does not."""
    size = len(part)
    for start in range(len(words) - size + 1 if size else 0):
        if words[start] == part[0] and list(words[start : start + size]) == list(part):
            return start, start + size
    return 0, len(words)


def _shared(phrase: Phrase, first: Phrase, head: list[str]) -> int:
    """How many words ``phrase`` begins with that were read in ``first`` already: the subject.

    Where the subject is not given, what both begin with, up to the last word that says who.
    """
    if head and list(phrase.words[: len(head)]) == head == list(first.words[: len(head)]):
        return len(head)
    same = 0
    for one, other in zip(phrase.words, first.words, strict=False):
        if one != other:
            break
        same += 1
    meant = np.flatnonzero(phrase.referral[:same])
    return int(meant[-1]) + 1 if len(meant) else 0


def _from(phrase: Phrase, start: int) -> Phrase:
    return _cut(phrase, slice(start, None))


def _cut(phrase: Phrase, part: slice) -> Phrase:
    return Phrase(
        phrase.words[part], phrase.vectors[part], phrase.referral[part], phrase.content[part]
    )


def _joined(parts: Sequence[Phrase], max_words: int) -> Phrase:
    """The phrases one after the other, cut behind ``max_words``."""
    whole = Phrase(
        tuple(word for part in parts for word in part.words),
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.referral for part in parts]),
        np.concatenate([part.content for part in parts]),
    )
    return _cut(whole, slice(max_words))


def _content(word: str) -> bool:
    """Whether a word is a noun, verb, adjective or adverb, as far as the lists say."""
    return not word[0].isdigit() and CLOSED.get(word, "ADV") in _ADVERBS


def words_in(text: str) -> list[str]:
    """The words of ``text`` as phrases hold them: lower case, without punctuation."""
    plain_words = [_plain(text[start:end]) for start, end in spans(text)]
    return [word for word in plain_words if _spoken(word)]


def _plain(word: str) -> str:
    return word.lower().replace("’", "'")


def _parts(word: str) -> set[str]:
    """ "light-blue" and "light blue" are two words."""
    return {part for part in word.replace("-", " ").split() if part}


def _spoken(text: str) -> bool:
    return any(letter.isalnum() for letter in text)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
