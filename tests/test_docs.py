"""The documentation keeps its word: every command and option exists, and what it shows runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cospal_cli.cli import COMMANDS, cli
from cospal_cli.settings import Config, flatten

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
LINES = [part.strip() for line in SHELL.splitlines() for part in line.split("&&")]
COSPAL_LINES = [line for line in LINES if line.startswith("cospal ")]


def command_of(words: list[str]) -> click.Command:
    """The innermost command that ``cospal WORDS`` runs."""
    command: click.Command = cli
    for word in words:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"no command {word!r}"
        command = found
    return command


def options_of(command: click.Command) -> set[str]:
    return {name for one in command.params for name in (*one.opts, *one.secondary_opts)}


@pytest.mark.parametrize("line", COSPAL_LINES)
def test_readme_lines_use_what_exists(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    given = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert given <= options_of(command_of(words))


@pytest.mark.parametrize("page", ["README.md", "docs/use.md", "docs/training.md", "docs/models.md"])
def test_every_option_named_in_the_text_exists(page: str) -> None:
    known = {"--device", "--help"}
    for name in COMMANDS:
        command = command_of([name])
        parts = [command]
        if isinstance(command, click.Group):
            ctx = click.Context(command)
            parts = [command.get_command(ctx, part) for part in command.list_commands(ctx)]
        for part in parts:
            known |= options_of(part)
    text = (ROOT / page).read_text(encoding="utf-8")
    ours = re.sub(r"pip install[^`\n]*", "", text)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours))
    assert named
    assert named <= known


def test_every_command_is_in_the_readme() -> None:
    for name in COMMANDS:
        assert re.search(rf"`(cospal )?{name}\b|cospal {name}\b", README), name


def test_every_command_has_help_on_every_option() -> None:
    for name in COMMANDS:
        command = command_of([name])
        assert command.help
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, (name, option.name)


def test_settings_named_in_the_readme_exist() -> None:
    keys = flatten(Config())
    for key in re.findall(r"`([a-z]+\.[a-z_]+)`", README):
        assert key in keys or (ROOT / key).exists() or key.split(".")[0] == "pipeline", key


def test_links_and_pictures_of_the_documents_exist() -> None:
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} points at {target}"


def test_ci_installs_and_tests_what_the_readme_says() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    install = next(line for line in LINES if line.startswith("pip install -c"))
    assert install.removeprefix("pip install ") in script
    assert "pytest" in LINES[-1] or "pytest" in LINES


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the checkout to the commands of the README, but is scratch."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    return done


def printed(after: str) -> list[str]:
    """What the README shows as printed behind the block that holds ``after``, line by line."""
    blocks = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
    at = next(at for at, (_, block) in enumerate(blocks) if after in block)
    assert blocks[at + 1][0] == "text"
    return blocks[at + 1][1].splitlines()


def worded(lines: list[str]) -> list[str]:
    """Lines without their numbers, which may differ in the last place from machine to machine."""
    return [re.sub(r"[-+]?\d+(\.\d+)?", "N", line) for line in lines]


@pytest.mark.parametrize("line", COSPAL_LINES)
def test_readme_commands_run(line: str, checkout: Path) -> None:
    words = shlex.split(line, comments=True)[1:]
    done = run([sys.executable, "-m", "cospal_cli", *words], checkout)
    for path in re.findall(r"^  wrote (.+)$", done.stderr, re.MULTILINE):
        assert (checkout / path).stat().st_size > 0
    if line == COSPAL_LINES[0]:
        assert worded(printed(line)) == worded(done.stderr.splitlines())
    assert done.stdout.strip() or ("--json" not in words and done.stderr.strip())


def test_readme_python_runs(checkout: Path) -> None:
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code
    done = run([sys.executable, "-c", code[1]], checkout)
    assert worded(printed("from cospal_cli")) == worded(done.stdout.splitlines())


@pytest.mark.parametrize("script", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(script: Path, tmp_path: Path) -> None:
    assert run([sys.executable, str(script)], tmp_path).stdout.strip()


def test_the_readme_shows_what_is_explained(tmp_path: Path) -> None:
    blocks = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    shown, *lines = next(one.splitlines() for one in blocks if one.startswith("$ "))
    asked = shlex.split(shown.removeprefix("$ "))[1:]
    assert run([sys.executable, "-m", "cospal_cli", *asked], tmp_path).stdout.splitlines() == lines
