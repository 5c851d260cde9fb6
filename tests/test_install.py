"""Hints that name a pip line: one that works where cospal came from."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from cospal_cli.core import install


@pytest.fixture
def came_from(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets what pip wrote when it installed cospal; None: installed from an index."""

    def of(url: str | None, root: Path = Path("/nowhere")) -> None:
        class Installed:
            @staticmethod
            def read_text(name: str) -> str | None:
                assert name == "direct_url.json"
                return None if url is None else json.dumps({"url": url})

        monkeypatch.setattr("importlib.metadata.distribution", lambda name: Installed)
        monkeypatch.setattr(install, "ROOT", root)
        monkeypatch.setattr("shutil.which", lambda name: None)

    return of


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "my checkout"
    folder.mkdir()
    for name in ("pyproject.toml", "constraints-cpu.txt", "constraints-cuda13.txt"):
        (folder / name).touch()
    return folder


def test_in_a_checkout(came_from: Any, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came_from(checkout.as_uri())
    monkeypatch.chdir(checkout)
    assert install.install_line("train") == "pip install -c constraints-cpu.txt '.[train]'"
    assert install.restore_line(Path("/site-packages/x.onnx")) == (
        "pip install --force-reinstall --no-deps ."
    )
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/nvidia-smi")
    assert install.install_line("train") == "pip install -c constraints-cuda13.txt '.[train]'"


def test_elsewhere_it_names_the_checkout(
    came_from: Any, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came_from(checkout.as_uri())
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    line = install.install_line("torch")
    assert shlex.split(line) == [
        "pip", "install", "-c", str(checkout / "constraints-cpu.txt"), f"{checkout}[torch]",
    ]  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert shlex.split(install.install_line("torch"))[-1] == "./my checkout[torch]"


def test_run_from_a_checkout_that_is_not_installed(
    came_from: Any, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came_from(None, checkout)
    monkeypatch.chdir(checkout)
    assert install.install_line("train") == "pip install -c constraints-cpu.txt '.[train]'"
    damaged = checkout / "cospal_cli" / "weights" / "x.onnx"
    assert install.restore_line(damaged) == "git -C . checkout -- cospal_cli/weights/x.onnx"


def test_from_a_wheel(came_from: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "cospal-0.1.0-py3-none-any.whl"
    wheel.touch()
    came_from(wheel.as_uri())
    monkeypatch.chdir(tmp_path)
    assert install.install_line("train") == "pip install './cospal-0.1.0-py3-none-any.whl[train]'"
    wheel.unlink()
    line = install.install_line("train")
    assert line.startswith("pip install './cospal-0.1.0-py3-none-any.whl[train]', where ")


@pytest.mark.parametrize("url", [None, "https://example.org/cospal.whl", "", "no url"])
def test_from_an_index(came_from: Any, url: str | None) -> None:
    came_from(url)
    assert install.install_line("train") == "pip install 'cospal[train]'"
    assert install.restore_line(Path("x")) == "pip install --force-reinstall --no-deps cospal"


def test_no_other_place_writes_such_a_line() -> None:
    package = Path(install.__file__).parents[1]
    spelled = [
        path.name
        for path in [*package.rglob("*.py"), *package.parent.joinpath("exporters").rglob("*.py")]
        if "pip install 'cospal" in path.read_text("utf-8")
        or "reinstall cospal" in path.read_text("utf-8")
    ]
    assert spelled == []
