"""Batches of an epoch, built ahead of the loop; each is a function of the seed and its place alone.

What item is where, which words are hidden, and what replaces a sample that cannot be read depend
on neither the number of processes nor on where a run was interrupted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.errors import InputError, WeightsError
from cospal_cli.core.grounding import GroundingInputs
from cospal_cli.core.head_inputs import assemble, collate
from cospal_cli.core.phrases import Phrase
from cospal_cli.core.prefetch import prefetch
from cospal_cli.devices import processors
from cospal_cli.language.phrases import moment_queries
from cospal_cli.training.curriculum import Epoch
from cospal_cli.training.masking import hidden_words

if TYPE_CHECKING:
    from cospal_cli.prepared.folder import Prepared, Sample

LOG = logging.getLogger("cospal")
READERS = min(max(processors(), 2), 8)  # threads that read: they wait for the disk and copy
DEPTH = 3  # batches built in advance
_UNREADABLE = (InputError, WeightsError, OSError)

Arrays = dict[str, NDArray]  # inputs.NAMES, "masked" (B, N) and "video" (B,); rows B


class Item(NamedTuple):
    """One row of a batch before it is padded."""

    inputs: GroundingInputs
    masked: NDArray[np.bool_]  # (N,) words that are hidden
    video: int  # equal numbers: the same video


@dataclass(frozen=True)
class Share:
    """Which part of every batch this process builds."""

    rank: int = 0
    processes: int = 1


class Batches:
    """Samples as the objective takes them. Use it in a ``with`` statement: it has threads."""

    def __init__(
        self,
        prepared: Prepared,
        samples: Sequence[Sample],
        vocabulary: Mapping[str, int],
        *,
        seed: int,
        bad: int,
        share: Share = Share(),
        queries: str = "",
    ) -> None:
        """``bad``: how many unreadable samples are replaced before InputError is raised.

        ``queries``: what of a sentence asks for a moment of its own, see ``TemporalConfig``; "":
        nothing does.
        """
        self._prepared, self._samples, self._vocabulary = prepared, samples, vocabulary
        self._seed, self._limit, self._share, self._queries = seed, bad, share, queries
        numbers: dict[str, int] = {}
        self._videos = [numbers.setdefault(one.video, len(numbers)) for one in samples]
        self._bad: set[str] = set()
        self._counting = Lock()
        self._readers = ThreadPoolExecutor(READERS, "cospal-read")

    def __enter__(self) -> Batches:
        return self

    def __exit__(self, *_: object) -> None:
        self._readers.shutdown(wait=True, cancel_futures=True)

    def of(
        self, epoch: Epoch, start: int = 0, finish: Callable[[Arrays], object] = lambda batch: batch
    ) -> Generator[Any]:
        """This process's part of the epoch's batches from the ``start``-th on, in order.

        ``finish`` is applied to each in the thread that builds them. Close the generator when it is
        left early. InputError when too many samples cannot be read.
        """
        return prefetch(map(finish, self._made(epoch, start)), DEPTH)

    def order(self, epoch: Epoch) -> NDArray[np.int64]:
        """Rows of the epoch's items, in order."""
        return np.random.default_rng((self._seed, epoch.number)).permutation(len(epoch.items))

    def _made(self, epoch: Epoch, start: int) -> Iterator[Arrays]:
        order = self.order(epoch)
        own = epoch.batch // self._share.processes
        for update in range(start, epoch.updates):
            first = update * epoch.batch + self._share.rank * own
            # Places past the end are the epoch's first ones again: every batch is full.
            places = range(first, first + own)
            yield _stack(list(self._readers.map(lambda at: self._read(epoch, order, at), places)))

    def _read(self, epoch: Epoch, order: NDArray[np.int64], place: int) -> Item:
        """The item at a place of the epoch; the next one that can be read in place of a bad one."""
        for at in range(place, place + len(order)):
            row = int(order[at % len(order)])
            number, phrase = epoch.items[row].tolist()
            sample = self._samples[number]
            try:
                return self._item(sample, phrase, self._videos[number], (epoch.number, row))
            except _UNREADABLE as error:
                self._note(sample, error)
        raise InputError("no sample of the epoch can be read", "prepare the data set again")

    def _item(self, sample: Sample, number: int, video: int, where: tuple[int, int]) -> Item:
        vision, phrases = self._prepared.features(sample), self._prepared.phrases(sample)
        phrase: Phrase = phrases.passes[number - 1] if number else phrases.sentence
        acts = moment_queries(phrases.acts, self._queries) if self._queries else ()
        inputs = assemble(
            vision.tubelets, vision.tubelet_mask, vision.clips, phrase, self._vocabulary, acts
        )
        rng = np.random.default_rng((self._seed, *where))
        return Item(inputs, hidden_words(inputs.content_mask, inputs.word_ids, rng), video)

    def _note(self, sample: Sample, error: Exception) -> None:
        """Count and log an unreadable sample once; InputError past the limit."""
        with self._counting:
            if sample.id in self._bad:
                return
            self._bad.add(sample.id)
            count = len(self._bad)
        LOG.warning("skipped %s: %s", sample.id, error)
        if count > self._limit:
            raise InputError(
                f"{count} samples cannot be read, the last is {sample.id}: {error}",
                "prepare the data set again; train.max_unreadable is how many are skipped",
            ) from error


def _stack(items: Sequence[Item]) -> Arrays:
    batch: Arrays = collate([one.inputs for one in items])
    batch["masked"] = np.zeros(batch["word_mask"].shape, bool)
    for row, one in zip(batch["masked"], items, strict=True):
        row[: len(one.masked)] = one.masked
    batch["video"] = np.array([one.video for one in items], np.int64)
    return batch
