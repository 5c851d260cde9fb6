"""The recipe of a synthetic set: every choice that its videos depend on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from cospal_cli.core.errors import UsageError
from cospal_cli.core.json_types import JsonDict

FILE = "synthetic.json"  # the recipe of a set, and its mark
FORMAT = 1  # counted up whenever the same recipe would give another video


@dataclass(frozen=True)
class Mix:
    """What the kinds of set differ in."""

    seconds: tuple[float, float]  # shortest and longest video, unless they are given
    actions: tuple[float, ...]  # chance of one, two, ... actions in a sentence
    besides: int = 0  # least other actions of the target, where the video has time for them
    loose: bool = False  # actions lie anywhere in the video, not close to each other
    background: float = 0.0  # share of sentences that also say what is beside the target


MIXES = {
    "fair": Mix((14.0, 22.0), (0.36, 0.36, 0.2, 0.05, 0.03), 2, True, 0.5),
    "easy": Mix((9.0, 18.0), (0.24, 0.3, 0.24, 0.14, 0.08)),
}


@dataclass(frozen=True)
class Recipe:
    """The same recipe gives the same files, whatever the number of workers.

    ``twins`` and ``rivals`` are the shares of videos with a distractor that is dressed as the
    sentence says but acts otherwise, and with one that acts so but is dressed otherwise.
    """

    seed: int = 0
    size: tuple[int, int] = (320, 192)  # width, height
    fps: int = 10
    seconds: tuple[float, float] = (9.0, 18.0)
    actors: tuple[int, int] = (2, 12)
    test: float = 1 / 3  # share of the videos in the test split
    twins: float = 0.4
    rivals: float = 0.8
    crf: int = 26
    kind: str = "easy"  # see ``MIXES``

    def __post_init__(self) -> None:
        if self.kind not in MIXES:
            raise UsageError(f"--kind {self.kind!r} is not known", f"known: {', '.join(MIXES)}")
        width, height = self.size
        _within("--size", width, 160, 4096)
        _within("--size", height, 96, 2160)
        if width % 2 or height % 2:
            raise UsageError(f"--size {width}x{height}: both sides must be even")
        if not 0.75 <= width / height <= 4:
            raise UsageError(
                f"--size {width}x{height}: the width must be 0.75 to 4 times the height"
            )
        _within("--fps", self.fps, 5, 60)
        _within("--seed", self.seed, 0, 2**63 - 1)
        _within("--test", self.test, 0, 1)
        _within("--seconds", self.seconds[0], 4, 120)
        _within("--seconds", self.seconds[1], self.seconds[0], 120)
        _within("actors", self.actors[0], 1, 24)
        _within("actors", self.actors[1], self.actors[0], 24)

    @property
    def mix(self) -> Mix:
        """What its kind is."""
        return MIXES[self.kind]

    def is_test(self, number: int) -> bool:
        """Whether video ``number`` is of the test split; more videos later change nothing."""
        return int((number + 1) * self.test + 1e-9) > int(number * self.test + 1e-9)

    def as_dict(self) -> JsonDict:
        """As JSON keeps it, with the version of its format."""
        fields = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        if self.kind == "easy":  # the only kind that 0.1 knew: its sets can be continued
            del fields["kind"]
        return {"format": FORMAT, **fields}


def is_synthetic(root: Path) -> bool:
    """Whether ``root`` is a set of ``cospal data synthetic``."""
    return (root / FILE).is_file()


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UsageError(f"{name}: must be from {low:g} to {high:g}, found {value:g}")
