"""``cospal doctor``: what is installed, what it really runs on, and which weights are whole."""

from __future__ import annotations

import json
import platform
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

import click

from cospal_cli import __version__, devices
from cospal_cli.commands.console import emit, printable
from cospal_cli.commands.options import debug_option
from cospal_cli.core.errors import CospalError
from cospal_cli.devices.memory import check_room

CODECS = ("libx264", "aac")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@debug_option
def doctor(as_json: bool) -> int:
    """Show versions, devices, codecs and weights. Exits with 5 if weights are not whole."""
    check_room()
    report = examine()
    emit(json.dumps(report, indent=2) if as_json else _as_text(report))
    return 0 if all(state["ok"] for state in report["weights"].values()) else 5


def examine() -> dict[str, Any]:
    """Everything that ``cospal doctor`` tells, as plain values."""
    from cospal_cli.devices import processors

    compiled = devices.compiled_providers()
    return {
        "cospal": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": processors(),
        "packages": _packages(),
        "onnxruntime": devices.installed(),
        "providers": {name: name in devices.session_providers([name]) for name in compiled},
        "codecs": _codecs(),
        "caches": _caches(),
        "weights": _weights(),
        "models": _models(),
    }


def _packages() -> dict[str, str | None]:
    """Version of each distribution that running cospal may use, None where not installed."""
    found: dict[str, str | None] = {}
    try:
        named = requires("cospal") or []
    except PackageNotFoundError:  # run from a checkout that is not installed
        return found
    for requirement in named:
        if requirement.startswith("onnxruntime") or 'extra == "dev"' in requirement:
            continue
        name = requirement.split(";")[0].strip()
        for mark in "[<>=!~ ":
            name = name.split(mark)[0]
        found[name] = None
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    found.pop("cospal", None)
    return dict(sorted(found.items()))


def _codecs() -> dict[str, bool]:
    """Whether PyAV can encode with each codec that the annotated video needs."""
    import av

    usable = {}
    for name in CODECS:
        try:
            av.codec.Codec(name, "w")
            usable[name] = True
        except ValueError:  # PyAV's UnknownCodecError is one
            usable[name] = False
    return usable


def _weights() -> dict[str, dict[str, Any]]:
    """Per embedded model whether its file is there with the right content, and if not, why."""
    from cospal_cli import weights

    states: dict[str, dict[str, Any]] = {}
    for name in weights.manifest():
        try:
            states[name] = {"ok": True, "path": str(weights.path(name))}
        except CospalError as error:
            states[name] = {"ok": False, "error": error.message, "hint": error.hint}
    return states


def _caches() -> dict[str, str | None]:
    """The folders outside the outputs in which models are kept or found; they need not exist."""
    from cospal_cli.backbones import models

    places = {"models": models.folder(), "huggingface": models.hub_cache()}
    return {name: str(place) if place else None for name, place in places.items()}


def _models() -> dict[str, str | None]:
    """Where each known fetched model lies, None where it does not."""
    from cospal_cli.backbones import models

    places = {name: models.whereabouts(name) for name in models.known()}
    return {name: str(place) if place else None for name, place in places.items()}


def _as_text(report: dict[str, Any]) -> str:
    """The report as lines for a person."""
    lines = [f"cospal {report['cospal']}, Python {report['python']}, {report['platform']}"]
    lines.append(f"processors: {report['processors']}")
    lines.append(f"runtime: {', '.join(report['onnxruntime']) or 'ONNX Runtime from elsewhere'}")
    for name, works in report["providers"].items():
        lines.append(f"  {name}: {'works' if works else 'a session does not get it'}")
    for name, works in report["codecs"].items():
        lines.append(f"codec {name}: {'yes' if works else 'missing'}")
    for name, state in report["weights"].items():
        lines.append(f"weights {name}: {'whole' if state['ok'] else state['error']}")
        if not state["ok"]:
            lines.append(f"  {state['hint']}")
    for name, place in report["caches"].items():
        lines.append(f"cache {name}: {place or 'none: no home'}")
    for name, place in report["models"].items():
        lines.append(f"model {name}: {place or 'not here'}")
    for name, found in report["packages"].items():
        lines.append(f"package {name}: {found or 'not installed'}")
    lines.append(f"executable: {sys.executable}")
    return "\n".join(printable(line) for line in lines)
