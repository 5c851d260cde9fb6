"""The text that a prompted detector reads for a query, and what each of its tokens belongs to.

    the man in white, then he sits. person. chair.
    └──────────── caption ────────┘ └── categories ┘

Grounding DINO attends only within the blocks between points: the caption and every category are
read as if they were alone, in one forward pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.query import Query

Span = tuple[int, int]  # half-open, in characters
Offsets = Callable[[str], Sequence[Span]]  # text -> each token's span, (0, 0) for added ones
_WORD = re.compile(r"\w(?:[^\s,;:/()\"]*\w)?")
_QUESTION = frozenset("who whom whose what which".split())
_POSSESSIVE = re.compile(r"['’]s?$")


@dataclass(frozen=True)
class Prompt:
    """``text`` and the places of its parts in it.

    ``words`` are the caption's, with a span each; ``referral`` counts in them: those that say who
    is meant. ``classes`` are what the boxes' labels count in, the subject first, each with a span
    unless the prompt is the caption alone.
    """

    text: str
    caption: Span
    words: tuple[str, ...]
    word_spans: tuple[Span, ...]
    referral: tuple[int, ...]
    classes: tuple[str, ...]
    class_spans: tuple[Span, ...]


def build(query: Query, kind: str, offsets: Offsets, limit: int) -> Prompt:
    """The prompt of ``query``: its sentence ("caption"), its nouns ("category"), or "both".

    ``offsets`` is the model's tokenizer, ``limit`` the number of tokens that the model reads: the
    caption loses words at its end to fit, and what then still does not fit are the last nouns.
    """
    caption = "" if kind == "category" else _tidy(query.text)
    classes = categories(query)[: 1 if kind == "caption" else None]
    while True:
        prompt = _assemble(query, caption, classes, named=kind != "caption" or not caption)
        tokens = offsets(prompt.text)
        excess = len(tokens) - limit
        if excess <= 0 or (not caption and len(classes) == 1):
            return prompt
        if caption:
            caption = _shortened(caption, tokens, excess)
        else:
            classes = classes[:-1]


def categories(query: Query) -> tuple[str, ...]:
    """The nouns to look for: the subject's class, then those of the other things, once each."""
    names = [_category(query.subject, query.classes)]
    names += [_category(noun, classes) for noun, classes in query.context.items()]
    return tuple(dict.fromkeys(name for name in names if name)) or ("object",)


def cover(tokens: Sequence[Span], spans: Sequence[Span]) -> NDArray[np.bool_]:
    """Matrix (S, N): whether each token, by its span, lies in each of ``spans``, or partly."""
    token = np.array(tokens, np.int64).reshape(-1, 1, 2)
    span = np.array(spans, np.int64).reshape(1, -1, 2)
    inside: NDArray[np.bool_] = (token[..., 0] < span[..., 1]) & (token[..., 1] > span[..., 0])
    return inside


def best_of(scores: FloatArray, members: NDArray[np.bool_]) -> FloatArray:
    """Maximum of ``scores`` (D, S) over the tokens of each of N groups, (D, N).

    ``members`` (S, N); 0 for a group without tokens.
    """
    columns = [scores[:, tokens].max(axis=1, initial=0) for tokens in members.T]
    return np.stack(columns, axis=1) if columns else np.zeros((len(scores), 0), np.float32)


def phrases(
    token_scores: FloatArray, words: Sequence[str], text_threshold: float = 0.4
) -> list[str]:
    """Each box's words, those of a score above ``text_threshold``, in the sentence's order.

    ``token_scores`` (D, W) as in ``Detections``, for the W ``words`` of the prompt.
    """
    said = token_scores > np.float32(text_threshold)
    return [" ".join(np.array(words, object)[row].tolist()) for row in said]


def _tidy(text: str) -> str:
    """``text`` as one block: lower case, and no point or question mark inside it."""
    return re.sub(r"[.?]+", ",", text.lower()).strip(" \t\r\n,;:!")


def _category(noun: str, classes: Mapping[str, float]) -> str:
    """The one class that ``noun`` means most, or the noun itself where none or several are."""
    heaviest = max(classes.values(), default=0.0)
    best = [name for name, weight in classes.items() if weight == heaviest]
    return best[0] if len(best) == 1 else _tidy(noun)


def _assemble(query: Query, caption: str, classes: tuple[str, ...], named: bool) -> Prompt:
    """Caption and categories in one text; ``named``: whether the categories stand in it."""
    parts = ([caption] if caption else []) + (list(classes) if named else [])
    starts = np.cumsum([0, *(len(part) + 2 for part in parts)]).tolist()
    spans = [(start, start + len(part)) for start, part in zip(starts, parts, strict=False)]
    matches = list(_WORD.finditer(caption)) or list(re.finditer(r"\S+", caption))
    words = tuple(match.group() for match in matches)
    return Prompt(
        text=". ".join(parts) + ".",
        caption=(0, len(caption)),
        words=words,
        word_spans=tuple(match.span() for match in matches),
        referral=_referral(query, words),
        classes=classes,
        class_spans=tuple(spans[len(parts) - len(classes) :]) if named else (),
    )


def _referral(query: Query, words: Sequence[str]) -> tuple[int, ...]:
    """Which of ``words`` say who is meant: the nouns and adjectives of the referral phrase.

    Without any, all of its words; where the phrase is not in the sentence, these words wherever
    they are, then the question word, then every word.
    """
    terms = {part for term in (*query.nouns, *query.adjectives) for part in term.lower().split()}
    content = {i for i, word in enumerate(words) if {word, _POSSESSIVE.sub("", word)} & terms}
    phrase = [match.group() for match in _WORD.finditer(query.referral.lower())]
    for start in range(len(words) - len(phrase) + 1) if phrase else ():
        if list(words[start : start + len(phrase)]) == phrase:
            inside = range(start, start + len(phrase))
            return tuple(sorted(content.intersection(inside)) or inside)
    questions = [i for i, word in enumerate(words) if word in _QUESTION]
    return tuple(sorted(content) or questions or range(len(words)))


def _shortened(caption: str, tokens: Sequence[Span], excess: int) -> str:
    """``caption`` without its last ``excess`` tokens, cut between words where it has any."""
    inside = [span for span in tokens if span != (0, 0) and span[1] <= len(caption)]
    end = inside[-excess - 1][1] if len(inside) > excess else 0
    space = caption.rfind(" ", 0, end + 1)
    return caption[: space if space > 0 else end].rstrip(" ,;:")
