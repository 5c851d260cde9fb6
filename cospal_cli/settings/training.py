"""The settings of training: losses, curriculum, optimiser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cospal_cli.settings.declare import Section, Setting, SettingError
from cospal_cli.settings.words import DEVICE, PRECISIONS, SPEED, TRAINING


@dataclass(frozen=True)
class LossConfig(Section, key="loss", group=TRAINING):
    """The weights of the losses (method: TPG, temporal, 5)."""

    spatial: Annotated[float, Setting("Weight of the spatial head's loss.", least=0, most=1000)] = (
        1.0
    )
    temporal: Annotated[
        float, Setting("Weight of the temporal head's loss.", least=0, most=1000)
    ] = 1.0
    joint: Annotated[
        float,
        Setting("Weight of subject and sub-phrases together in the contrast.", least=0, most=1000),
    ] = 1.0
    phrase: Annotated[
        float, Setting("Weight of each sub-phrase by itself in the contrast.", least=0, most=1000)
    ] = 1.0
    smoothing: Annotated[
        float, Setting("Label smoothing of the hidden words.", least=0, most=0.9)
    ] = 0.1
    contrast: Annotated[
        float,
        Setting("Weight of the contrast between proposals (alpha 1).", least=0, most=1000),
    ] = 1.0
    whole_margin: Annotated[
        float,
        Setting(
            "Margin of the contrast with the whole video, in nats.",
            least=0,
            most=1000,
            formerly=("loss.contrast_whole",),
        ),
    ] = 0.1
    negative_margin: Annotated[
        float,
        Setting(
            "Margin of the contrast with the left and right negatives, in nats.",
            least=0,
            most=1000,
            formerly=("loss.contrast_side",),
        ),
    ] = 0.15
    push_negatives: Annotated[
        bool,
        Setting(
            "Let the contrast also make the negatives reconstruct the sentence worse.",
            formerly=("loss.push",),
        ),
    ] = True
    diversity: Annotated[
        float,
        Setting("Weight of the diversity of proposals (alpha 2).", least=0, most=1000),
    ] = 1.0
    overlap: Annotated[
        float, Setting("Overlap of proposals that is allowed (lambda).", least=0, most=1)
    ] = 0.14
    negative_growth: Annotated[
        float,
        Setting(
            "How quickly the negatives grow with the epochs (gamma).",
            least=0,
            most=10,
            formerly=("loss.harder",),
        ),
    ] = 0.5


@dataclass(frozen=True)
class CurriculumConfig(Section, key="curriculum", group=TRAINING):
    """In which order samples are shown (method: SPS; STPro's sub-actions)."""

    name: Annotated[
        str,
        Setting(
            "What makes a sample hard: its tubelets (sps) or its sentence's verbs (actions); none "
            "shows all from the start.",
            choices=("sps", "actions", "none"),
        ),
    ] = "sps"
    limits: Annotated[
        tuple[int, ...],
        Setting(
            "Most tubelets, or verbs, of a sample in each stage but the last, which has no limit.",
            least=0,
        ),
    ] = (4, 7)
    epochs: Annotated[
        tuple[int, ...],
        Setting(
            "Epochs of each stage; without a curriculum their sum counts.",
            least=0,
            flag="--epochs",
        ),
    ] = (3, 3, 4)
    equal_updates: Annotated[
        bool,
        Setting("Without a curriculum, make as many updates as the stages of the same data would."),
    ] = False

    def check(self) -> None:
        """See ``Section``."""
        if len(self.epochs) != len(self.limits) + 1 or sum(self.epochs) < 1:
            raise SettingError(
                "curriculum.epochs",
                f"must be one number more than curriculum.limits, found {_listed(self.epochs)} "
                f"for {_listed(self.limits)}",
                "give the epochs of each stage; the last stage has no limit",
            )

    @property
    def stages(self) -> tuple[tuple[int | None, int], ...]:
        """(limit, epochs) of each stage; limit None: every sample."""
        return tuple(zip((*self.limits, None), self.epochs, strict=True))


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers)) or "none"


@dataclass(frozen=True)
class TrainConfig(Section, key="train", group=TRAINING):
    """How weights are optimised and kept."""

    seed: Annotated[
        int,
        Setting("Seed of weights, order and hidden words.", least=0, most=2**31 - 1, flag="--seed"),
    ] = 0
    batch: Annotated[
        int,
        Setting("Samples of one update, over all processes.", least=2, most=65536, flag="--batch"),
    ] = 32
    lr: Annotated[
        float, Setting("Learning rate of the temporal head.", least=0, most=10, flag="--lr")
    ] = 4e-4
    spatial_lr: Annotated[
        float, Setting("Learning rate of the spatial head.", least=0, most=10)
    ] = 3e-4
    warmup: Annotated[
        int,
        Setting(
            "Updates in which the learning rate rises from 1e-7; then it falls with the inverse "
            "square root.",
            least=0,
            most=10**9,
        ),
    ] = 400
    schedule: Annotated[
        str,
        Setting(
            "How the learning rate falls: with the inverse square root of the updates behind the "
            "warm-up, or in one cycle, which rises over the first 30 % of them.",
            choices=("inverse-sqrt", "one-cycle"),
        ),
    ] = "inverse-sqrt"
    max_grad_norm: Annotated[
        float,
        Setting(
            "Largest norm of the gradient; 0 does not limit it.",
            least=0,
            formerly=("train.clip",),
        ),
    ] = 10.0
    weight_decay: Annotated[
        float, Setting("Weight decay, apart from the gradient (AdamW).", least=0, most=10)
    ] = 0.0
    ema_decay: Annotated[
        float,
        Setting(
            "Decay of the averaged weights that are evaluated and kept; 0 averages none.",
            least=0,
            most=0.999999,
            formerly=("train.ema",),
        ),
    ] = 0.0
    crg: Annotated[
        bool, Setting("Train on the sub-phrases of a sentence besides the sentence.")
    ] = True
    device: Annotated[
        str, Setting(f"Where the heads are trained: {DEVICE}.", flag="--device", group=SPEED)
    ] = "auto"
    precision: Annotated[
        str,
        Setting(
            "Arithmetic of the training; auto is bf16 on CUDA, else fp32.",
            choices=PRECISIONS,
            flag="--precision",
            group=SPEED,
        ),
    ] = "auto"
    threads: Annotated[
        int,
        Setting(
            "Threads of torch on the CPU; auto is torch's own choice.",
            least=0,
            most=1024,
            zero="auto",
            flag="--threads",
            group=SPEED,
        ),
    ] = 0
    samples: Annotated[
        int,
        Setting(
            "Samples to learn from, drawn by the seed, such as for a learning curve; 0: all.",
            least=0,
            most=10**9,
        ),
    ] = 0
    max_unreadable: Annotated[
        int,
        Setting(
            "Unreadable samples that are skipped before the training stops.",
            least=0,
            most=10**9,
            formerly=("train.bad",),
        ),
    ] = 100
    save_every: Annotated[
        int,
        Setting(
            "Updates between two checkpoints within an epoch; 0 saves at the epochs' ends only.",
            least=0,
            most=10**9,
        ),
    ] = 200
    select: Annotated[
        str,
        Setting(
            "What the best checkpoint is chosen by, on the validation tenth of train.",
            choices=("m_vIoU", "m_tIoU", "loss"),
        ),
    ] = "m_vIoU"
