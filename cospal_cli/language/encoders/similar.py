"""Words that no list has -> the nearest known ones by MiniLM: classes, appearance, kind of action.

The vectors of the known words are computed once by ``tools/build_word_vectors.py``. Nothing is
loaded before the first unknown word.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from cospal_cli import weights
from cospal_cli.core.errors import WeightsError
from cospal_cli.core.vocabulary import COCO
from cospal_cli.language.encoders.minilm import MiniLM, Vectors
from cospal_cli.language.lexicon import verbs as words_verbs
from cospal_cli.language.lexicon.words import Thing, thing

NOUN = "a {}"  # what a noun is wrapped in, here and in the tool
VERB = "a person {}"
NEAR = 0.55  # cosine above which two wrapped nouns are taken for kin
NEAR_VERB = 0.55
VERBS_AGREE = 4  # of the neighbours: fewer is chance
LOOKS_NEAR = 0.62
AGREE = 0.5  # share of the neighbours' votes that a class needs: rare words find odd neighbours
DOUBT = 0.3  # weight of every other class, as the guess is wrong one time in four
_NEIGHBOURS = 5
# Near every verb whose pieces mean nothing to the model: they vote for no kind.
_HUBS = frozenset("near use get appear behold prance whiz whizz put pout wag veer rove".split())
_SHARP = 12.0  # how much a closer neighbour counts more, per unit of cosine


@cache
def _tables() -> dict[str, np.ndarray]:
    with np.load(weights.path("word_vectors"), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@cache
def _model() -> MiniLM:
    return MiniLM(threads=1, lean=True)


def forget() -> None:
    """Free the model (130 MB) once the sentences are read; the next unknown word loads it anew."""
    _model.cache_clear()


def ready() -> str:
    """ "" if words can be compared here, else why not."""
    try:
        _model()
        _tables()
    except (WeightsError, ImportError) as error:
        return str(error)
    return ""


@cache
def _vector(text: str) -> Vectors:
    return _model().sentence([text])[0]


def _near(text: str, table: str) -> tuple[list[str], Vectors]:
    """The nearest known words, best first, and their cosines."""
    vectors = _tables()[f"{table}_vectors"].astype(np.float32)
    cosines = vectors @ _vector(text)
    order = np.argsort(-cosines, kind="stable")[:_NEIGHBOURS]
    return [str(_tables()[table][row]) for row in order], cosines[order]


@cache
def noun(word: str) -> Thing:
    """What an unknown noun may stand for; without classes and appearance if nothing is near."""
    names, cosines = _near(NOUN.format(word), "nouns")
    if cosines[0] < NEAR:
        return Thing(word, appearance=appearance_of(word), known=False)
    share = np.exp(_SHARP * (cosines - cosines[0]))
    share = share / share.sum()
    votes: dict[str, float] = {}
    alive = 0.0
    for name, part in zip(names, share, strict=True):
        near = thing(name)
        alive += float(part) * near.alive
        for label, weight in near.classes.items():
            votes[label] = votes.get(label, 0.0) + float(part) * weight
    agreed = {label: round(min(vote, 1.0), 3) for label, vote in votes.items() if vote >= AGREE}
    classes = {**dict.fromkeys(COCO, DOUBT), **agreed} if agreed else {}
    return Thing(word, classes, appearance_of(word), alive=alive > 0.5, known=False)


@cache
def appearance_of(word: str) -> dict[int, float]:
    """ImageNet classes named almost like ``word``; weights are cosines."""
    vectors = _tables()["imagenet_vectors"].astype(np.float32)
    cosines = vectors @ _vector(NOUN.format(word))
    order = np.argsort(-cosines, kind="stable")[:3]
    kept = [r for r in order if cosines[r] >= max(LOOKS_NEAR, float(cosines[order[0]]) - 0.05)]
    return {int(row): round(float(cosines[row]), 3) for row in kept}


@cache
def verb(word: str) -> tuple[str, str, float]:
    """(anchor verb, kind, weight < 1) of an unknown verb; ("", "unknown", 0) if none is near."""
    names, cosines = _near(VERB.format(word), "verbs")
    if cosines[0] < NEAR_VERB:
        return "", "unknown", 0.0
    votes = [words_verbs.kinds()[name] for name in names if name not in _HUBS]
    kind = max(votes, key=votes.count, default="unknown")
    if votes.count(kind) < VERBS_AGREE:
        return "", "unknown", 0.0
    anchor = next(name for name in names if words_verbs.kinds()[name] == kind)
    return anchor, kind, round(min(0.9, float(cosines[0])) * 0.8, 3)
