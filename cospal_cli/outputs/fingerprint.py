"""What a result came from, in a few letters: equal where doing it again would give the same."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from cospal_cli.core.unchanged import Unchanged
from cospal_cli.settings import Config, flatten
from cospal_cli.settings.stored import in_use

# What has no part in a result: who works, on how many threads, and how heads were trained.
_SECTIONS = ("engine", "train", "loss", "curriculum")
_NAMES = ("threads", "overwrite", "clip", "crop", "sheet", "thumbnail")


def fingerprint(
    video: Path, source: Unchanged | None, query: str, config: Config, models: Sequence[str]
) -> str:
    """Of the sentence about the video (its size and the time of its last change, as in ``source``
    or as they are now), the settings that matter, and the ``models``' names and hashes; "" where
    there is no video.

    Its path has no part in it: files may be moved with their results.
    """
    stamps = [source.stamp] if source and source.stamp else _stamps(video)
    if not stamps:
        return ""
    content = [stamps, query, settings_that_matter(config), list(models)]
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def settings_that_matter(config: Config) -> Mapping[str, object]:
    """The settings on which a result depends, by dotted key."""
    return {
        key: value
        for key, value in in_use(flatten(config)).items()
        if key.partition(".")[0] not in _SECTIONS and key.rpartition(".")[2] not in _NAMES
    }


def _stamps(path: Path) -> list[tuple[object, ...]]:
    """Size and time of a file, or name, size and time of every file of a folder of pictures."""
    try:
        if path.is_file():
            return [_stamp(os.stat(path))]
        folder = path if path.is_dir() else path.parent  # else a pattern of pictures
        with os.scandir(folder) as entries:
            found = [(one.name, *_stamp(one.stat())) for one in entries if one.is_file()]
    except (OSError, ValueError):
        return []
    return sorted(found)


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns if stat.S_ISREG(status.st_mode) else 0
