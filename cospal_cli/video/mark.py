"""The mark in an annotated MP4 that says which document it shows."""

from __future__ import annotations

from pathlib import Path


def mark_of(path: Path) -> str:
    """The comment in a video's metadata; "" where there is none, or no whole video."""
    import av

    try:
        with av.open(str(path)) as container:
            return str(container.metadata.get("comment", ""))
    except (av.error.FFmpegError, OSError, ValueError):
        return ""
