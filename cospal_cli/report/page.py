"""One HTML file from a template: everything in it, nothing from elsewhere, nothing that runs but
its own script."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cospal_cli.core.escaping import visible
from cospal_cli.core.files import write_text
from cospal_cli.report.drawing import HEIGHT, seconds

if TYPE_CHECKING:
    from jinja2 import Environment


def write_page(path: Path, template: str, title: str, rows: object, **values: Any) -> None:
    """Write the page that ``template`` makes of ``values``, whole or not at all.

    ``rows``: what the page's script sorts and filters by, as JSON. DeviceError when the disk is
    full.
    """
    style, script = _text("page.css"), _text("page.js")
    text = (
        _environment()
        .get_template(template)
        .render(
            title=title,
            style=style,
            script=script,
            policy=policy(style, script),
            rows=embedded(rows),
            height=HEIGHT,
            **values,
        )
    )
    write_text(path, text)


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy: pictures within the page, its own style and script, no more."""
    return (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )


def embedded(value: object) -> str:
    """JSON that may stand in a script element, whatever its texts hold."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))  # ASCII only
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode("utf-8")).digest()).decode("ascii")


def _text(name: str) -> str:
    return resources.files("cospal_cli.report").joinpath(name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    made = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"seconds": seconds, "figure": _figure}
    return made


def _clean(value: Any) -> Any:
    """Texts without characters that a page cannot hold."""
    return visible(value) if type(value) is str else value


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
