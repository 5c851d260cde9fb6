"""From features to the heads' ``GroundingInputs``, one sample or a padded batch of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.contract import HEAD_INPUTS
from cospal_cli.core.grounding import GroundingInputs
from cospal_cli.core.phrases import Phrase

_HIDDEN = 0  # id of words outside the vocabulary


def assemble(
    tubelets: FloatArray,
    tubelet_mask: NDArray[np.bool_],
    clips: FloatArray,
    phrase: Phrase,
    vocabulary: Mapping[str, int],
    acts: Sequence[Phrase] = (),
) -> GroundingInputs:
    """One sample: ``tubelets`` (K, T, F), its mask (K, T), ``clips`` (C, Dv), ``phrase``'s words.

    Where no word says who is meant, all content words count; without any, all words. The words of
    the sub-phrases ``acts`` follow, told apart by ``phrase_ids``.
    """
    content = phrase.content if phrase.content.any() else np.ones(len(phrase), bool)
    referral = phrase.referral if phrase.referral.any() else content
    parts = (phrase, *acts)
    counts = [len(part) for part in parts]
    behind = sum(counts[1:])
    return GroundingInputs(
        tubelets=np.asarray(tubelets, np.float32),
        tubelet_mask=tubelet_mask,
        clips=np.asarray(clips, np.float32),
        clip_mask=np.ones(len(clips), bool),
        words=np.concatenate([part.vectors for part in parts]).astype(np.float32),
        word_mask=np.ones(sum(counts), bool),
        referral_mask=np.pad(referral, (0, behind)),
        content_mask=np.pad(content, (0, behind)),
        word_ids=np.array(
            [vocabulary.get(word, _HIDDEN) for part in parts for word in part.words], np.int64
        ),
        phrase_ids=np.repeat(np.arange(len(parts)), counts),
    )


def collate(samples: Sequence[GroundingInputs]) -> dict[str, NDArray]:
    """A batch: name -> (B, ...), each axis padded with zeros and False to the longest sample's."""
    return {name: _padded([getattr(one, name) for one in samples]) for name in HEAD_INPUTS}


def _padded(arrays: Sequence[NDArray]) -> NDArray:
    shape = np.max([array.shape for array in arrays], axis=0)
    batch = np.zeros((len(arrays), *shape), arrays[0].dtype)
    for row, array in zip(batch, arrays, strict=True):
        row[tuple(slice(side) for side in array.shape)] = array
    return batch
