"""Numbers of things, in words."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """``count`` of what ``noun`` names: "1 video", "2 videos"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
