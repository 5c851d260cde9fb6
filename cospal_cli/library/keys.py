"""What an observation depends on: the video as it is, the settings that matter, and the models."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cospal_cli.core.errors import InputError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.features.spec import video_settings
from cospal_cli.settings import Config

ENDING = ".safetensors"
_AFTER = ("clips.", "features.")  # made of an observation, or kept beside it


@dataclass(frozen=True)
class ObservationKey:
    """Equal keys: the same observation."""

    video: str  # absolute path
    bytes: int  # of a file, or of all pictures together
    changed_ns: int  # its last change; of pictures, the latest
    recipe: JsonDict  # settings by dotted key, and the detector's hash
    prompt: str = ""  # the sentence, where the detector is prompted with it

    @property
    def name(self) -> str:
        """The file's name in the library. That of a changed video stays: the new observation takes
        the place of the old one."""
        told = json.dumps([self.video, self.recipe, self.prompt], sort_keys=True)
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32] + ENDING

    def as_dict(self) -> JsonDict:
        """For JSON."""
        return {
            "video": self.video,
            "bytes": self.bytes,
            "changed_ns": self.changed_ns,
            "recipe": self.recipe,
            "prompt": self.prompt,
        }


def key_of(video: Path, recipe: Json, prompt: str = "") -> ObservationKey:
    """The key of ``video`` as it is now; InputError where it is not there."""
    size, changed = stamp(video)
    return ObservationKey(os.path.abspath(video), size, changed, dict(recipe), prompt)


def stamp(video: Path) -> tuple[int, int]:
    """Bytes and last change, in nanoseconds, of a file, or of all pictures that ``video`` names.

    InputError where there is nothing.
    """
    with errors_as(InputError, str(video)):
        try:
            status = os.stat(video)
            files = None if not os.path.isdir(video) else ()
        except FileNotFoundError:
            files = ()
        if files is None:
            return status.st_size, status.st_mtime_ns
        from cospal_cli.video import images

        pictures = images.find(video)
        if pictures is None:
            raise InputError(f"no such file: {str(video)!r}", "check the path")
        every = [os.stat(file) for file in pictures.files]
        return sum(one.st_size for one in every), max(one.st_mtime_ns for one in every)


def recipe_of(config: Config, sha256: str) -> JsonDict:
    """What of ``config`` and the detector, by its hash, an observation depends on.

    ``config.detector`` is the detector's own, filled in.
    """
    settings = {
        name: value for name, value in video_settings(config).items() if not name.startswith(_AFTER)
    }
    settings["video.image_fps"] = config.video.image_fps
    return {"settings": settings, "detector_sha256": sha256}
