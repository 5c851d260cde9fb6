"""The fuzzer sees what it is there to see, and the same seed is the same inputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from benchmarks.fuzz import chunks, media, payloads, pool, raw, text
from benchmarks.fuzz.__main__ import Results, _plan
from benchmarks.fuzz.kinds import KINDS, chosen
from benchmarks.fuzz.pool import Outcome, Worker
from benchmarks.fuzz.seeds import Seeds
from tests import planted


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    found = Worker(7, tmp_path / "seeds", tmp_path / "worker", 1024, planted.__name__)
    yield found
    found.close()


def test_everything_that_must_not_be_is_noticed(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "LONGEST_S", 0.5)
    results = {kind: worker.run(kind, 0) for kind in ("fine", "bug", "explodes", "half", "greedy")}
    results |= {kind: worker.run(kind, 0) for kind in ("crashes", "fine", "sleeps")}
    assert {kind: one.result for kind, one in results.items()} == {
        "fine": "exit 4",
        "bug": "exit 1",
        "explodes": "exit 0",
        "half": "exit 0",
        "greedy": "exit 6",
        "crashes": "signal SIGSEGV",
        "sleeps": "hang",
    }
    assert {kind for kind, one in results.items() if not one.failed} == {"fine", "greedy"}
    assert results["explodes"].payload
    assert "out/a.json" in results["half"].wrong
    assert "in <lambda>" in results["sleeps"].stderr  # where it hung
    assert worker.run("fine", 0).result == "exit 4"  # a hang costs the others nothing


def test_inputs_that_fail_are_kept_and_counted(worker: Worker, tmp_path: Path) -> None:
    results = Results(tmp_path / "results", 7)
    for number in range(2):
        results.add(worker.run("half", number), worker)
    assert results.counts == {"half": {"exit 0": 2, "promise broken": 2}}
    assert len(results.failed) == 1
    assert (tmp_path / "results" / "half-0" / "out" / "a.json").exists()
    (failure,) = results.as_dict()["failures"]
    assert failure["again"].endswith("--seed 7 --kinds half --only 0")
    assert "half" in results.table()


def test_the_same_seed_is_the_same_inputs(tmp_path: Path) -> None:
    seeds = Seeds(tmp_path)
    seeds.make({"clip"})
    media.write(tmp_path / "media" / "avi", "avi")
    for kind in ("avi", "config", "detections", "sentence", "arguments"):
        made = []
        for name, number in (("a", 3), ("b", 3), ("c", 4)):
            here = tmp_path / f"{kind}-{name}"
            here.mkdir()
            args = KINDS[kind].build(Random(f"1 {kind} {number}"), seeds, here)
            made.append((args, {path.name: path.read_bytes() for path in here.iterdir()}))
        assert made[0] == made[1] != made[2], kind
    first, again = _plan(list(KINDS), 5), _plan(list(KINDS), 5)
    assert [next(first) for _ in range(300)] == [next(again) for _ in range(300)]


def test_mutations_change_and_never_break() -> None:
    box = b"\0\0\0\x10ftypmp42\0\0\0\0" + b"\0\0\0\x18moov\0\0\0\x10mvhd12345678"
    for number in range(300):
        rng = Random(number)
        assert isinstance(raw.mutated(bytes(range(40)), rng), bytes)
        assert isinstance(chunks.mutated(box, rng), bytes)
        text.dumped(text.changed({"a": [1, {"b": "c"}], "d": None}, rng), rng)
        text.mutated("the man's hat", rng)
        payloads.pickled(rng)
    assert chunks.mutated(b"no tree of chunks", Random(0)) is None
    assert {raw.mutated(b"abcdefgh", Random(n)) for n in range(9)} - {b"abcdefgh"}


def test_kinds_by_name_and_group() -> None:
    assert chosen(["mp4", "others", "mp4"])[:2] == ["mp4", "sentence"]
    assert set(chosen(["media", "others"])) >= {"mov", "pickle"}
    with pytest.raises(SystemExit, match="mp5"):
        chosen(["mp5"])


def test_documented_codes_alone_are_fine() -> None:
    assert [n for n in range(-1, 9) if not Outcome("mp4", 0, f"exit {n}").failed] == [
        0, 2, 3, 4, 5, 6, 7,
    ]  # fmt: skip
