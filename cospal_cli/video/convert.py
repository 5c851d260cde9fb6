"""From what a decoder gives to the pixels that are wanted, whatever the decoder gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cospal_cli.core.errors import InputError
from cospal_cli.core.foreign import errors_as

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.reformatter import VideoReformatter


def converted(converter: VideoReformatter, raw: VideoFrame, **wanted: Any) -> VideoFrame:
    """``raw`` in the size, pixel format and range ``wanted``; InputError where FFmpeg cannot."""
    with errors_as(
        InputError, f"cannot convert pixels of format {raw.format.name!r}", "convert the video"
    ):
        return converter.reformat(raw, **wanted)
