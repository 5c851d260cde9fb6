"""``cospal models``: the backbones that are downloaded, not shipped."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import click

from cospal_cli.commands.console import emit, printable, say
from cospal_cli.commands.context import (
    HELP,
    PATH,
    TEXT_PATH,
    Context,
    argument,
    command,
    json_option,
    option,
)
from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.table import screen_width, table


@click.group(context_settings=HELP)
def models() -> None:
    """Foundation backbones: list, fetch, verify and convert them.

    Nothing else in cospal downloads anything. NAME is an id of 'cospal models list', a hub id
    (OWNER/NAME), a folder or a file.
    """


@dataclass(frozen=True)
class ListOptions:
    """See ``list_``."""

    as_json: Annotated[bool, json_option("Print one JSON document.")]


@command(ListOptions, name="list", light=True)
def list_(context: Context[ListOptions]) -> None:
    """Show the known models, and which are on this machine."""
    from cospal_cli.backbones import models as store

    rows = [{**vars(entry), "path": _place(entry.id)} for entry in store.known().values()]
    folder = str(store.folder() or "")
    if context.options.as_json:
        emit(json.dumps({"folder": folder, "models": rows, "others": _others()}, indent=2))
        return
    cells = [["id", "kind", "size", "licence", "here"]]
    for row in rows:
        size = f"{row['megabytes']:,} MB"
        cells.append([row["id"], row["kind"], size, row["licence"], row["path"] or "no"])
    cells += [[name, "", "", "", path] for name, path in _others().items()]
    emit("\n".join(map(printable, table(cells, "llrll", screen_width()))))


@dataclass(frozen=True)
class FetchOptions:
    """See ``fetch``."""

    names: Annotated[
        tuple[str, ...], argument(nargs=-1, required=True, type=TEXT_PATH, metavar="NAME...")
    ]
    yes: Annotated[bool, option("--yes", "-y", is_flag=True, help="Do not ask before downloading.")]
    offline: Annotated[
        bool,
        option("--offline", is_flag=True, help="Use no network: fail if the model is not here."),
    ]


@command(FetchOptions)
def fetch(context: Context[FetchOptions]) -> None:
    """Download models, check them and print their paths.

    An interrupted download continues where it stopped. Exit codes: 2 not confirmed, 5 not found,
    withheld, damaged or no network, 6 disk full.
    """
    for name in context.options.names:
        emit(str(_here(name) or _fetch(name, context)))


@dataclass(frozen=True)
class VerifyOptions:
    """See ``verify``."""

    name: Annotated[str, argument(type=TEXT_PATH, metavar="NAME|all")]
    as_json: Annotated[bool, json_option("Print one JSON document.")]


@command(VerifyOptions)
def verify(context: Context[VerifyOptions]) -> int:
    """Check every file of a model, or of all fetched ones, by its sha256.

    Prints ok, damaged, or unknown where no sha256 is known. Exits with 5 if a
    file is damaged.
    """
    from cospal_cli.backbones import verify as check

    name, as_json = context.options.name, context.options.as_json
    results = {one: check.verify(one) for one in (check.present() if name == "all" else [name])}
    verdicts = [(one, verdict) for one, all_files in results.items() for verdict in all_files]
    if as_json:
        rows = [{"model": one, **v._asdict(), "path": str(v.path)} for one, v in verdicts]
        emit(json.dumps(rows, indent=2))
    for one, verdict in verdicts if not as_json else ():
        emit(printable(f"{verdict.state:<8} {one} {verdict.path.name}: {verdict.detail}"))
    damaged = sorted({one for one, verdict in verdicts if verdict.state == check.DAMAGED})
    if damaged:
        raise WeightsError(
            f"damaged: {', '.join(damaged)}", f"run: cospal models fetch {' '.join(damaged)}"
        )
    return 0


@dataclass(frozen=True)
class PathOptions:
    """See ``path``."""

    name: Annotated[str, argument(type=TEXT_PATH, metavar="NAME")]


@command(PathOptions)
def path(context: Context[PathOptions]) -> None:
    """Print the folder (of a single checkpoint: the file) of a model."""
    from cospal_cli.backbones import models as store

    emit(str(store.locate(context.options.name)))


@dataclass(frozen=True)
class ConvertOptions:
    """See ``convert``."""

    source: Annotated[Path, argument(type=PATH)]
    target: Annotated[Path, argument(type=PATH)]


@command(ConvertOptions)
def convert(context: Context[ConvertOptions]) -> None:
    """Turn an original Grounding DINO checkpoint into a folder of transformers, or back.

    SOURCE is a .pth file or a folder; TARGET becomes the other. SOURCE may also be a known id.
    """
    from cospal_cli.detect.dino.convert import convert_checkpoint

    convert_checkpoint(context.options.source, context.options.target)
    emit(str(context.options.target))


for one in (list_, fetch, verify, path, convert):
    models.add_command(one)


def _fetch(name: str, context: Context[FetchOptions]) -> Path:
    """Plan, ask, download; the path of the model."""
    yes, offline, quiet = context.options.yes, context.options.offline, context.quiet
    from cospal_cli.backbones import hub
    from cospal_cli.backbones import models as store

    if store.own_name(name) is None:
        raise store.not_here(name)
    if offline or hub.offline():
        raise WeightsError(
            f"{name} is not here, and the network may not be used",
            "fetch without --offline, HF_HUB_OFFLINE and COSPAL_OFFLINE, or copy its folder to "
            f"{store.folder()}",
        )
    if not yes and not (sys.stdin and sys.stdin.isatty()):
        raise UsageError(
            f"downloading {name} must be confirmed, and stdin is not a terminal",
            "give --yes",
        )
    plan = hub.make_plan(name)
    size = f"{plan.bytes / hub.MB:,.0f} MB" if plan.bytes else "size not known"
    if not quiet or not yes:
        say(printable(f"{name}: {size} from {plan.source}, licence {plan.licence}"))
        say(printable(f"  into {plan.target}"))
    if not yes and not click.confirm("fetch it?", err=True):
        raise UsageError(f"{name} was not fetched", "answer y, or give --yes")
    with context.progress("MB") as report:
        place = hub.download(plan, report)
    if not quiet and not all(file.sha256 for file in plan.files[:1]):
        say(f"  {plan.files[0].name}: no sha256 was known; it is recorded now for 'models verify'")
    return place


def _here(name: str) -> Path | None:
    """Where ``name`` is already; None if it does not, or is damaged and can be fetched anew."""
    from cospal_cli.backbones import models as store

    try:
        return store.locate(name)
    except WeightsError as error:
        if store.whereabouts(name) is not None:
            say(printable(f"warning: {error.message}; fetching it again"))
        return None


def _place(name: str) -> str | None:
    from cospal_cli.backbones import models as store

    path = store.whereabouts(name)
    return str(path) if path else None


def _others() -> JsonDict:
    """Fetched models that ``known.json`` does not list, by name."""
    from cospal_cli.backbones import models as store
    from cospal_cli.backbones.verify import present

    return {name: _place(name) for name in present() if name not in store.known()}
