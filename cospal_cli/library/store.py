"""The folder of a library: stored observations, and the catalogue of them.

library.json              what the folder is
videos/*.safetensors      one file an observation: see ``stored``
catalogue.sqlite          repeats what a search needs of them: see ``catalogue``
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cospal_cli.core import files
from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.observation import Observation
from cospal_cli.core.reading import read_table
from cospal_cli.library import stored
from cospal_cli.library.catalogue import Catalogue, CatalogueEntry
from cospal_cli.library.keys import ENDING, ObservationKey
from cospal_cli.library.numbers import numbers_of
from cospal_cli.library.stored import Extras, StoredObservation, same
from cospal_cli.ranking.candidates import Candidate, candidates
from cospal_cli.settings import Config

FORMAT = "cospal/library@1"
ABOUT, VIDEOS = "library.json", "videos"


class Store:
    """See ``open``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.videos = folder / VIDEOS
        self.catalogue = Catalogue(folder)

    @classmethod
    def open(cls, folder: Path, create: bool = False) -> Store:
        """The library in ``folder``, made if ``create``; UsageError where there is none, or where
        the folder holds something else."""
        if not (folder / ABOUT).is_file():
            if not create:
                raise UsageError(
                    f"{str(folder)!r} is not a library",
                    f"make one: cospal index VIDEOS --library {folder}",
                )
            _make(folder)
        about = read_table(folder / ABOUT, InputError, "name another folder")
        if about.get("format") != FORMAT:
            raise UsageError(
                f"{str(folder / ABOUT)!r} is of another format: {about.get('format')!r:.60}, "
                f"expected {FORMAT!r}",
                "name another folder",
            )
        return cls(folder)

    def path(self, file: str) -> Path:
        """Where the observation of that name lies."""
        return self.videos / file

    def read(self, key: ObservationKey) -> StoredObservation | None:
        """The stored observation of just this ``key``; None where there is none, or a damaged
        one, which will be replaced."""
        if not self.path(key.name).exists():
            return None
        with suppress(InputError):
            file = StoredObservation(self.path(key.name))
            file.check_all()
            return file if same(file.key.as_dict(), key.as_dict()) else None
        return None

    def add(
        self,
        key: ObservationKey,
        observation: Observation,
        config: Config,
        extras: Extras,
        ranked: Sequence[Candidate],
    ) -> None:
        """Store a whole ``observation``: its file, then its entry in the catalogue. ``ranked``:
        its candidates."""
        stored.write(self.path(key.name), observation, key, config, extras)
        self.catalogue.put([self._entry(key, observation, ranked)])

    def write(
        self, key: ObservationKey, observation: Observation, config: Config, extras: Extras
    ) -> CatalogueEntry:
        """Write a whole ``observation``'s file; its entry, which is still to be put into the
        catalogue."""
        stored.write(self.path(key.name), observation, key, config, extras)
        return self._entry(key, observation)

    def enter(self, path: Path) -> CatalogueEntry:
        """The catalogue's entry of a stored file. InputError where it is damaged."""
        file = StoredObservation(path)
        if file.key.name != path.name:
            raise file.refusal(f"its key is that of {file.key.name}")
        return self._entry(file.key, file.observation())

    def files(self) -> list[Path]:
        """Every observation's file, by name."""
        with errors_as(InputError, str(self.videos)):
            names = sorted(os.listdir(self.videos))
        return [self.videos / n for n in names if n.endswith(ENDING) and not files.is_ours(n)]

    def _entry(
        self, key: ObservationKey, seen: Observation, ranked: Sequence[Candidate] | None = None
    ) -> CatalogueEntry:
        if ranked is None:
            ranked = candidates(seen.tubelets, seen.size, seen.timeline)
        numbers = numbers_of(ranked, seen.appearance, len(seen.classes))
        return CatalogueEntry(
            file=key.name,
            path=key.video,
            prompt=key.prompt,
            size=key.bytes,
            changed_ns=key.changed_ns,
            width=seen.info.width,
            height=seen.info.height,
            duration_s=seen.span_s.end - seen.span_s.start,
            frames=len(seen.timeline.indices),
            stored_bytes=self.path(key.name).stat().st_size,
            detector=str(seen.model.get("id", "")),
            classes=json.dumps(seen.classes),
            tubelets=len(seen.tubelets),
            numbers=numbers.rows.tobytes(),
        )


def _make(folder: Path) -> None:
    """An empty library; UsageError where the folder cannot be made or holds something else."""
    hint = "name another folder"
    with errors_as(UsageError, f"cannot make a library in {str(folder)!r}", hint):
        files.make_folder(folder)
        others = [n for n in os.listdir(folder) if not files.is_ours(n) and n != VIDEOS]
        if others and not (folder / ABOUT).is_file():
            raise UsageError(
                f"{str(folder)!r} is neither empty nor a library: it holds {others[0]!r:.60}", hint
            )
        (folder / VIDEOS).mkdir(exist_ok=True)
    files.write_text(folder / ABOUT, json.dumps({"format": FORMAT}) + "\n")
