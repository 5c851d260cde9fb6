"""Training, from top to bottom: plan, batches, updates, validation, checkpoints.

``out`` becomes a folder with ``last`` and ``best`` (see ``state``), ``metrics.jsonl``, files of
TensorBoard and ``training.png``. One process, or several under ``accelerate launch``: each builds
its share of every batch, and only the first writes.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from cospal_cli import settings
from cospal_cli.core.errors import DeviceError, TrainingError
from cospal_cli.core.files import replacing_folder
from cospal_cli.core.json_types import Json
from cospal_cli.core.progress import NOTICE, Progress, silent
from cospal_cli.datasets.splits import FIT, VALIDATION
from cospal_cli.evaluation.tubes import Truth
from cospal_cli.model import checkpoint
from cospal_cli.model.contrast import ContrastHeads
from cospal_cli.model.heads import build
from cospal_cli.settings import Config
from cospal_cli.training import combine, metrics, optimise, report, setup, state, validation
from cospal_cli.training.batches import Arrays, Batches, Share
from cospal_cli.training.clock import TrainingTimer
from cospal_cli.training.contrast import MotionStatistics
from cospal_cli.training.curriculum import Epoch
from cospal_cli.training.objective import objective_of
from cospal_cli.training.setup import BEST, LAST

if TYPE_CHECKING:
    from cospal_cli.prepared.folder import Prepared

LOG = logging.getLogger("cospal")
EVERY = 10  # updates of one line of metrics


@dataclass(frozen=True)
class TrainingJob:
    """One training. ``truths`` of validation samples choose the best checkpoint; else its loss."""

    prepared: Prepared
    out: Path
    config: Config
    data: Json = field(default_factory=dict)  # what the metadata says of the data set
    truths: Mapping[str, Truth] = field(default_factory=dict)
    resume: bool = False
    init_from: Path | None = None  # a checkpoint whose weights are the first ones


@dataclass(frozen=True)
class Outcome:
    """What a run did. ``best``: the greatest value of ``selected_by`` (a loss counts negative)."""

    stopped: bool  # before the end, by the user
    update: int
    updates: int  # of the whole plan
    best: float | None
    best_update: int
    selected_by: str
    samples_per_s: float  # of this run's updates
    wait_share: float  # of their time was spent waiting for data
    validation: Mapping[str, float]  # the last one
    picture: Path | None


def train(
    job: TrainingJob, progress: Progress = silent, stopped: Callable[[], bool] = lambda: False
) -> Outcome:
    """Train, or continue a training, until its end or until ``stopped()``; both are saved.

    Raises UsageError for another training in ``job.out`` or settings that do not fit, InputError
    for too many unreadable samples, TrainingError when the loss is not finite, DeviceError for a
    missing device or memory. Checkpoints that were there stay whole whatever happens.
    """
    with ExitStack() as stack:
        accelerator = stack.enter_context(setup.processes(job.config.train))
        if accelerator.is_main_process:
            stack.enter_context(setup.own_folder(job.out, job.resume))
        accelerator.wait_for_everyone()
        try:
            return _Training(job, accelerator, stack).run(progress, stopped)
        except torch.OutOfMemoryError as error:
            raise DeviceError(
                f"out of memory with {job.config.train.batch} samples per update",
                "give a smaller --batch or --precision bf16; --resume continues from the last save",
            ) from error


class _Training:
    """Everything that a training has; ``run`` is the loop."""

    def __init__(self, job: TrainingJob, accelerator: Accelerator, stack: ExitStack) -> None:
        self.job, self.config, self.accelerator = job, job.config.train, accelerator
        config, prepared = job.config.train, job.prepared
        share = Share(accelerator.process_index, accelerator.num_processes)

        # The data
        self.fit = setup.some(setup.usable(prepared, FIT), config)
        self.validation = setup.usable(prepared, VALIDATION)
        self.plan = setup.make_plan(self.fit, job.config, share.processes)
        self.total = self.plan[-1].end
        self.metadata = setup.heads_metadata(prepared, job.config, job.data)
        ids = self.metadata.word_ids
        self.batches, self.validation_batches = (
            stack.enter_context(
                Batches(
                    prepared,
                    samples,
                    ids,
                    seed=seed,
                    bad=config.max_unreadable,
                    share=share,
                    queries=job.config.temporal.acts,
                )
            )
            for samples, seed in ((self.fit, config.seed), (self.validation, validation.SEED))
        )

        # The heads
        torch.manual_seed(config.seed)
        self.model = build(self.metadata)
        self.motion: MotionStatistics | None = None
        if size := self.metadata.sizes.motion:
            self.motion = MotionStatistics(prepared, self.fit, size, config.seed)
            self.motion.normalise(self.model)
        resumes = job.resume and (job.out / LAST).is_dir()
        if job.init_from is not None and not resumes:
            setup.take_over(self.model, self.metadata, job.init_from)
        self.objective = objective_of(self.model, job.config)
        self.adam = optimise.adam(self.model, config)
        self.wrapped, self.optimizer = accelerator.prepare(self.objective, self.adam)
        self.average = optimise.averaged(self.model, config.ema_decay) if config.ema_decay else None
        self.kept = optimise.kept(self.model, self.average)
        self.judged = objective_of(self.kept, job.config)

        # Where it stands
        self.settings = state.settings_of(job.config, setup.facts(prepared, self.fit))
        self.at = state.Standing()
        if resumes:
            self.at = state.load_standing(job.out / LAST, self.settings)
            state.restore(job.out / LAST, self.model, self.adam, self.average, self.at.update)
            if accelerator.scaler is not None and self.at.scaler:
                accelerator.scaler.load_state_dict(dict(self.at.scaler))
            LOG.info("continuing after update %d of %d", self.at.update, self.total)
        self.metrics = stack.enter_context(
            metrics.Metrics(job.out, self.at.update, quiet=not accelerator.is_main_process)
        )
        self.window: list[dict[str, float]] = []  # updates since the last line of metrics
        self.losses: list[float] = []  # of this run's updates in the epoch
        self.clock = TrainingTimer()

    def run(self, progress: Progress, stopped: Callable[[], bool]) -> Outcome:
        """The loop. Where it goes on follows from the number of updates that are done."""
        self.wrapped.train()
        for epoch in self.plan:
            self.losses.clear()
            with closing(self._stream(epoch)) as stream:
                for batch in stream:
                    stop = self._update(batch, epoch, stopped())
                    progress("train", self.at.update, self.total, f"loss {self.losses[-1]:.4f}")
                    if stop:
                        self._save(LAST)
                        return self._outcome(stopped=True)
                    if self.config.save_every and self.at.update % self.config.save_every == 0:
                        self._save(LAST)
            if self.at.judged <= epoch.number:
                self._save(LAST)  # before the validation, which takes its time
                self._judge(epoch)
        if self.accelerator.is_main_process and isinstance(self.kept, ContrastHeads):
            for name in (LAST, BEST):
                if (self.job.out / name).is_dir():
                    combine.write(
                        self.job.out / name, self.job.prepared, self.validation, self.job.config
                    )
        return self._outcome(stopped=False)

    def _stream(self, epoch: Epoch) -> Generator[dict[str, torch.Tensor]]:
        """What is left of the epoch's batches, on the device; the time they took is kept."""
        start = max(self.at.update - epoch.first, 0)
        if start >= epoch.updates:
            return
        with closing(self.batches.of(epoch, start, self._place)) as stream:
            while True:
                with self.clock.waiting():
                    batch = next(stream, None)
                if batch is None:
                    return
                with self.clock.working(epoch.batch):
                    yield batch

    def _place(self, batch: Arrays) -> dict[str, torch.Tensor]:
        device = self.accelerator.device
        tensors = {name: torch.from_numpy(rows) for name, rows in batch.items()}
        if device.type == "cuda":
            tensors = {name: rows.pin_memory() for name, rows in tensors.items()}
        return {name: rows.to(device, non_blocking=True) for name, rows in tensors.items()}

    def _update(self, batch: dict[str, torch.Tensor], epoch: Epoch, stop: bool) -> bool:
        """One step of the optimiser; whether any process is to stop."""
        config, update = self.config, self.at.update
        optimise.set_rates(self.adam, update, self.total, config)
        optimise.seed_update(config.seed, update, self.accelerator.process_index)
        batch["progress"] = torch.tensor(update / self.total, device=self.accelerator.device)

        losses = self.wrapped(batch)
        self.accelerator.backward(losses["loss"])
        norm = self.accelerator.clip_grad_norm_(
            self.wrapped.parameters(), config.max_grad_norm or float("inf")
        )
        means = self._mean({**losses, "norm": norm, "stop": torch.tensor(float(stop))})
        self._check(means)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update_parameters(self.model)

        self.at.update += 1
        self.losses.append(means["loss"])
        self.window.append(means | {"lr": self.adam.param_groups[-1]["lr"]})
        if self.at.update % EVERY == 0 or self.at.update == epoch.end:
            self._log_window(epoch)
        return means["stop"] > 0

    def _check(self, means: Mapping[str, float]) -> None:
        """TrainingError where going on would spoil the weights."""
        # With fp16 a gradient may overflow now and then: the scaler then leaves the step out.
        finite = math.isfinite(means["loss"]) and (
            self.accelerator.scaler is not None or math.isfinite(means["norm"])
        )
        if not finite:
            last = self.job.out / LAST
            kept = f"{last} is as it was" if last.is_dir() else "nothing was saved yet"
            raise TrainingError(
                f"update {self.at.update + 1}: the loss is {means['loss']}, its gradient's norm "
                f"{means['norm']}; {kept}",
                "a lower --lr, a longer train.warmup or --precision fp32 may help",
            )

    def _judge(self, epoch: Epoch) -> None:
        """Validate the heads; keep them as ``best`` if they are."""
        self.judged.eval()
        batch = min(self.config.batch, len(self.validation))
        batch -= batch % self.accelerator.num_processes
        with self.accelerator.autocast():
            losses = validation.losses(
                self.judged, self.validation_batches, len(self.validation), batch, self._place
            )
        scores = self._mean(losses)
        if self.accelerator.is_main_process:
            scores |= validation.scores(
                self.kept, self.metadata, self.job.prepared, self.validation, self.job.truths,
                self.job.config,
            )  # fmt: skip
        scores = broadcast_object_list([scores])[0]  # all must choose the same best
        self.wrapped.train()
        self.metrics.add(metrics.VALIDATION, self.at.update, epoch.number, scores)
        LOG.log(NOTICE, "%s", self._epoch_line(epoch, scores))
        self.at.judged, self.at.validation = epoch.number + 1, scores
        value = self._value(scores)
        if self.at.best is None or value > self.at.best:
            self.at.best, self.at.best_update = value, self.at.update
            self._save(BEST)
        self._save(LAST)

    def _epoch_line(self, epoch: Epoch, scores: Mapping[str, float]) -> str:
        """How an epoch went, in one line."""
        parts = [
            f"epoch {epoch.number + 1} of {len(self.plan)} (stage {epoch.stage + 1})",
            f"update {self.at.update} of {self.total}",
        ]
        if self.losses:
            parts.append(f"loss {sum(self.losses) / len(self.losses):.4f}")
        named = [name for name in scores if name in ("loss", *validation.SCORES)]
        shown = ", ".join(f"{name} {scores[name]:.4f}" for name in named)
        return ", ".join(parts) + (f"; validation: {shown}" if shown else "")

    def _value(self, scores: Mapping[str, float]) -> float:
        """What heads are chosen by, more is better. Without validation the last ones are best."""
        if self._selects() in scores:
            value = scores[self._selects()]
            return -value if self._selects() == "loss" else value
        return float(self.at.update)

    def _selects(self) -> str:
        if not self.validation:
            return "update"
        wanted = self.config.select
        return wanted if any(one.id in self.job.truths for one in self.validation) else "loss"

    def _log_window(self, epoch: Epoch) -> None:
        """A line of metrics: means over the updates since the last one."""
        names = [name for name in self.window[0] if name != "stop"]
        mean = {name: sum(one[name] for one in self.window) / len(self.window) for name in names}
        mean |= {"stage": epoch.stage} | self.clock.lap()
        self.metrics.add(metrics.TRAIN, self.at.update, epoch.number, mean)
        self.window.clear()

    def _mean(self, values: Mapping[str, torch.Tensor]) -> dict[str, float]:
        """The values' means over all processes."""
        if not values:
            return {}
        row = torch.stack(
            [value.detach().float().to(self.accelerator.device) for value in values.values()]
        )
        if self.accelerator.num_processes > 1:
            row = self.accelerator.reduce(row, "mean")
        return dict(zip(values, row.tolist(), strict=True))

    def _save(self, name: str) -> None:
        """Write a checkpoint in the place of the one before."""
        self._fill_bank()
        if self.accelerator.is_main_process:
            scaler = self.accelerator.scaler
            self.at.scaler = scaler.state_dict() if scaler is not None else {}
            trained = {
                **self.metadata.trained,
                "update": self.at.update,
                "epoch": self.at.judged,
                "validation": self.at.validation,
                "settings": settings.as_dict(self.job.config),
            }
            metadata = replace(self.metadata, trained=trained)
            plain = {} if self.average is None else self.model.state_dict()
            with replacing_folder(self.job.out / name) as part:
                checkpoint.save(part, self.kept, metadata)
                state.save_trainer(part, self.model, self.adam, plain, self.at, self.settings)

    def _fill_bank(self) -> None:
        """Give the heads that are kept what curves are measured against."""
        if self.motion is not None and isinstance(self.kept, ContrastHeads):
            self.motion.fill_bank(self.kept)

    def _outcome(self, stopped: bool) -> Outcome:
        picture = None
        if self.accelerator.is_main_process and not stopped:
            note = " (SYNTHETIC data)" if self.job.data.get("synthetic") else ""
            picture = report.draw(self.job.out, f"{self.job.data.get('name', '')}{note}")
        self.accelerator.wait_for_everyone()
        return Outcome(
            stopped, self.at.update, self.total, self.at.best, self.at.best_update,
            self._selects(), *self.clock.totals(), self.at.validation, picture,
        )  # fmt: skip
