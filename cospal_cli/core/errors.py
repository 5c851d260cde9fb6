"""Errors that cospal raises on purpose.

    CospalError            exit 1   (never raised itself)
    ├── TrainingError      exit 1   training that cannot go on: its loss is no longer a number
    ├── UsageError         exit 2   wrong arguments, configuration, query or output path
    ├── InputError         exit 4   a video, image folder or detections file that cannot be read
    ├── WeightsError       exit 5   model files missing, damaged or of another contract
    ├── DeviceError        exit 6   device, memory or disk space not available
    └── NothingFound       exit 7   no tube, under --fail-on-empty

The library raises; only the command line prints (``message``, then ``hint``) and exits.
"""

from __future__ import annotations

SOME_FAILED = 3  # exit code of a command that did some of what was asked, and named the rest


class CospalError(Exception):
    """Base class. ``message`` says what is wrong with the value found, ``hint`` what to do."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class TrainingError(CospalError):
    """A training that cannot go on: its loss is not a number."""

    exit_code = 1


class UsageError(CospalError):
    """Wrong arguments, settings, sentence or output path."""

    exit_code = 2


class InputError(CospalError):
    """A video, or another file that is read, cannot be read."""

    exit_code = 4


class WeightsError(CospalError):
    """Model files are missing, damaged, or made for something else."""

    exit_code = 5


class DeviceError(CospalError):
    """A device, memory or disk space is not available."""

    exit_code = 6


class NothingFound(CospalError):
    """There is no tube, and the caller asked for an error then."""

    exit_code = 7
