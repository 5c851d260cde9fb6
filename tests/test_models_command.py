"""``cospal models`` against a hub on this machine, over real HTTP."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cospal_cli.backbones import hub, models, record, transfer
from cospal_cli.cli import run
from cospal_cli.core.errors import CospalError, DeviceError, WeightsError
from cospal_cli.core.install import install_line
from tests.fake_hub import COMMIT, FakeHub, running
from tests.test_weights_models import PLACES, tensors

DATA = tensors(a=[float(number) for number in range(5000)])
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(scope="module")
def _server() -> Iterator[FakeHub]:
    with running() as server:
        yield server


@pytest.fixture
def server(_server: FakeHub) -> FakeHub:
    """The hub, with one model."""
    files = {"model.safetensors": DATA, "config.json": b"{}", "pytorch_model.bin": b"pickle"}
    _server.repos = {"own/er": files}
    _server.plain = {"/net.pt": DATA}
    _server.refused, _server.cut, _server.corrupt = {}, None, False
    _server.asked.clear()
    return _server


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (*PLACES, "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "COSPAL_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COSPAL_MODELS", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def single(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> models.Known:
    """A known checkpoint behind a URL of the fake hub."""
    entry = replace(
        models.known()["i3d-rgb"],
        id="net",
        source=f"{server.url}/net.pt",
        file="net.pt",
        bytes=len(DATA),
        sha256=SHA,
    )
    monkeypatch.setattr(models, "known", lambda: {"net": entry})
    return entry


def cospal(
    server: FakeHub, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A process of its own: huggingface_hub reads its environment when it is imported."""
    environ = {**os.environ, "HF_ENDPOINT": server.url, **(env or {})}
    command = [sys.executable, "-m", "cospal_cli", "models", *arguments]
    return subprocess.run(
        command, env=environ, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def program(entry: models.Known, body: str) -> list[str]:
    """A Python process in which ``entry`` is the only known model, and ``body`` runs."""
    fields = json.dumps({**vars(entry), "also": []})
    start = (
        "import json, sys, time\n"
        "from cospal_cli.backbones import hub, models, record\n"
        f"entry = models.Known(**json.loads({fields!r}))\n"
        "models.known = lambda: {entry.id: entry}\n"
    )
    return [sys.executable, "-c", start + body]


FETCH = (
    "from cospal_cli.cli import run\nsys.exit(run(['models', 'fetch', entry.id, *sys.argv[1:]]))"
)


def partial(store: Path) -> list[str]:
    """Names in the folder of unfinished downloads, but for locks."""
    return [path.name for path in (store / ".partial").glob("*/*")]


def test_fetch_brings_checks_and_records(server: FakeHub, store: Path) -> None:
    pytest.importorskip("huggingface_hub")
    done = cospal(server, "fetch", "own/er", "--yes")
    place = store / "own--er"
    assert (done.returncode, done.stdout) == (0, f"{place}\n"), done.stderr
    assert "licence mit" in done.stderr
    assert "%" not in done.stderr  # no bar where there is no terminal
    assert sorted(path.name for path in place.iterdir()) == [
        "config.json",
        "cospal.json",
        "model.safetensors",
    ]
    assert (place / "model.safetensors").read_bytes() == DATA
    kept = record.read(place)
    assert kept
    assert (kept.source, kept.revision, kept.licence) == ("own/er", COMMIT, "mit")
    assert kept.files["model.safetensors"].sha256 == SHA
    assert models.locate("own/er") == place
    assert partial(store) == []
    asked = len(server.asked)
    again = cospal(server, "fetch", "own/er")  # here already: neither asks nor needs --yes
    assert (again.returncode, again.stdout, again.stderr) == (0, f"{place}\n", "")
    assert len(server.asked) == asked


@pytest.mark.parametrize(("sha256", "code"), [(SHA, 0), ("0" * 64, 5)])
def test_a_known_model_is_pinned_and_held_to_its_hash(
    server: FakeHub, store: Path, sha256: str, code: int
) -> None:
    pytest.importorskip("huggingface_hub")
    tiny = models.known()["grounding-dino-tiny"]
    entry = replace(tiny, source="own/er", revision=COMMIT, bytes=len(DATA), sha256=sha256)
    done = subprocess.run(
        [*program(entry, FETCH), "--yes"],
        env={**os.environ, "HF_ENDPOINT": server.url},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    assert f"GET /api/models/own/er/revision/{COMMIT}" in server.asked
    assert (store / "grounding-dino-tiny").exists() == (code == 0)
    assert "licence Apache-2.0" in done.stderr
    assert (f"expected {sha256}" in done.stderr) == (code == 5)


def test_fetch_replaces_what_is_damaged(server: FakeHub, store: Path) -> None:
    pytest.importorskip("huggingface_hub")
    assert cospal(server, "fetch", "own/er", "--yes").returncode == 0
    path = store / "own--er" / "model.safetensors"
    path.write_bytes(DATA[:100])
    done = cospal(server, "verify", "own/er")
    assert done.returncode == 5
    assert "damaged  own/er model.safetensors: 100 bytes, expected" in done.stdout
    assert done.stderr.endswith("hint: run: cospal models fetch own/er\n")
    done = cospal(server, "fetch", "own/er", "--yes")
    assert done.returncode == 0
    assert "100 bytes, but" in done.stderr
    assert path.read_bytes() == DATA
    assert cospal(server, "verify", "all").returncode == 0


@pytest.mark.parametrize(
    ("refused", "says", "hint"),
    [
        ((403, "GatedRepo"), "withheld until you accept its licence (HTTP 403)", "hf auth login"),
        ((401, "RepoNotFound"), "there is no such model, or it is private (HTTP 401)", "HF_TOKEN"),
        ((404, "RepoNotFound"), "there is no such model, or it is private (HTTP 404)", "spelling"),
        ((404, "RevisionNotFound"), "the hub has no such revision", "newer cospal"),
        ((500, ""), "the server answered HTTP 500", "run the same command again"),
    ],
)
def test_the_refusals_of_a_hub(
    server: FakeHub, store: Path, refused: tuple[int, str], says: str, hint: str
) -> None:
    pytest.importorskip("huggingface_hub")
    server.refused["own/er"] = refused
    done = cospal(server, "fetch", "own/er", "--yes")
    error, told = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (5, "")
    assert error == f"error: own/er: {says}"
    assert hint in told
    assert not (store / "own--er").exists()


def test_a_hub_that_sends_something_else(server: FakeHub, store: Path) -> None:
    pytest.importorskip("huggingface_hub")
    server.corrupt = True
    done = cospal(server, "fetch", "own/er", "--yes")
    assert done.returncode == 5
    assert f"model.safetensors has sha256 {done.stderr.split('sha256 ')[1][:64]}" in done.stderr
    assert f"expected {SHA}" in done.stderr
    assert not (store / "own--er").exists()
    assert "model.safetensors" not in partial(store)


def test_a_repository_without_weights(server: FakeHub) -> None:
    pytest.importorskip("huggingface_hub")
    server.repos["own/er"] = {"config.json": b"{}", "onnx/model.onnx": b"x"}
    done = cospal(server, "fetch", "own/er", "--yes")
    assert done.returncode == 5
    assert "own/er: no weights in this repository" in done.stderr


def test_no_hub_at_all(server: FakeHub, store: Path) -> None:
    pytest.importorskip("huggingface_hub")
    done = cospal(server, "fetch", "own/er", "--yes", env={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert done.returncode == 5
    assert done.stderr.startswith("error: own/er: cannot be reached: ")
    assert str(store) in done.stderr


OFFLINE = [
    (["--offline"], {}),
    ([], {"HF_HUB_OFFLINE": "1"}),
    ([], {"COSPAL_OFFLINE": "yes"}),
    ([], {"TRANSFORMERS_OFFLINE": "1"}),
]


@pytest.mark.parametrize(("flags", "environ"), OFFLINE)
def test_offline_asks_nobody(
    server: FakeHub,
    flags: list[str],
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert run(["models", "fetch", "own/er", "--yes", *flags]) == 5
    assert "own/er is not here, and the network may not be used" in capfd.readouterr().err
    assert server.asked == []


def test_without_confirmation_and_nobody_to_ask(
    server: FakeHub, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert run(["models", "fetch", "grounding-dino-tiny"]) == 2
    err = capfd.readouterr().err
    assert "must be confirmed, and stdin is not a terminal" in err
    assert "hint: give --yes" in err


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 2), (b"y\n", 0)])
def test_a_person_is_asked(
    server: FakeHub, store: Path, single: models.Known, answer: bytes, code: int
) -> None:
    """On a terminal of its own, in a child whose only known model is the fake hub's."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        program(single, FETCH),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(theirs)
    os.write(ours, answer)
    out, err = child.communicate(timeout=30)
    os.close(ours)
    assert child.returncode == code, err
    assert f"{single.source}, licence Apache-2.0" in err
    assert "fetch it? [y/N]" in err
    assert (out == f"{store / 'net' / 'net.pt'}\n") == (code == 0)
    assert (store / "net").exists() == (code == 0)


def test_a_single_checkpoint(
    single: models.Known, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "fetch", "net", "--yes", "--quiet"]) == 0
    place = store / "net" / "net.pt"
    assert capfd.readouterr() == (f"{place}\n", "")
    assert place.read_bytes() == DATA
    assert run(["models", "path", "net"]) == 0
    assert capfd.readouterr().out == f"{place}\n"
    assert run(["models", "verify", "net"]) == 0
    assert capfd.readouterr().out == f"ok       net net.pt: sha256 {SHA}\n"


def test_a_broken_download_goes_on_where_it_stopped(
    server: FakeHub, single: models.Known, store: Path
) -> None:
    server.cut = 7000
    with pytest.raises(WeightsError, match="the connection was lost") as caught:
        hub.download(hub.make_plan("net"))
    assert "continues where it stopped" in caught.value.hint
    assert partial(store) == ["net.pt.unfinished"]
    assert not models.available("net")
    server.cut = None
    assert hub.download(hub.make_plan("net")).read_bytes() == DATA
    assert server.asked == ["GET /net.pt", "GET /net.pt bytes=7000-"]


def test_more_than_the_server_has_begins_anew(
    server: FakeHub, single: models.Known, store: Path
) -> None:
    plan = hub.make_plan("net")
    unfinished = store / ".partial" / "net" / "net.pt.unfinished"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(DATA + b"more")
    with pytest.raises(WeightsError, match="HTTP 416"):
        hub.download(plan)
    assert hub.download(plan).read_bytes() == DATA


def test_a_changed_file_behind_a_url(server: FakeHub, single: models.Known, store: Path) -> None:
    server.corrupt = True
    with pytest.raises(WeightsError, match=f"sha256 [0-9a-f]{{64}}, expected {SHA}"):
        hub.download(hub.make_plan("net"))
    server.plain["/net.pt"] = DATA + b"more"
    with pytest.raises(WeightsError, match=r"net\.pt has 20,\d+ bytes, expected"):
        hub.download(hub.make_plan("net"))
    assert partial(store) == []
    assert not (store / "net").exists()
    server.plain = {}
    with pytest.raises(WeightsError, match="HTTP 404"):
        hub.download(hub.make_plan("net"))


def test_a_full_disk(single: models.Known, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(store.parent)._replace(free=1000)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage)
        with pytest.raises(DeviceError, match="net needs 0 MB more") as caught:
            hub.download(hub.make_plan("net"))
        assert caught.value.exit_code == 6

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(DeviceError, match="no space left in") as caught:
        hub.download(hub.make_plan("net"))
    assert "COSPAL_MODELS" in caught.value.hint
    assert not (store / "net").exists()


def test_a_store_that_cannot_be_written_to(single: models.Known, store: Path) -> None:
    store.write_text("a file")
    with pytest.raises(DeviceError, match=r"cannot write to .*store"):
        hub.download(hub.make_plan("net"))
    assert store.read_text() == "a file"


def test_two_processes_do_not_mix(single: models.Known, store: Path) -> None:
    plan = hub.make_plan("net")
    (store / ".partial" / "net").mkdir(parents=True)
    with (
        transfer.alone(store / "net", "net"),
        pytest.raises(WeightsError, match="net: another process is fetching it"),
    ):
        hub.download(plan)
    assert hub.download(plan).exists()


def test_progress_counts_what_has_come(single: models.Known) -> None:
    seen: list[tuple[str, float, float | None]] = []
    hub.download(hub.make_plan("net"), lambda *values: seen.append(values))
    total = len(DATA) / 1e6
    assert seen[0] == ("fetching", 0.0, total)
    assert seen[-1] == ("fetching", total, total)


def test_a_killed_download_leaves_nothing_that_is_found(
    server: FakeHub, single: models.Known, store: Path
) -> None:
    """Killed between the download and the rename: the slowest possible hash stands for the time."""
    body = (
        "record.write = lambda *_: (print('ready', flush=True), time.sleep(30))\n"
        "hub.download(hub.make_plan('net'))\n"
    )
    child = subprocess.Popen(program(single, body), stdout=subprocess.PIPE, text=True)
    assert child.stdout
    assert child.stdout.readline() == "ready\n"
    child.kill()
    child.wait()
    assert not models.available("net")
    assert not (store / "net").exists()
    asked = len(server.asked)
    assert hub.download(hub.make_plan("net")).read_bytes() == DATA
    assert len(server.asked) == asked  # the whole file was there


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["model.safetensors", "model.fp16.safetensors", "pytorch_model.bin"], [0]),
        (["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], [0, 1]),
        (["other.safetensors", "x.bin"], [0]),
        (["pytorch_model-1-of-2.bin", "pytorch_model-2-of-2.bin", "tf_model.h5"], [0, 1]),
        (["net.pth", "net.pt"], [0]),
        (["onnx/model.safetensors", "flax_model.msgpack"], []),
    ],
)
def test_one_set_of_weights_is_chosen(names: list[str], chosen: list[int]) -> None:
    side = ["config.json", "vocab.txt", "tokenizer.json", "README.md", "LICENSE"]
    rest = [".gitattributes", "run.py", "image.png"]
    found = hub.choose([*side, *names, *rest])
    assert found == ([names[i] for i in chosen] + side if chosen else [])


def test_list_tells_what_is_here(
    single: models.Known, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "list"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == ["id", "kind", "size", "licence", "here"]
    assert lines[1].split() == ["net", "video", "51", "MB", "Apache-2.0", "no"]
    place = hub.download(hub.make_plan("net"))
    (store / "own--er").mkdir()
    (store / "own--er" / "model.safetensors").write_bytes(DATA)
    assert run(["models", "list", "--json"]) == 0
    shown = json.loads(capfd.readouterr().out)
    assert shown["folder"] == str(store)
    assert [(row["id"], row["path"]) for row in shown["models"]] == [("net", str(place))]
    assert shown["models"][0]["sha256"] == SHA
    assert shown["others"] == {"own/er": str(store / "own--er")}


def test_list_is_quick_and_light() -> None:
    code = (
        "import sys\n"
        "from cospal_cli.cli import run\n"
        "assert run(['models', 'list']) == 0\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub', 'numpy', 'onnxruntime', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert time.perf_counter() - began < 2


def test_verify_all_of_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "verify", "all"]) == 0
    assert run(["models", "verify", "all", "--json"]) == 0
    assert capfd.readouterr().out == "[]\n"


def test_verify_and_path_of_what_is_missing(capfd: pytest.CaptureFixture[str]) -> None:
    for verb in ("verify", "path"):
        assert run(["models", verb, "grounding-dino-tiny"]) == 5
        assert "hint: run: cospal models fetch grounding-dino-tiny" in capfd.readouterr().err


def test_convert_of_what_is_missing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "folder"
    assert run(["models", "convert", str(tmp_path / "net.pth"), str(target)]) == 5
    assert "net.pth: no such folder or file" in capfd.readouterr().err
    assert not target.exists()


def test_verify_as_json(single: models.Known, capfd: pytest.CaptureFixture[str]) -> None:
    place = hub.download(hub.make_plan("net"))
    data = place.read_bytes()
    place.write_bytes(data[:-1] + b"x")
    assert run(["models", "verify", "net", "--json"]) == 5
    out, err = capfd.readouterr()
    (row,) = json.loads(out)
    assert (row["model"], row["path"], row["state"]) == ("net", str(place), "damaged")
    assert err.splitlines()[0] == "error: damaged: net"


def test_doctor_shows_caches_and_models(
    single: models.Known, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = hub.download(hub.make_plan("net"))
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["caches"]["models"] == str(store)
    assert found["caches"]["huggingface"].endswith("/home/.cache/huggingface/hub")
    assert found["models"] == {"net": str(place)}
    assert run(["doctor"]) == 0
    shown = "".join(capfd.readouterr().out.split())  # long paths take several lines
    assert f"modelnet{place}" in shown
    assert "verdict:" in shown


def test_without_huggingface_hub(monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(CospalError) as caught:
        hub.make_plan("grounding-dino-tiny")
    assert caught.value.hint == install_line("torch")
    local = store / "grounding-dino-tiny"
    local.mkdir(parents=True)
    (local / "model.safetensors").write_bytes(DATA)
    assert models.locate("grounding-dino-tiny") == local
