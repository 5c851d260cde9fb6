"""The options of ``cospal ground``, and the settings that have flags there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cospal_cli.commands.context import PATH, TEXT_PATH, argument, json_option, option
from cospal_cli.commands.libraries import library_option
from cospal_cli.commands.options import (
    DETECTION_FLAGS,
    DEVICE_FLAGS,
    ENGINE_FLAGS,
    RUNTIME_FLAGS,
    VIDEO_FLAGS,
    recursive_option,
    report_option,
)
from cospal_cli.core.backends import OUTPUTS
from cospal_cli.settings.words import FIND, INPUT, LOGGING, MODELS

FLAGS = (
    *VIDEO_FLAGS,
    "detector.file.path",
    "ground.method",
    "ground.top_k",
    "ground.all",
    "ground.min_match",
    "output.overwrite",
    "output.video",
    "output.clip",
    "output.clip_copy",
    "output.crop",
    "output.pad",
    "output.sheet",
    "output.thumbnail",
    *DETECTION_FLAGS,
    "appearance.image_text",
    *RUNTIME_FLAGS,
    *DEVICE_FLAGS,
    *ENGINE_FLAGS,
)


@dataclass(frozen=True)
class GroundOptions:
    """See ``ground``."""

    arguments: Annotated[tuple[str, ...], argument(nargs=-1, metavar="INPUT... QUERY")]
    queries: Annotated[
        tuple[str, ...],
        option(
            "-q",
            "--query",
            group=FIND,
            multiple=True,
            help="A sentence, in place of QUERY; repeatable.",
        ),
    ]
    query_file: Annotated[
        Path | None,
        option("--query-file", group=FIND, type=PATH, help="Text file with one sentence per line."),
    ]
    recursive: Annotated[bool, recursive_option]
    files_from: Annotated[
        str | None,
        option(
            "--files-from",
            group=INPUT,
            type=TEXT_PATH,
            metavar="LIST|-",
            help="Videos from a list, one path per line; - is stdin.",
        ),
    ]
    nul: Annotated[
        bool,
        option(
            "-0",
            "--null",
            group=INPUT,
            is_flag=True,
            help="Paths in that list are separated by NUL.",
        ),
    ]
    manifest: Annotated[
        Path | None,
        option(
            "--manifest",
            group=INPUT,
            type=PATH,
            metavar="FILE",
            help="CSV or JSON Lines of video, query and, if wanted, id, start, end.",
        ),
    ]
    shard: Annotated[
        str | None,
        option(
            "--shard", group=INPUT, metavar="I/N", help="Only part I of N of the videos, from 1."
        ),
    ]
    output: Annotated[
        str | None,
        option(
            "-o",
            "--output",
            type=TEXT_PATH,
            help="Write to this .mp4 or .json file, or folder.  [default: .]",
        ),
    ]
    as_json: Annotated[bool, json_option("Print the JSON; write files only with -o.")]
    unordered: Annotated[
        bool,
        option("--unordered", is_flag=True, help="Print the JSON of many videos as they finish."),
    ]
    skip_existing: Annotated[
        bool,
        option(
            "--skip-existing",
            is_flag=True,
            help="Continue an earlier run: keep results that are up to date.",
        ),
    ]
    retry_failed: Annotated[
        bool,
        option("--retry-failed", is_flag=True, help="Repeat only what failed in the last run."),
    ]
    checkpoint: Annotated[
        str | None,
        option(
            "--checkpoint",
            group=MODELS,
            type=TEXT_PATH,
            metavar="DIR|FILE.pth",
            help="Trained heads (a folder; implies --method cospal), or original weights of "
            "Grounding DINO (a file).",
        ),
    ]
    formats: Annotated[
        tuple[str, ...],
        option(
            "--format",
            multiple=True,
            metavar="NAME",
            help=f"Write the tubes in this format too: {', '.join(OUTPUTS)}; repeatable.",
        ),
    ]
    report: Annotated[Path | None, report_option]
    library: Annotated[Path | None, library_option]
    fail_on_empty: Annotated[
        bool,
        option(
            "--fail-on-empty", is_flag=True, help="Exit with 7 if nothing is found for a sentence."
        ),
    ]
    dry_run: Annotated[
        bool,
        option("--dry-run", is_flag=True, help="Check everything and show the plan, nothing more."),
    ]
    offline: Annotated[
        bool,
        option(
            "--offline", group=LOGGING, is_flag=True,
            help="For scripts: this command never uses the network.",
        ),
    ]  # fmt: skip
