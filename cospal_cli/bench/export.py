"""``cospal bench export``: the heads in every available runtime, over numbers of tubelets and
words, for one video and one query at a time.

All run in turns, round by round, so that drift affects all alike; a ratio is the median over the
rounds of two times of the same round. Their threads do not compete: see ``PAUSE_S``.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cospal_cli.bench import timing
from cospal_cli.core import table as tables
from cospal_cli.core.errors import CospalError
from cospal_cli.core.files import replacing
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.registry import require
from cospal_cli.devices import installed, processors
from cospal_cli.model.metadata import HeadsMetadata, Sizes
from cospal_cli.runtime import Runtime, open_runtime
from cospal_cli.runtime.onnx import OnnxRuntime, precisions
from cospal_cli.settings import ModelConfig, TemporalConfig

EAGER = "torch eager"
FULL = Sizes(tubelets=256, clips=1024, words=768, vocabulary=3000)  # of random heads
WARM = 3  # runs before the first that counts
PAUSE_S = 0.03  # before each turn: another runtime's threads may still wait busily


@dataclass(frozen=True)
class ExportBenchPlan:
    """What to measure. ``threads``: of torch and of ONNX Runtime, on the CPU."""

    checkpoint: Path | None = None  # None: random heads of full size
    exported: Path | None = None  # None: exported for this run
    tubelets: tuple[int, ...] = (1, 10, 40)
    words: tuple[int, ...] = (4, 12, 40)
    frames: int = 32
    clips: int = 200
    rounds: int = 15
    threads: int = 0
    compiled: bool = False  # torch.compile too: minutes before its first prediction
    gpu: bool = False  # the runtimes that need one too


def measure(plan: ExportBenchPlan, progress: Progress = silent) -> JsonDict:
    """Times by runtime and lengths, as plain values for JSON."""
    from cospal_exporters.verify import random_inputs

    threads = plan.threads or processors()
    with tempfile.TemporaryDirectory(prefix="cospal-bench-") as scratch, _threads(threads):
        checkpoint = plan.checkpoint or _random_heads(Path(scratch) / "random")
        exported = plan.exported or _export(checkpoint, Path(scratch) / "exported")
        runtimes, skipped = _runtimes(plan, checkpoint, exported, threads)
        points = []
        shapes = [(k, n) for k in plan.tubelets for n in plan.words]
        for done, (k, n) in enumerate(shapes, 1):
            shape = (k, plan.frames, plan.clips, n)
            inputs = random_inputs(runtimes[EAGER].metadata.sizes, shape, done)
            points.append({"K": k, "N": n, **_point(runtimes, inputs, plan.rounds)})
            progress("bench", done, len(shapes))
        metadata = runtimes[EAGER].metadata
        return {
            "heads": "random" if plan.checkpoint is None else plan.checkpoint.name,
            "sizes": asdict(metadata.sizes),
            "model": asdict(metadata.model),
            "T": plan.frames,
            "C": plan.clips,
            "threads": threads,
            "rounds": plan.rounds,
            "runtimes": list(runtimes),
            "skipped": skipped,
            "points": points,
            "versions": {"torch": _torch().__version__, "onnxruntime": ", ".join(installed())},
            "gpu": _gpu(),
            "peak_mb": round(timing.peak_mb(), 1),
        }


def draw(path: Path, report: Json) -> None:
    """Write a PNG: milliseconds over tubelets, a panel for each number of words."""
    figure_module = require("matplotlib.figure", "train")
    words = list(dict.fromkeys(one["N"] for one in report["points"]))
    figure = figure_module.Figure((4.2 * len(words), 4.2), layout="constrained")
    panels = figure.subplots(1, len(words), squeeze=False, sharey=True)[0]
    for axes, n in zip(panels, words, strict=True):
        points = [one for one in report["points"] if one["N"] == n]
        for name in report["runtimes"]:
            times_ms = [one["times"][name]["ms"] for one in points]
            axes.plot([one["K"] for one in points], times_ms, marker="o", label=name)
        axes.set(xlabel="tubelets K", title=f"N = {n} words", yscale="log")
    panels[0].set_ylabel("ms for one video and query (median)")
    panels[0].legend(fontsize="small")
    threads = f"{report['threads']} threads" + (f", {report['gpu']}" if report["gpu"] else "")
    figure.suptitle(f"Heads ({report['heads']}), T = {report['T']}, C = {report['C']}, {threads}")
    with replacing(path) as part:
        figure.savefig(part, format="png", dpi=110)


def _point(runtimes: Mapping[str, Runtime], inputs: Any, rounds: int) -> JsonDict:
    """Each runtime's time for one input, and how far its outputs are from torch's."""
    expected = runtimes[EAGER].run(inputs)
    far = {}
    for name, runtime in runtimes.items():
        for _ in range(WARM):
            scores = runtime.run(inputs)
        far[name] = max(
            float(abs(getattr(scores, field) - getattr(expected, field)).max())
            for field in runtimes[EAGER].metadata.outputs
        )
    works: dict[str, timing.Work] = {
        name: lambda runtime=runtime: runtime.run(inputs)  # type: ignore[misc]
        for name, runtime in runtimes.items()
    }
    spent = _in_turns(works, rounds)
    times = {}
    for name, took in spent.items():
        median = statistics.median(took)
        times[name] = {
            "ms": round(1e3 * median, 3),
            "least_ms": round(1e3 * min(took), 3),
            "per_s": round(1 / median, 2),
            "times_eager": round(timing.ratio(spent[EAGER], took), 3),
            "max_abs": far[name],
        }
    return {"times": times}


def _in_turns(works: Mapping[str, timing.Work], rounds: int) -> dict[str, list[float]]:
    """Seconds of each work, ``rounds`` times in turns, after a pause and a run to wake it up."""
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            time.sleep(PAUSE_S)
            work()
            spent[name].append(timing.seconds(work))
    return spent


def _runtimes(
    plan: ExportBenchPlan, checkpoint: Path, exported: Path, threads: int
) -> tuple[dict[str, Runtime], dict[str, str]]:
    """The runtimes that work here by name, and why the others do not."""
    device = "cuda" if plan.gpu else "cpu"
    made: dict[str, Callable[[], Runtime]] = {
        EAGER: lambda: open_runtime("torch", checkpoint, "cpu"),
    }
    if plan.compiled:
        made["torch.compile"] = lambda: _compiled(checkpoint, "cpu")
    for precision in precisions(exported):
        if precision != "fp16":  # processors have no products in it
            made[f"onnx {precision}"] = lambda precision=precision: OnnxRuntime(  # type: ignore[misc]
                exported, "cpu", precision, threads=threads
            )
    if plan.gpu:
        made["torch eager, GPU"] = lambda: open_runtime("torch", checkpoint, device)
        if plan.compiled:
            made["torch.compile, GPU"] = lambda: _compiled(checkpoint, device)
        for precision in [one for one in precisions(exported) if one != "int8"]:
            for name in ("cuda", "tensorrt"):
                made[f"onnx {precision}, {name}"] = lambda precision=precision, name=name: (
                    OnnxRuntime(  # type: ignore[misc]
                        exported, "auto", precision, name
                    )
                )
            made[f"tensorrt {precision}"] = lambda precision=precision: open_runtime(  # type: ignore[misc]
                "tensorrt", exported, device, precision
            )
    runtimes, skipped = {}, {}
    for name, make in made.items():
        try:
            runtimes[name] = make()
        except CospalError as error:
            if name == EAGER:
                raise
            skipped[name] = error.message
    return runtimes, skipped


def _compiled(checkpoint: Path, device: str) -> Runtime:
    from cospal_cli.devices.torch_device import choose
    from cospal_cli.model.checkpoint import load
    from cospal_cli.runtime.torch import TorchRuntime

    place = choose(device, "fp32")
    model, metadata = load(checkpoint, str(place.device))
    return TorchRuntime.of(_torch().compile(model, dynamic=True), metadata)


def _random_heads(folder: Path) -> Path:
    from cospal_cli.model.checkpoint import save
    from cospal_cli.model.heads import build

    _torch().manual_seed(0)
    words = tuple(f"word{number}" for number in range(FULL.vocabulary - 1))
    model = ModelConfig()
    hidden = TemporalConfig(hidden="words")  # the paper's, as it was measured before
    metadata = HeadsMetadata(FULL, model, {}, words, temporal=hidden)
    save(folder, build(metadata).eval(), metadata)
    return folder


def _export(checkpoint: Path, folder: Path) -> Path:
    from cospal_exporters.onnx import ExportPlan, export

    # Random heads cannot be right or wrong: int8 is timed whatever it predicts.
    export(ExportPlan(checkpoint, folder, ("fp32", "fp16", "int8"), force=True))
    return folder


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """While open, torch uses so many processors."""
    torch = _torch()
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _torch() -> Any:
    return require("torch", "torch")


def _gpu() -> str | None:
    torch = _torch()
    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else None


def table(report: Json, width: int) -> Sequence[str]:
    """The report as lines of at most ``width`` columns."""
    where = f"{report['threads']} threads" + (f", {report['gpu']}" if report["gpu"] else "")
    lines = [
        f"heads: {report['heads']}, T = {report['T']}, C = {report['C']}, {where}, "
        f"medians of {report['rounds']} rounds in turns",
    ]
    rows = [["runtime", "K", "N", "ms", "least", "per s", "x eager", "differs"]]
    for point in report["points"]:
        for name, one in point["times"].items():
            times = f"{one['ms']:.2f} {one['least_ms']:.2f} {one['per_s']:.1f}"
            rest = f"{one['times_eager']:.2f} {one['max_abs']:.1e}"
            rows.append([name, f"{point['K']}", f"{point['N']}", *times.split(), *rest.split()])
    lines += tables.table(rows, width=width)
    lines += [f"skipped {name}: {reason}" for name, reason in report["skipped"].items()]
    return lines
