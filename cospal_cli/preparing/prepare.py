"""A data set is prepared: every video observed once, every sentence parsed and encoded.

Whole files only: those of the same videos and settings are kept, so that an interrupted run
continues where it stopped. Boxes and times of the annotations are never read.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from cospal_cli import datasets, detect
from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.files import alone, clear, is_inside, is_ours, make_folder, write_text
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.progress import Progress, failures, silent
from cospal_cli.datasets.records import Dataset, Record
from cospal_cli.datasets.splits import VALIDATION, validation_sources
from cospal_cli.datasets.synthetic.recipe import is_synthetic
from cospal_cli.datasets.tree import Tree
from cospal_cli.features.spec import FILE, FeatureSpec
from cospal_cli.language.encoders.text import TextEncoder, open_text_encoder
from cospal_cli.library.engines import Failure, open_engine
from cospal_cli.prepared import videos as cache
from cospal_cli.prepared.arrays import digest
from cospal_cli.prepared.folder import NAME, SPLITS, TEXTS, VIDEOS, read_parses, write_about
from cospal_cli.preparing import observing, sentences
from cospal_cli.preparing.observing import VideoJob, View
from cospal_cli.preparing.plan import PreparePlan, bad, claim, jobs_of, open_plan
from cospal_cli.settings import Config, EngineConfig, FileConfig, as_dict

LOG = logging.getLogger("cospal")
MB = 1e6
# Videos of the data sets as published; VidSTG's count is that of its paper.
PUBLISHED = {"HC-STVG v1": 4500 + 1160, "HC-STVG v2": 10131 + 2000 + 4413, "VidSTG": 6924}


@dataclass(frozen=True)
class PrepareReport:
    """What a run did and what the folder now holds."""

    folder: str
    detector: str
    synthetic: bool
    splits: dict[
        str, dict[str, int]
    ]  # split -> records, validation, skipped, videos, without tubelets
    made: int  # videos observed by this run
    kept: int  # were there before
    bad: tuple[dict[str, str], ...]  # split, record, video, reason
    bytes: int
    seconds: float  # that the videos of this run took, over all processes together
    parses: dict[str, int]  # split -> sentences whose parse came from the user's file

    @property
    def videos(self) -> int:
        """How many videos there are features of."""
        return self.made + self.kept

    @property
    def skipped(self) -> int:
        """Records without features."""
        return sum(split["skipped"] for split in self.splits.values())

    def as_dict(self) -> JsonDict:
        """For JSON, with what the published data sets would take at this one's rate."""
        each = self.bytes / MB / max(self.videos, 1)
        return dict(vars(self)) | {
            "videos": self.videos,
            "skipped": self.skipped,
            "mb": round(self.bytes / MB, 2),
            "mb_per_video": round(each, 4),
            "seconds_per_video": round(self.seconds / self.made, 3) if self.made else None,
            "estimated_gb": {n: round(v * each / 1000, 2) for n, v in PUBLISHED.items()},
            "estimated_of_videos": PUBLISHED,
        }


@dataclass(frozen=True)
class _VideoEntry:
    """What the tables say of a video's file."""

    name: str
    bytes: int
    width: int | None  # of the detector's own vectors
    tubelets: Mapping[View, int]

    @classmethod
    def of(cls, job: VideoJob) -> _VideoEntry:
        """Read from its header."""
        reader = cache.VideoFile(job.target)
        counts = {view: reader.tubelets(*view) for view in job.views}
        return cls(job.target.name, job.target.stat().st_size, reader.width, counts)


def prepare(
    root: Path,
    out: Path,
    config: Config,
    workers: int = 0,
    progress: Progress = silent,
    stopped: Callable[[], bool] = lambda: False,
    *,
    parses: Sequence[Path] = (),
    own_detections: bool = True,
) -> PrepareReport | None:
    """Prepare the data set in ``root`` into the folder ``out``, made if needed; None when stopped.

    ``workers``: how many of ``config.engine`` observe videos; up to 1, this process does.
    ``parses``: files of parses that take the place of the parser's. ``own_detections``: a
    synthetic set's own boxes are used.
    Videos that cannot be read are left out and named in the report. InputError where nothing can
    be used; UsageError where ``out`` holds features of other settings, or is in use.
    """
    config, engine = replace(_checked(config), engine=EngineConfig()), config.engine
    sets = _read(root, workers, progress)
    given = [read_parses(path, "give a file with one parse per line") for path in parses]
    out_of = own_detections and is_synthetic(root)
    if out_of:
        own = replace(config.detector, name=FILE, file=FileConfig(FILE))
        config = replace(config, detector=own)
    for path in parses:
        if is_inside(path, out):
            raise UsageError(
                f"--parses {str(path)!r} lies in the folder that is written: {str(out)!r}",
                "leave it out to keep the parses there, or copy it elsewhere",
            )
    _claim_folder(out)
    with alone(out):
        plan = open_plan(root, out, config, sets, out_of, workers)
        about = claim(plan)
        for name in (VIDEOS, SPLITS, TEXTS):
            (out / name).mkdir(exist_ok=True)
            clear(out / name)
        jobs = list(jobs_of(plan))
        missing = [job for job in jobs if not cache.whole(job.target, job.key)]
        engine = replace(engine, workers=max(workers, 1))
        if not _watch_all(plan, missing, engine, progress, stopped):
            return None
        report = PrepareReport(
            folder=str(out),
            detector=plan.config.detector.name,
            synthetic=is_synthetic(root),
            splits={},
            made=sum(job.video not in plan.failed for job in missing),
            kept=len(jobs) - len(missing),
            bad=tuple(bad(plan)),
            bytes=0,
            seconds=round(plan.seconds, 2),
            parses={},
        )
        if not report.videos:
            first = report.bad[0]["reason"] if report.bad else "there are none"
            raise InputError(
                f"no video of {str(root)!r} can be used: {first}", "see 'cospal data check'"
            )
        return _finish(plan, about, report, jobs, given, progress, stopped)


def _checked(config: Config) -> Config:
    """``config`` with the detector chosen; UsageError where it would prepare a part only."""
    for name in ("start", "end", "duration"):
        if getattr(config.video, name) is not None:
            raise UsageError(
                f"video.{name}: data sets are prepared whole, found {getattr(config.video, name)!r}"
            )
    chosen, _ = detect.resolve(config.detector)
    if chosen.name == FILE:
        raise UsageError(
            "detector 'file' holds the boxes of one video", "name another detector, or leave it out"
        )
    return replace(config, detector=chosen)


def _read(root: Path, workers: int, progress: Progress) -> list[Dataset]:
    """Every split of the data set, without boxes and times."""
    _, files = datasets.annotation_files(Tree(root))
    sets = [
        datasets.read(root, split, truth=False, workers=workers, progress=progress)
        for split in files
    ]
    for dataset in sets:
        for remark in dataset.remarks():
            LOG.warning("%s", remark)
    return sets


def _claim_folder(out: Path) -> None:
    """Make the folder; UsageError where it is something else."""
    with errors_as(UsageError, f"cannot write to {str(out)!r}", "name another with --out"):
        make_folder(out)
        names = {path.name for path in out.iterdir() if not is_ours(path.name)}
    if NAME not in names and names:
        raise UsageError(
            f"{str(out)!r} is not empty and does not hold prepared features",
            "name another with --out",
        )


def _watch_all(
    plan: PreparePlan,
    jobs: Sequence[VideoJob],
    engine: EngineConfig,
    progress: Progress,
    stopped: Callable[[], bool],
) -> bool:
    """Write the missing files; False when stopped."""
    work = partial(observing.process, config=plan.config)
    own = open_engine(replace(plan.config, engine=engine), len(jobs))
    progress("prepare", 0, len(jobs))
    with closing(own.run(jobs, work)) as results:
        for done, (job, result) in enumerate(results, 1):
            if isinstance(result, Failure):
                plan.failed[job.video] = result.reason
            elif result.stop is not None:
                raise result.stop
            else:
                plan.seconds += result.seconds
            progress("prepare", done, len(jobs), failures(len(plan.failed)))
            if stopped():
                return False
    observing.forget()
    return True


def _finish(
    plan: PreparePlan,
    about: Json,
    report: PrepareReport,
    jobs: Sequence[VideoJob],
    given: Sequence[Json],
    progress: Progress,
    stopped: Callable[[], bool],
) -> PrepareReport | None:
    """Write the tables, the texts and ``prepared.json``."""
    entries = {job.video: _VideoEntry.of(job) for job in jobs if job.video not in plan.failed}
    encoder = open_text_encoder(plan.config.text)
    splits: dict[str, dict[str, int]] = {}
    parses: dict[str, int] = {}
    tables: dict[str, str] = {}
    for dataset in plan.datasets:
        records = plan.records(dataset)
        train = dataset.split == "train"
        taken = validation_sources(dataset.sources) if train else frozenset()
        rows = [_row(plan, one, entries[one.video], one.source in taken) for one in records]
        path = plan.out / SPLITS / f"{dataset.split}.jsonl"
        table = "".join(json.dumps(row) + "\n" for row in rows)
        write_text(path, table)
        tables[dataset.split] = digest(table.encode())
        folder = plan.out / TEXTS
        language = plan.config.language
        parses[dataset.split] = sentences.parse_split(
            folder, dataset.split, records, given, language, progress
        )
        if not sentences.encode_split(folder, dataset.split, encoder, progress, stopped):
            return None
        splits[dataset.split] = {
            "records": len(rows),
            VALIDATION: sum(row[VALIDATION] for row in rows),
            "skipped": sum(one["split"] == dataset.split for one in report.bad),
            "videos": len({one.video for one in records}),
            "without_tubelets": sum(not row["tubelets"] for row in rows),
        }
        if stopped():
            return None
    sentences.unused(given, plan.datasets)
    size = sum(video.bytes for video in entries.values())
    report = replace(report, splits=splits, parses=parses, bytes=size)
    document = dict(about) | {
        "complete": True,
        "root": str(plan.root.resolve()),
        "data_format": plan.datasets[0].format,
        "synthetic": report.synthetic,
        "settings": as_dict(plan.config),
        "identity": _spec(plan, encoder, list(entries.values())).parts,
        "splits": splits,
        "tables": tables,
        "bad": list(report.bad),
        "videos": report.videos,
        "bytes": size,
        "mb_per_video": round(size / MB / report.videos, 4),
    }
    write_about(plan.out, document)
    return report


def _row(plan: PreparePlan, record: Record, video: _VideoEntry, validation: bool) -> JsonDict:
    """A record as the folder keeps it."""
    prompt = plan.prompt(record)
    row = {
        "id": record.id,
        "video": video.name,
        "source": record.source,
        "text": record.text,
        "form": record.form,
        "tubelets": video.tubelets[prompt, record.segment],
        VALIDATION: validation,
    }
    if prompt:
        row["prompt"] = prompt
    if record.segment is not None:
        row["segment"] = list(record.segment)
    return row


def _spec(plan: PreparePlan, text: TextEncoder, videos: Sequence[_VideoEntry]) -> FeatureSpec:
    """What the features were computed with; InputError where the tubelets differ in kind."""
    widths: dict[int | None, str] = {}
    for video in videos:
        if any(video.tubelets.values()):
            widths.setdefault(video.width, video.name)
    if len(widths) > 1:
        listed = ", ".join(f"{width or 'none'} in {name}" for width, name in widths.items())
        raise InputError(
            f"the detections differ in their features: {listed}", "run one detector on all videos"
        )
    width = next(iter(widths), None)
    return FeatureSpec.of(plan.config, plan.models["detector"], plan.models["clips"], text, width)
