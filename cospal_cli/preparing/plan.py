"""What is to be prepared: a data set's videos and sentences, the models, and what failed so far."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.json_types import JsonDict
from cospal_cli.core.observation import FrameSpan
from cospal_cli.datasets.records import Dataset, Record
from cospal_cli.detect.from_file import DEFAULTS
from cospal_cli.features.spec import FILE, video_settings
from cospal_cli.language.encoders.text import open_text_encoder
from cospal_cli.prepared import videos as cache
from cospal_cli.prepared.folder import FORMAT, VIDEOS, read_about, write_about
from cospal_cli.preparing import observing, sentences
from cospal_cli.preparing.observing import VideoJob, View
from cospal_cli.settings import Config, stored

DETECTIONS = "detections"  # a synthetic set's own: see ``datasets.synthetic.write``


@dataclass
class ModelIdentity:
    """The identity of a model that other processes run."""

    model_id: str
    model_sha256: str
    dim: int = 0
    map_dim: int = 0


@dataclass
class PreparePlan:
    """The data set while it is prepared."""

    root: Path
    out: Path
    config: Config  # what is in use: the backends' own defaults filled in
    datasets: list[Dataset]
    detections: bool  # the set's own
    prompted: bool
    models: dict[str, ModelIdentity]  # detector and clips, unless the boxes come from a file
    failed: dict[Path, str] = field(default_factory=dict)
    unparsed: dict[str, str] = field(default_factory=dict)  # sentence -> why it cannot be
    seconds: float = 0.0  # that the videos of this run took

    def records(self, dataset: Dataset) -> list[Record]:
        """Those that can be used so far."""
        return [
            one
            for one in dataset.records
            if one.video not in self.failed and one.text not in self.unparsed
        ]

    def prompt(self, record: Record) -> str:
        """The text to prompt the detector with for ``record``; "" where it takes none."""
        return record.text if self.prompted else ""


def open_plan(
    root: Path, out: Path, config: Config, sets: list[Dataset], own: bool, workers: int
) -> PreparePlan:
    """Open the models once here, so that what is wrong with them is reported before any work.

    The text encoder's turn comes last; until then its memory is left to the others.
    """
    open_text_encoder(config.text)
    few = workers > 1
    config = replace(
        config,
        detector=replace(config.detector, threads=config.detector.threads or int(few)),
        clips=replace(config.clips, threads=config.clips.threads or int(few)),
    )
    models, prompted = {"detector": ModelIdentity(FILE, "")}, False
    if own:
        config = replace(config, detector=DEFAULTS.within(config.detector)[0])
    else:
        detector = observing.detector(config.detector)
        prompted = detector.prompted
        models["detector"] = ModelIdentity(detector.model_id, detector.model_sha256)
        config = replace(config, detector=detector.config)
    encoder = observing.encoder(config.clips)
    models["clips"] = ModelIdentity(
        encoder.model_id, encoder.model_sha256, encoder.dim, encoder.map_dim
    )
    config = replace(config, clips=encoder.config)
    if few:
        observing.forget()
    return PreparePlan(root, out, config, sets, own, prompted, models)


def claim(plan: PreparePlan) -> JsonDict:
    """Mark the folder as that of these settings, or check that it is; UsageError otherwise."""
    wanted = json.loads(json.dumps(video_settings(plan.config)))
    about = read_about(plan.out)
    if about is None:
        about = {"format": FORMAT, "complete": False, "made_with": wanted}
        write_about(plan.out, about)
        return about
    made_with = stored.modern(about.get("made_with", {}))
    lines = [
        f"{key}: prepared with {made_with.get(key)}, now {value}"
        for key, value in wanted.items()
        if made_with.get(key) != value
    ]
    if lines:
        raise UsageError(
            f"{str(plan.out)!r} holds features made with other settings: {'; '.join(lines)}",
            "give the same settings to continue, or another folder with --out",
        )
    return about


def jobs_of(plan: PreparePlan) -> Iterator[VideoJob]:
    """One job per video. Videos whose detections or files are gone are failed at once."""
    by_video: dict[Path, dict[View, None]] = {}
    for dataset in plan.datasets:
        for record in dataset.records:
            if plan.prompted and not _can_prompt(plan, record.text):
                continue
            segment = FrameSpan(*record.segment) if record.segment else None
            view = plan.prompt(record), segment
            by_video.setdefault(record.video, {})[view] = None
    settings = video_settings(plan.config)
    digests = [model.model_sha256 for model in plan.models.values()]
    for video, views in by_video.items():
        boxes = None
        if plan.detections:
            boxes = plan.root / DETECTIONS / f"{video.stem}.jsonl"
        prompts = [[prompt, segment] for prompt, segment in views]
        contents = {"settings": settings, "models": digests, "views": prompts}
        try:
            key = cache.key(video, [boxes] if boxes else [], contents)
        except InputError as error:
            plan.failed[video] = error.message
            continue
        name = str(video.relative_to(plan.root))
        yield VideoJob(video, name, plan.out / VIDEOS / file_name(name), tuple(views), boxes, key)


def _can_prompt(plan: PreparePlan, text: str) -> bool:
    """Whether a detector can be prompted with the sentence; remembers why not."""
    if text not in plan.unparsed:
        reason = sentences.trouble(text, plan.config.language)
        if not reason:
            return True
        plan.unparsed[text] = reason
    return False


def file_name(name: str) -> str:
    """The features' file of a video: its name made safe, and a hash of its path in the set."""
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", Path(name).stem)[:80].lstrip(".-") or "video"
    digest = blake2b(name.encode("utf-8", "surrogateescape"), digest_size=5).hexdigest()
    return f"{stem}-{digest}.safetensors"


def bad(plan: PreparePlan) -> Iterator[dict[str, str]]:
    """Every record without features, and why."""
    for dataset in plan.datasets:
        for problem in dataset.problems:
            if problem.skipped:
                yield {
                    "split": dataset.split, "record": problem.record, "video": "",
                    "reason": f"{problem.kind}: {problem.detail}",
                }  # fmt: skip
        for one in dataset.records:
            reason = plan.failed.get(one.video) or plan.unparsed.get(one.text)
            if reason:
                yield {
                    "split": dataset.split, "record": one.id,
                    "video": str(one.video.relative_to(plan.root)), "reason": reason,
                }  # fmt: skip
