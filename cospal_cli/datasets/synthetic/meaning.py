"""What a sentence of the synthetic set says, and whom of a scene it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cospal_cli.datasets.synthetic.actions import Act
from cospal_cli.datasets.synthetic.clothes import Outfit, near


@dataclass(frozen=True)
class Meaning:
    """``clothes``: (part, colour) for every part named; ``kinds``: the actions in their order."""

    clothes: tuple[tuple[str, str], ...]
    kinds: tuple[str, ...]


def wears(meaning: Meaning, outfit: Outfit) -> bool:
    """Whether a viewer could find ``outfit`` dressed as said: near colours count, so does any bag.

    Man, woman and child make no difference here, though the sentence names one.
    """
    pieces = outfit.pieces
    return all(
        part in pieces and near(pieces[part].colour, colour) for part, colour in meaning.clothes
    )


def shows(meaning: Meaning, acts: Sequence[Act]) -> set[str]:
    """Which of the actions said may be seen in ``acts``."""
    return set(meaning.kinds) & {kind for act in acts for kind in act.shows}


def moments(meaning: Meaning, acts: Sequence[Act]) -> list[tuple[int, int]]:
    """Frames [start, end) of every run of ``acts`` that is what the sentence says."""
    size = len(meaning.kinds)
    runs = (acts[at : at + size] for at in range(len(acts) - size + 1))
    return [
        (run[0].start, run[-1].end)
        for run in runs
        if tuple(act.kind for act in run) == meaning.kinds
    ]


def ambiguities(
    meaning: Meaning, cast: Sequence[tuple[Outfit, Sequence[Act]]], target: int
) -> list[str]:
    """Why the sentence does not mean ``target`` alone, once; empty if it does.

    Whoever else could be found dressed as said must do nothing of what is said; and what the
    target does besides must show none of it.
    """
    faults = []
    for number, (outfit, acts) in enumerate(cast):
        also = shows(meaning, acts) if wears(meaning, outfit) else set()
        if number != target and also:
            faults.append(
                f"actor {number} is dressed the same and also does {', '.join(sorted(also))}"
            )
    outfit, acts = cast[target]
    if not wears(meaning, outfit):
        faults.append("the target is not dressed as said")
    spans = moments(meaning, acts)
    if len(spans) != 1:
        return [*faults, f"the target does what is said {len(spans)} times"]
    besides = [act for act in acts if not spans[0][0] <= act.start < spans[0][1]]
    again = shows(meaning, besides)
    if again:
        faults.append(f"the target does {', '.join(sorted(again))} at another time too")
    return faults
