"""The plain parts of downloading: one URL to one file, one process at a time, and every way that
servers, networks and disks have of refusing, in a line each."""

from __future__ import annotations

import errno
import http.client
import os
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from cospal_cli.core.claims import Run, claimed
from cospal_cli.core.errors import CospalError, DeviceError, WeightsError
from cospal_cli.core.progress import Progress

STAGE = "fetching"
MB = 1e6
AGAIN = "run the same command again: it continues where it stopped"
_TIMEOUT_S = 30.0
_CHUNK = 2**20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def download_url(url: str, path: Path, size: int | None) -> None:
    """``url`` into the file ``path``, from where an earlier attempt stopped if the server can.

    ``size``: its bytes, None if unknown. ``path`` appears only when all have come. Raises
    WeightsError if the connection breaks off, OSError for all else (see ``refusal``).
    """
    if path.exists():
        return
    unfinished = path.with_name(f"{path.name}.unfinished")
    begun = unfinished.stat().st_size if unfinished.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "cospal"})
    if begun:
        request.add_header("Range", f"bytes={begun}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
            with open(unfinished, "ab" if resumed else "wb") as out:
                shutil.copyfileobj(answer, out, _CHUNK)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            unfinished.unlink()  # more than the server has: begin anew next time
        raise
    except http.client.HTTPException as error:
        raise WeightsError(f"{url}: the connection was lost", AGAIN) from error
    if size is not None and unfinished.stat().st_size < size:
        raise WeightsError(f"{url}: the connection was lost", AGAIN)
    os.replace(unfinished, path)


def alone(target: Path, name: str) -> AbstractContextManager[None]:
    """Hold the place ``target`` of a model; WeightsError if another process does."""

    def busy(target: Path, run: Run) -> WeightsError:
        return WeightsError(f"{name}: another process is fetching it: {run.who()}", "wait for it")

    return claimed([target], busy)


@contextmanager
def watched(folder: Path, total: int, progress: Progress) -> Iterator[None]:
    """Report the bytes in ``folder`` (in MB) while open: true for every way of downloading."""
    done = threading.Event()

    def report() -> None:
        progress(STAGE, bytes_in(folder) / MB, total / MB or None)

    def watch() -> None:
        while not done.wait(0.5):
            report()

    report()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    report()


def bytes_in(folder: Path) -> int:
    """Bytes of all files below ``folder``, finished or not."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # files come and go meanwhile
            total += path.stat().st_size if path.is_file() else 0
    return total


def refusal(source: str, folder: Path, error: Exception) -> CospalError:
    """What ``error``, met while bringing ``source`` into ``folder``, means.

    The hub's exceptions are told by their names: huggingface_hub is optional.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(getattr(error, "response", None), "status_code", getattr(error, "code", None))
    if "OfflineModeIsEnabled" in kinds:
        return WeightsError(
            f"{source}: HF_HUB_OFFLINE is set, so the hub is not contacted", "unset it to fetch"
        )
    if "RevisionNotFoundError" in kinds:
        return WeightsError(f"{source}: the hub has no such revision", "a newer cospal may know it")
    if "GatedRepoError" in kinds or (
        status in (401, 403) and "RepositoryNotFoundError" not in kinds
    ):
        return WeightsError(
            f"{source}: withheld until you accept its licence (HTTP {status})",
            f"accept it on the page of {source}, then 'hf auth login' or set HF_TOKEN",
        )
    if kinds & {"RepositoryNotFoundError", "HFValidationError"} or status == 404:
        return WeightsError(
            f"{source}: there is no such model, or it is private (HTTP {status})",
            "check the spelling; for a private one, 'hf auth login' or set HF_TOKEN",
        )
    if status is not None:
        return WeightsError(f"{source}: the server answered HTTP {status}", AGAIN)
    return _disk_refusal(folder, error) or WeightsError(
        f"{source}: cannot be reached: {_line(getattr(error, 'reason', error))}",
        "check the network and run the same command again; or copy the model's folder from a "
        f"machine that has it into {folder}",
    )


def _disk_refusal(folder: Path, error: Exception) -> DeviceError | None:
    """``error`` if it is one of the disk's; None otherwise."""
    if getattr(error, "errno", None) in _FULL:
        return DeviceError(
            f"no space left in {str(folder)!r}",
            "free some space and fetch again: it continues where it stopped; or set COSPAL_MODELS",
        )
    if isinstance(error, OSError) and error.filename is not None:
        return DeviceError(
            f"cannot write to {str(folder)!r}: {error.strerror or _line(error)}",
            "set COSPAL_MODELS to another folder",
        )
    return None


def _line(error: object) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
