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
    exit_code = 1


class UsageError(CospalError):
    exit_code = 2


class InputError(CospalError):
    exit_code = 4


class WeightsError(CospalError):
    exit_code = 5


class DeviceError(CospalError):
    exit_code = 6


class NothingFound(CospalError):
    exit_code = 7
