"""Which detector classes may be one object: a car that flickers to truck is still one track."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.tubelets import Detections

# Each line: a detector's own classes, then other nouns that a prompt may hold.
_GROUPS = tuple(
    frozenset(names.split())
    for names in (
        "person people man men woman women boy girl child children kid baby toddler lady guy"
        " gentleman adult player dancer worker rider driver cyclist skier surfer skater officer",
        "car truck bus train van taxi cab suv jeep lorry minivan tram vehicle",
        "bicycle motorcycle bike motorbike scooter moped",
        "bird cat dog horse sheep cow elephant bear zebra giraffe animal puppy kitten pony calf"
        " lamb goat pig duck chicken goose rabbit lion tiger monkey fox deer",
    )
)  # these move by themselves; every other class is a kind of its own


class Kinds:
    """Kinds 0..len(_GROUPS)-1 are the groups above, then one for every remaining class.

    Any names will do, be it one only: those of a prompted detector are nouns of the sentence.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        group = {name: k for k, names in enumerate(_GROUPS) for name in names}
        alone = sorted({name for name in classes if name not in group})
        kinds = {**group, **{name: len(_GROUPS) + i for i, name in enumerate(alone)}}
        self.of_label: IntArray = np.array([kinds[name] for name in classes], np.int64)
        self.count = len(_GROUPS) + len(alone)
        self._order = np.argsort(self.of_label, kind="stable")
        ordered = self.of_label[self._order]
        self._starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        self._present = ordered[self._starts]

    def movable(self, labels: IntArray) -> np.ndarray:
        """Mask of the labels whose objects move by themselves."""
        return self.of_label[labels] < len(_GROUPS)

    def scores(self, label_scores: FloatArray) -> FloatArray:
        """Best class score of every kind (D, kinds) of ``label_scores`` (D, L)."""
        best = np.zeros((len(label_scores), self.count), np.float32)
        if len(label_scores):
            columns = label_scores[:, self._order]
            best[:, self._present] = np.maximum.reduceat(columns, self._starts, axis=1)
        return best

    def agreement(self, detections: Detections) -> FloatArray:
        """How far each detection could be of each kind (D, kinds): 1 for its own, else a ratio."""
        best = self.scores(detections.label_scores)
        share: FloatArray = np.minimum(best / np.maximum(detections.scores, 1e-6)[:, None], 1)
        share[np.arange(len(detections)), self.of_label[detections.labels]] = 1
        return share
