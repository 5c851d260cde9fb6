"""A child that runs one input after another through the command line entry, in its own process.

It is told (kind, number) a line on stdin and answers with two lines of JSON: that the input is
made, and how the command ended.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import io
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.fuzz.kinds import KINDS
from benchmarks.fuzz.payloads import CANARY
from benchmarks.fuzz.seeds import Seeds

LONGEST = 300  # letters kept of a line that was said
OWN = ("out", "out.json", "out.mp4")  # where results go


def main() -> None:
    """``SEED SEEDS SCRATCH MEGABYTES LOG``: see ``pool.Worker``."""
    seed, seeds, scratch, megabytes, log = sys.argv[1:]
    asked, answers = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, target in enumerate((nothing, output, output)):
        os.dup2(target, number)
    faulthandler.enable(2)  # a hang is ended by SIGABRT: the log then says where
    _tell(answers, {"ready": os.getpid()})
    for line in asked:
        kind, number = json.loads(line)
        place = Path(scratch)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        os.chdir(place)
        args = KINDS[kind].build(Random(f"{seed} {kind} {number}"), Seeds(Path(seeds)), place)
        for name in KINDS[kind].imports:
            importlib.import_module(name)
        gc.freeze()  # what was imported need not be searched for garbage again and again
        (place / "args.json").write_text(json.dumps(args))
        _tell(answers, {"begins": args})
        _tell(answers, attempt(args, int(megabytes)))


def attempt(args: list[str], megabytes: int) -> dict[str, Any]:
    """Run one command line; its exit code, processor time, peak memory and what else may be wrong.

    ``megabytes``: how much more address space it gets than there is in use.
    """
    from cospal_cli.cli import run

    streams = sys.stdout, sys.stderr
    sys.stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    sys.stderr = io.StringIO()
    _reset_peak()
    started = time.process_time()
    try:
        with _limited(megabytes):
            code = run(args)
        seconds = time.process_time() - started
    finally:
        errors = sys.stderr.getvalue()
        sys.stdout, sys.stderr = streams
    return {
        "code": code,
        "seconds": seconds,
        "peak_mb": _peak_mb(),
        "payload": any(Path(".").rglob(CANARY)),
        "wrong": _wrong(code, errors),
        "stderr": "\n".join(line[:LONGEST] for line in errors.splitlines()[-60:]),
    }


def _wrong(code: int, errors: str) -> str:
    """What breaks a promise that holds whatever the input is; "" if nothing does."""
    if "Traceback (most recent call last)" in errors and code != 1:
        return "traceback"
    if code not in (0, 3, 7) and "error: " not in errors:
        return "no reason given"
    return "; ".join(filter(None, map(_broken, sorted(_outputs()))))


def _outputs() -> Iterator[Path]:
    for name in OWN:
        path = Path(name)
        yield from path.iterdir() if path.is_dir() else [path] if path.exists() else []


def _broken(path: Path) -> str:
    """Why a file is no finished result."""
    if path.suffix == ".json":
        try:
            json.loads(path.read_bytes(), parse_constant=_refuse)
        except ValueError as error:
            return f"{path}: {error}"
    elif path.suffix == ".mp4":
        import av

        try:
            with av.open(str(path)) as container:
                if next(container.decode(video=0), None) is None:
                    return f"{path}: no picture"
        except (av.error.FFmpegError, IndexError) as error:
            return f"{path}: {error}"
    elif path.suffix != ".lock":
        return f"{path}: left over"
    return ""


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


@contextmanager
def _limited(megabytes: int) -> Iterator[None]:
    """Address space for ``megabytes`` more than is in use."""
    used = _status_mb("VmSize")
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if used:
        resource.setrlimit(resource.RLIMIT_AS, ((used + megabytes) << 20, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _reset_peak() -> None:
    with suppress(OSError):  # Linux alone can forget a peak
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> int:
    return _status_mb("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _status_mb(name: str) -> int:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) >> 10
    return 0


def _tell(answers: Any, value: dict[str, Any]) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
