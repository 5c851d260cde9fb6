"""What the system and the libraries raise, turned into errors of cospal: decided here alone.

A *border* is a block that reads, opens or runs what is not ours:

    with errors_as(WeightsError, f"{path}: not a complete checkpoint", "fetch it again"):
        return library.load_file(path)

Whatever is raised within becomes one line, ``about: reason``; no reader lists the exceptions that
it expects. Where memory, room on the disk, files or threads ran out, it is a DeviceError whatever
the border says. Errors of cospal pass, and so do mistakes in the code itself (``_MISTAKES``).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from reprlib import Repr

from cospal_cli.core.errors import CospalError, DeviceError, InputError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # a file system that takes no more bytes
_FILES = {errno.EMFILE, errno.ENFILE}
_MEMORY = {errno.ENOMEM, errno.EAGAIN}  # EAGAIN: of a thread or process that cannot be made
_BROKEN = {errno.EIO, errno.EROFS, errno.ESTALE, errno.ENODEV, errno.ENXIO}  # the device's fault
_MISTAKES = (NameError, ImportError)
# How libraries say that memory, or threads, ran out where they do not raise a MemoryError.
_NO_MEMORY = (
    "bad_alloc",
    "bad allocation",
    "allocate memory",
    "allocate buffer",
    "out of memory",
    "not enough memory",
    "failed to map segment",
    "memory allocation",
    "can't start new thread",
    "pthread_create",
    "thread creation failed",
)
_QUOTING = (ValueError, TypeError, LookupError, AttributeError)  # their texts hold what was read
USUAL = 256 << 20  # bytes: more than any part of a usual video takes
_LONGEST = 200  # characters of another's message that are passed on
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60
_SHORT.maxlist = _SHORT.maxdict = _SHORT.maxtuple = 4
_SHORT.maxlevel = 2


@contextmanager
def errors_as(
    kind: Callable[[str, str], CospalError], about: str, hint: str = ""
) -> Iterator[None]:
    """A border: what is raised within becomes ``kind``, or DeviceError where memory, disk, files
    or threads run out.

    ``about`` says what could not be done, and comes before the reason. It decorates functions too.
    """
    try:
        yield
    except (CospalError, *_MISTAKES) as error:
        if isinstance(error, ImportError) and (lack := shortage(error, about)):
            raise lack from error
        raise
    except Exception as error:
        raise shortage(error, about) or kind(f"{about}: {_why(error, about)}", hint) from error


def shortage(error: BaseException, about: str, sized: bool = False) -> DeviceError | None:
    """The DeviceError for an error that says that memory, disk, files or threads ran out.

    None for all others. ``about``: what was being done. ``sized``: how much memory was asked for
    stood in a file; where a usual amount can be had all the same, the file is wrong, not the
    machine small.
    """
    number = getattr(error, "errno", None)
    if number in FULL:
        return DeviceError(f"{about}: no space left", "free some space, or use another disk")
    if number in _FILES:
        return DeviceError(f"{about}: too many open files", "raise the limit: ulimit -n 4096")
    if _memory(error) and not (sized and _roomy()):
        return DeviceError(
            f"{about}: not enough memory",
            "close other programs or raise the limit; a smaller --batch, --tiles or --set "
            "video.work_side=320 needs less",
        )
    return None


def of_system(error: BaseException) -> CospalError | None:
    """The error of cospal for what the system raised outside every border; None for a bug."""
    about = "the system refuses"
    if lack := shortage(error, about):
        return DeviceError(lack.message.removeprefix(f"{about}: "), lack.hint)
    if not isinstance(error, OSError) or error.errno is None:
        return None
    name = error.filename
    where = "" if name is None else f"{_decoded(name)!r}: "
    if error.errno in _BROKEN:
        return DeviceError(f"{where}{reason(error)}", "check the disk or the connection to it")
    if name is None:
        return None
    return InputError(f"{where}{reason(error)}", "check the path and its permissions")


def reason(error: BaseException) -> str:
    """Why, in one line for people, without Python's names where there are better words."""
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8 text"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if type(error).__name__ == "JSONDecodeError":  # of json, which costs time to import
        return f"not JSON: {getattr(error, 'msg', '')} in line {getattr(error, 'lineno', 1)}"
    if isinstance(error, EOFError) and not error.args:
        return "cut short"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, KeyError) and len(error.args) == 1:
        return f"{short(error.args[0])} is missing"
    text = " ".join(str(error).split())
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    plain = isinstance(error, ValueError | RuntimeError | CospalError)
    return text if text and plain else f"{type(error).__name__} {text}".rstrip()


@contextmanager
def creating(path: Path) -> Iterator[None]:
    """Around whatever creates ``path``: file systems such as /proc answer that it is not found,
    though its folder is there. What is raised then says what that means.
    """
    try:
        yield
    except FileNotFoundError as error:
        if not Path(error.filename or path).parent.is_dir():
            raise
        why = "its file system takes no new files"
        raise FileNotFoundError(errno.ENOENT, why, error.filename or str(path)) from error


def short(value: object) -> str:
    """``repr`` of any value, cut to a few dozen characters and two levels."""
    return _SHORT.repr(value)


def _why(error: Exception, about: str) -> str:
    """The reason, with the file's name where neither says which."""
    name = getattr(error, "filename", None)
    named = name is None or _decoded(name) in about
    return reason(error) if named else f"{_decoded(name)!r}: {reason(error)}"


def _memory(error: BaseException | None) -> bool:
    """Whether memory or threads ran out, by the error or one that it came from."""
    for _ in range(10):
        if error is None:
            return False
        if isinstance(error, MemoryError) or getattr(error, "errno", None) in _MEMORY:
            return True
        if not (isinstance(error, _QUOTING) or getattr(error, "errno", None)):
            text = str(error)[:5000].lower()
            if any(words in text for words in _NO_MEMORY):
                return True
        error = error.__cause__ or error.__context__
    return False


def _roomy() -> bool:
    """Whether ``USUAL`` bytes can be had; they are not touched, so this costs nothing."""
    try:
        bytearray(USUAL)
    except MemoryError:
        return False
    return True


def _decoded(name: object) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
