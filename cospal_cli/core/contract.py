"""The contract of the heads, declared once: what goes in and comes out by name, axes and kind.

A name is a field of ``GroundingInputs`` or ``GroundingScores``, a key of a collated batch, a
keyword argument of the model, and an input or output of its exported graph. Checks of shapes,
example inputs, the graph's open axes and TensorRT's profiles all follow from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

BATCH = "B"  # stands before the axes of a batch


class Axis(NamedTuple):
    """An axis of open length."""

    meaning: str
    example: int  # its length when a graph is traced; 1 would make it of fixed length
    profile: tuple[int, int, int]  # least, usual and most in a TensorRT engine


class Field(NamedTuple):
    """An array of the contract."""

    axes: str  # the open axes, without the batch's: letters of ``AXES``
    kind: str  # of its dtype, as NumPy names it: f, b or i
    width: str | int | None = None  # of a last, fixed axis: its length, or which of ``Sizes``


AXES = {
    BATCH: Axis("pairs of a video and a query", 2, (1, 1, 8)),
    "K": Axis("tubelets", 3, (1, 10, 64)),
    "T": Axis("times", 4, (1, 32, 64)),
    "C": Axis("clips", 5, (1, 200, 512)),
    "N": Axis("words", 6, (1, 12, 64)),
    "P": Axis("proposals", 2, (1, 8, 64)),
}
ABSENT = -9.0  # of a curve where its tubelet is not there, or its sub-phrase does not exist
HEAD_INPUTS = {
    "tubelets": Field("KT", "f", "tubelets"),
    "tubelet_mask": Field("KT", "b"),
    "clips": Field("C", "f", "clips"),
    "clip_mask": Field("C", "b"),
    "words": Field("N", "f", "words"),
    "word_mask": Field("N", "b"),
    "referral_mask": Field("N", "b"),
    "content_mask": Field("N", "b"),
    "word_ids": Field("N", "i"),
    "phrase_ids": Field("N", "i"),
}
HEAD_OUTPUTS = {
    "tubelet_scores": Field("K", "f"),
    "proposals": Field("P", "f", 2),
    "proposal_scores": Field("P", "f"),
    "curves": Field("KT", "f", "phrases"),
}
OUTPUTS_OF = {  # what heads of each objective give; the other scores are None
    "reconstruct": ("tubelet_scores", "proposals", "proposal_scores"),
    "contrast": ("tubelet_scores", "curves"),
}


def expect(name: str, array: np.ndarray, shape: tuple[int | None, ...], kind: str) -> None:
    """Raise ValueError unless ``array`` has ``shape`` (None: any length) and a dtype ``kind``."""
    fits = array.ndim == len(shape) and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype.kind not in kind:
        want = tuple("*" if side is None else side for side in shape)
        raise ValueError(
            f"{name}: expected shape {want} of kind {kind!r}, found {array.shape} of {array.dtype}"
        )


def check(record: object, declared: Mapping[str, Field]) -> None:
    """Raise ValueError unless the fields of ``record`` are as ``declared``, their axes alike."""
    lengths: dict[str, int] = {}
    for name, field in declared.items():
        array = getattr(record, name)
        if array is None:
            continue
        sides = [lengths.get(axis) for axis in field.axes]
        last = [] if field.width is None else [field.width if type(field.width) is int else None]
        expect(name, array, (*sides, *last), field.kind)
        lengths |= zip(field.axes, array.shape, strict=False)
