"""``cospal doctor``: what works here, what does not, and what to do about it."""

from __future__ import annotations

import json
import platform
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Annotated

from cospal_cli import __version__, devices
from cospal_cli.commands.console import emit, printable
from cospal_cli.commands.context import Context, command, json_option
from cospal_cli.commands.findings import Finding, findings, verdict
from cospal_cli.core.errors import CospalError
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.table import screen_width, table, wrapped

CODECS = ("libx264", "aac")


@dataclass(frozen=True)
class DoctorOptions:
    """See ``doctor``."""

    as_json: Annotated[bool, json_option("Print one JSON document.")]


@command(DoctorOptions)
def doctor(context: Context[DoctorOptions]) -> int:
    """Show what works here, what does not, and what to do.

    Exits with 5 if embedded weights are missing or damaged.
    """
    report = examine()
    emit(json.dumps(report, indent=2) if context.options.as_json else _as_text(report))
    return 0 if all(state["ok"] for state in report["weights"].values()) else 5


def examine() -> JsonDict:
    """Everything that ``cospal doctor`` reports, as plain values."""
    from cospal_cli.devices import processors

    compiled = devices.compiled_providers()
    report: JsonDict = {
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
    results = findings(report)
    report["findings"] = [asdict(one) for one in results]
    report["verdict"] = verdict(results)
    return report


def _packages() -> dict[str, str | None]:
    """Version of each distribution that running cospal may use, None where not installed."""
    versions: dict[str, str | None] = {}
    try:
        named = requires("cospal") or []
    except PackageNotFoundError:  # run from a checkout that is not installed
        return versions
    for requirement in named:
        if requirement.startswith("onnxruntime") or 'extra == "dev"' in requirement:
            continue
        name = requirement.split(";")[0].strip()
        for mark in "[<>=!~ ":
            name = name.split(mark)[0]
        versions[name] = None
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    versions.pop("cospal", None)
    return dict(sorted(versions.items()))


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


def _weights() -> dict[str, JsonDict]:
    """Per embedded model whether its file is there with the right content, and if not, why."""
    from cospal_cli import weights

    states: dict[str, JsonDict] = {}
    for name in weights.manifest():
        try:
            states[name] = {"ok": True, "path": str(weights.path(name))}
        except CospalError as error:
            states[name] = {"ok": False, "error": error.message, "hint": error.hint}
    return states


def _caches() -> dict[str, str | None]:
    """The folders outside the outputs in which models are kept; they need not exist."""
    from cospal_cli.backbones import models

    places = {"models": models.folder(), "huggingface": models.hub_cache()}
    return {name: str(place) if place else None for name, place in places.items()}


def _models() -> dict[str, str | None]:
    """Where each known fetched model lies, None where it does not."""
    from cospal_cli.backbones import models

    places = {name: models.whereabouts(name) for name in models.known()}
    return {name: str(place) if place else None for name, place in places.items()}


def _as_text(report: JsonDict) -> str:
    """The report as lines of text: what works, what does not, what to do, the verdict."""
    width = screen_width()
    lines = [f"cospal {report['cospal']}, Python {report['python']}, {report['platform']}"]
    lines.append(f"{report['processors']} processors; {sys.executable}")
    results = [Finding(**one) for one in report["findings"]]
    for title, good in (("works", True), ("does not work", False)):
        rows = [[f"  {one.what}", one.detail] for one in results if one.works == good]
        if rows:
            lines += ["", *table([[title, ""], *rows], "ll", width)]
    if todo := [[f"  {one.what}", one.todo] for one in results if one.todo]:
        lines += ["", *table([["what to do", ""], *todo], "ll", width)]
    details = [["details", ""]]
    details += [
        [f"  weights {name}", one.get("path", "-")] for name, one in report["weights"].items()
    ]
    details += [[f"  model {name}", at or "not here"] for name, at in report["models"].items()]
    details += [[f"  cache {name}", at or "none: no home"] for name, at in report["caches"].items()]
    packages = [f"{name} {number or '-'}" for name, number in report["packages"].items()]
    details.append(["  packages", ", ".join(packages)])
    lines += [
        "",
        *table(details, "ll", width),
        "",
        *wrapped(f"verdict: {report['verdict']}", width),
    ]
    return "\n".join(printable(line) for line in lines)
