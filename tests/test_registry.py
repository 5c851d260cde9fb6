"""Backends by name, and packages that an extra brings."""

from pathlib import Path

import pytest

from cospal_cli.core.errors import UsageError
from cospal_cli.core.install import install_line
from cospal_cli.core.registry import load, require


def test_load_gives_what_the_name_stands_for() -> None:
    assert load("tool", {"path": "os.path:join"}, "path")("a", "b").endswith("b")


def test_an_unknown_name_lists_the_known_and_the_nearest() -> None:
    with pytest.raises(UsageError, match="'nanodt'") as caught:
        load("detector", {"nanodet": "", "file": ""}, "nanodt")
    assert "did you mean 'nanodet'" in caught.value.hint
    assert "nanodet, file" in caught.value.hint


def test_a_missing_package_names_its_pip_line() -> None:
    assert require("json", "torch").dumps([]) == "[]"
    with pytest.raises(UsageError) as caught:
        require("no_such_package", "torch")
    assert caught.value.hint == install_line("torch")


def test_a_package_that_does_not_load_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_for_test.py").write_text("import another_that_is_absent")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="installed but does not load: No module named 'another"):
        require("broken_for_test", "torch")
