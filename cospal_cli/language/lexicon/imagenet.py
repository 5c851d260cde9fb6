"""ImageNet-1k's own class names as a word list: rare animals, boats, tools and garments."""

from __future__ import annotations

from functools import cache

from cospal_cli.core.errors import WeightsError
from cospal_cli.language.lexicon import appearance as words_appearance
from cospal_cli.language.lexicon import words as lexicon
from cospal_cli.weights import imagenet

# First and last index of a family -> the noun that its members are kinds of.
_FAMILIES = (
    (7, 24, "bird"), (80, 100, "bird"), (127, 146, "bird"), (151, 268, "dog"), (269, 280, "wolf"),
    (281, 285, "cat"), (286, 293, "lion"), (294, 297, "bear"), (330, 332, "rabbit"),
    (345, 347, "cow"), (348, 350, "goat"), (351, 353, "deer"), (365, 382, "monkey"),
    (385, 386, "elephant"),
)  # fmt: skip


@cache
def names() -> dict[str, int]:
    """Every name of the 1,000 classes, lower case -> its index; the first class wins."""
    try:
        classes = imagenet.names()
    except WeightsError:  # the parser works without; appearance itself will say what is missing
        return {}
    indices: dict[str, int] = {}
    for index, line in enumerate(classes):
        for name in line.lower().split(","):
            indices.setdefault(name.strip(), index)
    return indices


@cache
def _nouns_of() -> dict[int, str]:
    """Class index -> a noun of the lists that looks like it and has detector classes."""
    nouns: dict[int, str] = {}
    for noun, classes in words_appearance.table().items():
        if lexicon.thing(noun).classes:
            for index in (i for i, weight in classes.items() if weight == 1):
                nouns.setdefault(index, noun)
    return nouns


def thing(word: str) -> lexicon.Thing | None:
    """What a noun stands for that is a class's name ("weimaraner"), or None if it is not."""
    index = names().get(word)
    if index is None:
        return None
    family = next((noun for low, high, noun in _FAMILIES if low <= index <= high), "")
    kin = lexicon.thing(family or _nouns_of().get(index, word))
    return lexicon.Thing(
        word, dict(kin.classes), {index: 1.0}, alive=kin.alive, mover=kin.mover, known=False
    )
