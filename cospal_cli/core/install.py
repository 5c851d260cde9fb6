"""The line that works here where something is missing: cospal comes from a checkout or a wheel,
not from an index. Decided in one place, by what pip wrote when it installed cospal.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from contextlib import suppress
from pathlib import Path

NAME = "cospal"
ROOT = Path(__file__).parents[2]
CPU, GPU = "constraints-cpu.txt", "constraints-cuda13.txt"


def install_line(extra: str) -> str:
    """What brings an extra, such as ``pip install -c constraints-cpu.txt '.[train]'``."""
    source = _source()
    if source is None:
        return f"pip install {_quoted(f'{NAME}[{extra}]')}"
    line = f"{_quoted(f'{_near(source)}[{extra}]')}"
    if not source.exists():  # the user knows where it is now
        return f"pip install {line}, where {source.name!r} is"
    constraints = source / (GPU if shutil.which("nvidia-smi") else CPU)
    if constraints.is_file():
        line = f"-c {_quoted(_near(constraints).removeprefix('./'))} {line}"
    return f"pip install {line}"


def restore_line(path: Path) -> str:
    """What brings back a file of cospal's own that is missing or damaged."""
    if (ROOT / "pyproject.toml").is_file() and path.is_relative_to(ROOT):
        return f"git -C {_quoted(_near(ROOT))} checkout -- {_quoted(str(path.relative_to(ROOT)))}"
    source = _source()
    shown = NAME if source is None else _near(source)
    return f"pip install --force-reinstall --no-deps {_quoted(shown)}"


def _source() -> Path | None:
    """The checkout or the wheel that cospal came from; None: from an index."""
    from importlib.metadata import PackageNotFoundError, distribution

    with suppress(PackageNotFoundError, OSError, ValueError, TypeError, KeyError):
        from urllib.parse import unquote, urlsplit
        from urllib.request import url2pathname  # slow to import, seldom needed

        url = urlsplit(json.loads(distribution(NAME).read_text("direct_url.json") or "")["url"])
        if url.scheme == "file":
            return Path(url2pathname(unquote(url.path)))
    return ROOT if (ROOT / "pyproject.toml").is_file() else None


def _near(path: Path) -> str:
    """``path`` from here, where that leads down; in a form that pip takes for a path."""
    if not path.exists():
        return f"./{path.name}"
    with suppress(ValueError):  # on another drive
        near = os.path.relpath(path)
        if not near.startswith(".."):
            return near if near == "." else f"./{near}"
    return str(path)


def _quoted(text: str) -> str:
    return f"'{text}'" if "[" in text and "'" not in text else shlex.quote(text)
