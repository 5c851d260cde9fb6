"""``docs/settings.md``, made from the declarations: python -m cospal_cli.settings.reference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cospal_cli.settings.declare import Declared, declared
from cospal_cli.settings.names import OLD_NAMES_END, old_keys, sections
from cospal_cli.settings.show import allowed, shown
from cospal_cli.settings.stored import READS

INTRODUCTION = """\
# Settings

<!-- Made by: python -m cospal_cli.settings.reference docs/settings.md -->

Settings come from, later wins: defaults, a YAML file (`--config`), the environment, `--set`, flags.
`cospal config show` prints every value and where it came from, as a file that `--config` takes;
`cospal config show --explain KEY` explains one.

```yaml
video:
  fps: 5
detector:
  name: nanodet
  nanodet:
    tiles: 2
```

The same is `--set video.fps=5`, `COSPAL_VIDEO_FPS=5` (or `COSPAL_VIDEO__FPS=5`), `--fps 5`, and in
Python `ground(video, query, video__fps=5)`. Lists are written `[4, 7]` in YAML, `4,7` elsewhere. A
command has the flags that it can use: see its `--help`.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *_sections(), *_renamed()]) + "\n"


def _sections() -> Iterator[str]:
    for name, section in sections().items():
        yield f"## {name}\n"
        yield " ".join((section.__doc__ or "").split()) + "\n"
        if name in READS:
            yield f"Read by {', '.join(f'`{one}`' for one in READS[name])} alone.\n"
        yield "| setting | meaning | values | default | flag |"
        yield "|---|---|---|---|---|"
        yield from (_row(field, one) for field, one in declared(section).items())
        yield ""


def _row(field: str, one: Declared) -> str:
    flag = f"`{one.setting.flag}`" if one.setting.flag else ""
    default = shown(one, one.default)
    default = f"none: {default}" if one.default is None else f"`{default}`"
    return f"| `{field}` | {one.setting.meaning} | {allowed(one)} | {default} | {flag} |"


def _renamed() -> Iterator[str]:
    yield "## Renamed\n"
    yield (
        f"Old names are read until version {OLD_NAMES_END}, with a warning; in checkpoints, "
        "exported heads and\nprepared folders without one.\n"
    )
    yield "| old | now |"
    yield "|---|---|"
    for old, names in old_keys().items():
        yield f"| `{old}` | {' and '.join(f'`{name}`' for name in names)} |"


if __name__ == "__main__":
    import sys

    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
