"""Where models are looked for, without network or heavy packages, and that damage is noticed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from cospal_cli.backbones import models, record
from cospal_cli.backbones.verify import verify
from cospal_cli.core.errors import WeightsError
from cospal_cli.settings import resolve
from cospal_cli.weights.headers import check_safetensors

PLACES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "COSPAL_MODELS")
# Which folder below each variable's is the hub's cache, the weakest variable first.
HUB_BELOW = {"XDG_CACHE_HOME": "huggingface/hub", "HF_HOME": "hub", "HF_HUB_CACHE": ""}


def tensors(**values: list[float]) -> bytes:
    """A safetensors file of float32 vectors."""
    header, data = {}, b""
    for name, numbers in values.items():
        begin = len(data)
        data += struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": [len(numbers)], "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home: nothing of this machine's own caches is seen."""
    for name in PLACES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def put(folder: Path, name: str = "model.safetensors") -> Path:
    folder.mkdir(parents=True)
    (folder / name).write_bytes(tensors(a=[1.0, 2.0]))
    (folder / "config.json").write_text("{}")
    return folder


def put_in_hub_cache(hub: Path, repo: str, commit: str = "a" * 40, main: bool = True) -> Path:
    """A repository as huggingface_hub keeps it: blobs by hash, links to them by name."""
    top = hub / f"models--{repo.replace('/', '--')}"
    snapshot = top / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (top / "blobs").mkdir()
    data = tensors(a=[1.0])
    blob = top / "blobs" / hashlib.sha256(data).hexdigest()
    blob.write_bytes(data)
    (snapshot / "model.safetensors").symlink_to(blob)
    config = b"{}"
    small = top / "blobs" / hashlib.sha1(b"blob 2\0" + config).hexdigest()
    small.write_bytes(config)
    (snapshot / "config.json").symlink_to(small)
    if main:
        (top / "refs").mkdir()
        (top / "refs" / "main").write_text(commit)
    return snapshot


def test_known_models_are_complete() -> None:
    required = {"grounding-dino-tiny", "grounding-dino-base", "mm-grounding-dino-tiny"}
    required |= {"groundingdino-swint-ogc", "groundingdino-swinb-cogcoor", "bert-base-uncased"}
    required |= {"i3d-rgb", "videomae-base", "timesformer-base", "vjepa2-vitl"}
    assert set(models.known()) >= required
    for name, entry in models.known().items():
        assert entry.id == name == models.own_name(name)
        assert entry.kind in ("detector", "text", "image-text", "video")
        assert entry.licence
        assert entry.file.endswith(models.WEIGHTS)
        assert entry.single or models.HUB_ID.fullmatch(entry.source)
        assert entry.sha256 is None or re.fullmatch("[0-9a-f]{64}", entry.sha256)
        assert (entry.bytes is None) == (entry.sha256 is None)
        assert entry.bytes is None or round(entry.bytes / 1e6) == entry.megabytes
        assert entry.sha256 is None or entry.revision, "a hash is of one revision"
        assert models.find(entry.source) is entry


def test_a_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    here = put(tmp_path / "mine")
    assert models.locate(str(here)) == here
    assert models.locate(str(here / "model.safetensors")) == here / "model.safetensors"
    put(home / "net")
    assert models.locate("~/net") == home / "net"
    monkeypatch.chdir(tmp_path)
    assert models.locate("mine") == Path("mine")


def test_then_the_models_folder_then_the_hub_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    cached = put_in_hub_cache(home / ".cache/huggingface/hub", "IDEA-Research/grounding-dino-tiny")
    for name in ("grounding-dino-tiny", "IDEA-Research/grounding-dino-tiny"):
        assert models.locate(name) == cached
    default = put(home / ".cache/cospal/models/grounding-dino-tiny")
    assert models.locate("grounding-dino-tiny") == default
    monkeypatch.setenv("COSPAL_MODELS", str(tmp_path / "store"))
    assert models.locate("grounding-dino-tiny") == cached
    own = put(tmp_path / "store/grounding-dino-tiny")
    for name in ("grounding-dino-tiny", "IDEA-Research/grounding-dino-tiny"):
        assert models.locate(name) == own
    other = put(tmp_path / "store/some--body")
    assert models.locate("some/body") == other
    assert models.available("some/body")


def test_the_variables_of_the_hub_are_honoured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, below in HUB_BELOW.items():
        monkeypatch.setenv(name, str(tmp_path / name))
        found = put_in_hub_cache(tmp_path / name / below, "a/b")
        assert models.locate("a/b") == found


def test_the_hub_cache_is_where_huggingface_hub_keeps_it(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    code = (
        "from huggingface_hub import constants, snapshot_download\n"
        "from cospal_cli.backbones import models\n"
        "assert str(models.hub_cache()) == constants.HF_HUB_CACHE, constants.HF_HUB_CACHE\n"
        "assert str(models.locate('a/b')) == snapshot_download('a/b', local_files_only=True)\n"
    )
    for name, below in HUB_BELOW.items():
        place = tmp_path / name
        put_in_hub_cache(place / below, "a/b")
        env = {k: v for k, v in os.environ.items() if k not in PLACES} | {name: str(place)}
        subprocess.run([sys.executable, "-c", code], check=True, env=env)


def test_the_pinned_revision_and_old_names_are_found(home: Path) -> None:
    hub = home / ".cache/huggingface/hub"
    put_in_hub_cache(hub, "bert-base-uncased")
    pinned = models.known()["bert-base-uncased"].revision
    assert pinned
    assert models.locate("bert-base-uncased").name == "a" * 40
    put_in_hub_cache(hub, "google-bert/bert-base-uncased", pinned, main=False)
    assert models.locate("bert-base-uncased").name == pinned


def test_a_snapshot_without_weights_is_passed_over(home: Path) -> None:
    snapshot = put_in_hub_cache(home / ".cache/huggingface/hub", "a/b")
    (snapshot / "model.safetensors").resolve().unlink()  # the link leads nowhere now
    assert models.whereabouts("a/b") is None


def test_single_checkpoints_are_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSPAL_MODELS", str(tmp_path))
    put(tmp_path / "i3d-rgb", "rgb_imagenet.pt")
    assert models.locate("i3d-rgb") == tmp_path / "i3d-rgb" / "rgb_imagenet.pt"


def test_missing_names_every_folder_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSPAL_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(WeightsError) as caught:
        models.locate("grounding-dino-tiny")
    assert str(tmp_path / "store") in caught.value.message
    assert str(tmp_path / "hub") in caught.value.message
    assert caught.value.hint == "run: cospal models fetch grounding-dino-tiny"
    assert caught.value.exit_code == 5
    with pytest.raises(WeightsError) as caught:
        models.locate("i3d-rgb")
    assert str(tmp_path / "hub") not in caught.value.message  # no hub holds it
    assert not models.available("some/body")


@pytest.mark.parametrize("name", ["i3d-rbg", "no/such/folder", "../up/..", "a\0b", "x" * 5000, ""])
def test_what_cannot_be_a_model_is_no_hub_id(name: str) -> None:
    with pytest.raises(WeightsError, match="no such folder or file") as caught:
        models.locate(name)
    assert "cospal models list" in caught.value.hint
    assert ("'i3d-rgb'" in caught.value.hint) == (name == "i3d-rbg")


def test_without_any_home_nothing_breaks() -> None:
    code = (
        "import os, pwd\n"
        "from cospal_cli.backbones import models\n"
        "def nobody(uid): raise KeyError(uid)\n"
        "pwd.getpwuid = nobody\n"
        "assert models.folder() is None and models.hub_cache() is None\n"
        "assert not models.available('i3d-rgb') and not models.available('~/x')\n"
    )
    env = {"PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


def test_an_unreadable_cache_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert models.whereabouts("grounding-dino-tiny") is None


def test_looking_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from cospal_cli.backbones import models, verify\n"
        "models.available('grounding-dino-tiny'), verify.present()\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub', 'numpy', 'safetensors'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_its_variables_are_no_settings() -> None:
    environ = {"COSPAL_MODELS": "/somewhere", "COSPAL_OFFLINE": "1"}
    assert resolve(None, environ).config == resolve().config


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    folder = put(tmp_path / "some--body")
    record.write(folder, "some/body", "main", "MIT")
    return folder


def test_a_recorded_model_is_whole(fetched: Path) -> None:
    assert models.locate(str(fetched)) == fetched
    kept = record.read(fetched)
    assert kept
    assert (kept.source, kept.licence, set(kept.files)) == (
        "some/body",
        "MIT",
        {"model.safetensors", "config.json"},
    )
    assert [verdict.state for verdict in verify(str(fetched))] == ["ok", "ok"]


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(data[:-1])
    else:
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        os.utime(path, (1, 1))


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("missing", r"model\.safetensors: missing"),
        ("truncated", r"model\.safetensors: \d+ bytes, but \d+ were fetched"),
        ("changed", r"model\.safetensors: sha256 [0-9a-f]{64}, but that of the fetched"),
    ],
)
def test_damage_is_refused_when_located(fetched: Path, how: str, says: str) -> None:
    damage(fetched / "model.safetensors", how)
    with pytest.raises(WeightsError, match=says) as caught:
        models.locate(str(fetched))
    assert caught.value.hint == "fetch it again: cospal models fetch some/body"
    assert not models.available(str(fetched))
    assert [v.state for v in verify(str(fetched))] == ["ok", "damaged"]


def test_damage_that_keeps_the_time_is_found_by_verify(fetched: Path) -> None:
    path = fetched / "model.safetensors"
    before = path.stat().st_mtime_ns
    damage(path, "changed")
    os.utime(path, ns=(before, before))
    assert models.locate(str(fetched)) == fetched  # not read: its size and time are as recorded
    assert [v.state for v in verify(str(fetched))] == ["ok", "damaged"]


def test_a_copy_is_hashed_once_and_its_times_remembered(
    fetched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(fetched, copy, copy_function=shutil.copyfile)
    hashed: list[Path] = []
    real = record.sha256
    monkeypatch.setattr(record, "sha256", lambda path: hashed.append(path) or real(path))
    models.locate(str(copy))
    models.locate(str(copy))
    assert sorted(path.name for path in hashed) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": "cospal/model@1", "files": 3}'])
def test_a_damaged_record_is_refused(fetched: Path, text: str) -> None:
    (fetched / record.NAME).write_text(text)
    with pytest.raises(WeightsError, match="this record is damaged"):
        models.locate(str(fetched))
    assert [verdict.state for verdict in verify(str(fetched))] == ["damaged"]


def test_verify_reads_the_hub_cache_by_its_hashes(home: Path) -> None:
    snapshot = put_in_hub_cache(home / ".cache/huggingface/hub", "a/b")
    assert [verdict.state for verdict in verify("a/b")] == ["ok", "ok"]
    damage((snapshot / "model.safetensors").resolve(), "changed")
    damage((snapshot / "config.json").resolve(), "changed")
    assert [verdict.state for verdict in verify("a/b")] == ["damaged", "damaged"]


def test_verify_holds_the_pinned_revision_to_its_known_hash(home: Path) -> None:
    entry = models.known()["grounding-dino-tiny"]
    assert entry.revision
    put_in_hub_cache(home / ".cache/huggingface/hub", entry.source, entry.revision)
    states = {verdict.path.name: verdict.state for verdict in verify(entry.id)}
    assert states == {"config.json": "ok", "model.safetensors": "damaged"}


def test_verify_without_any_hash_says_so(tmp_path: Path) -> None:
    folder = put(tmp_path / "net")
    assert {verdict.state for verdict in verify(str(folder))} == {"unknown"}
    damage(folder / "model.safetensors", "truncated")
    assert [verdict.state for verdict in verify(str(folder))] == ["unknown", "damaged"]


def header(text: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(begin: int, end: int, shape: str = "[1]", dtype: str = "F32") -> str:
    return f'{{"dtype": "{dtype}", "shape": {shape}, "data_offsets": [{begin}, {end}]}}'


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "header too small"),
        (b"\x05\0\0", "header too small"),
        (header(b"{}", length=2**62), "header too large"),
        (header(b"{}", length=2**31), "header too large"),
        (header(b"{}", length=99_000_000), "invalid header length"),
        (header(b"{" * 40), "invalid JSON"),
        (header(b"[" * 100_000), "invalid JSON"),
        (header(b'{"a":' * 100_000), "recursion limit"),
        (header(b"\xff\xfe{}"), "invalid UTF-8"),
        (header(b"[1]"), "invalid JSON"),
        (header(b'{"a": 3}'), "invalid type: integer `3`"),
        (header(f'{{"a": {entry(0, 4, "[-1]")}}}'.encode(), b"1234"), "integer `-1`"),
        (header(f'{{"a": {entry(0, 4, "[1.5]")}}}'.encode(), b"1234"), "floating point `1.5`"),
        (header(f'{{"a": {entry(0, 4, "[1]", "PKL")}}}'.encode(), b"1234"), "variant `PKL`"),
        (header(f'{{"a": {entry(0, 4, "[2]")}}}'.encode(), b"1234"), "invalid shape"),
        (
            header(f'{{"a": {entry(0, 4, f"[{2**40}, {2**40}]")}}}'.encode(), b"1234"),
            "overflow computing buffer size",
        ),
        (
            header(f'{{"a": {entry(0, 4)}, "b": {entry(2, 6)}}}'.encode(), b"123456"),
            "invalid offset for tensor `b`",
        ),
        (
            header(f'{{"a": {entry(0, 4)}, "b": {entry(8, 12)}}}'.encode(), b"1" * 12),
            "invalid offset for tensor `b`",
        ),
        (tensors(a=[1.0, 2.0])[:-3], "file not fully covered"),
        (tensors(a=[1.0, 2.0]) + b"more", "file not fully covered"),
    ],
)
def test_headers_that_lie_are_refused(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=says) as caught:
        check_safetensors(path)
    assert caught.value.message.startswith(f"{path}: damaged safetensors file")
    assert "\n" not in caught.value.message


def test_an_honest_header_gives_the_shapes(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(tensors(a=[1.0, 2.0], b=[], c=[3.0]))
    assert check_safetensors(path) == {"a": (2,), "b": (0,), "c": (1,)}


@pytest.mark.parametrize(
    "name", ["../outside", "a/../../outside", "/etc/passwd", "..", "C:\\x", ""]
)
def test_a_record_names_no_file_outside_its_folder(fetched: Path, name: str) -> None:
    path = fetched / record.NAME
    told = json.loads(path.read_text())
    told["files"][name] = {"bytes": 1, "sha256": "0" * 64, "mtime_ns": 0}
    path.write_text(json.dumps(told))
    with pytest.raises(WeightsError, match=r"record is damaged: .* leads out of"):
        models.locate(str(fetched))
    (verdict,) = verify(str(fetched))
    assert (verdict.path, verdict.state) == (path, "damaged")
