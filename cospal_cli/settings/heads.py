"""The settings of the ranking, of the trained heads, and of what runs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cospal_cli.core.backends import METHODS, RUNTIMES
from cospal_cli.settings.declare import Section, Setting, SettingError
from cospal_cli.settings.words import FIND, MODELS, SPEED


def _weight(meaning: str, *formerly: str) -> Setting:
    return Setting(meaning, least=0, most=1000, formerly=formerly)


@dataclass(frozen=True)
class GroundConfig(Section, key="ground", group=FIND):
    """How tubelets are ranked, and what is returned."""

    method: Annotated[
        str,
        Setting(
            "The method that ranks the tubelets; cospal (trained heads) and combined (heads and "
            "rules together) need a checkpoint.",
            choices=METHODS,
            flag="--method",
        ),
    ] = "zero-shot"
    top_k: Annotated[
        int,
        Setting(
            "How many tubes to return at most, best first.", least=1, most=10_000, flag="--top-k"
        ),
    ] = 1
    class_weight: Annotated[float, _weight("Weight of the subject's class in zero-shot.")] = 1.5
    colour_weight: Annotated[float, _weight("Weight of each colour named in zero-shot.")] = 1.5
    position_weight: Annotated[
        float, _weight("Weight of the position in the picture in zero-shot.")
    ] = 1.5
    action_weight: Annotated[float, _weight("Weight of what the subject does in zero-shot.")] = 1.0
    company_weight: Annotated[
        float, _weight("Weight of each thing beside the subject in zero-shot.")
    ] = 0.8
    relation_weight: Annotated[
        float,
        _weight("Weight of how the subject stands to other things in zero-shot."),
    ] = 1.5
    pattern_weight: Annotated[
        float, _weight("Weight of each pattern of clothes in zero-shot: striped, checked, plain.")
    ] = 1.0
    appearance_weight: Annotated[
        float,
        _weight("Weight of each thing worn or carried in zero-shot.", "ground.looks_weight"),
    ] = 0.6
    prior_weight: Annotated[
        float, _weight("Weight of size, length and place alone in zero-shot.")
    ] = 1.0
    min_score: Annotated[
        float, Setting("Lowest score at which a tube is returned.", least=0, most=1)
    ] = 0.0
    min_match: Annotated[
        float | None,
        Setting(
            "Lowest match at which a tube is returned; 0 returns the best, whatever it is.",
            least=0,
            most=1,
            unset="as fitted: at most 5 % of true answers are below",
            flag="--min-match",
        ),
    ] = None
    all: Annotated[
        bool,
        Setting(
            "Return every tubelet that matches: for sentences that mean several.",
            flag="--all",
        ),
    ] = False
    query_form: Annotated[
        str,
        Setting(
            "The form of the sentence that trained heads are given: refined by the parser, "
            "or as written.",
            choices=("refined", "sentence"),
            flag="--query-form",
            former_flags=("--reads",),
            formerly=("ground.reads",),
        ),
    ] = "refined"
    segment: Annotated[
        str,
        Setting(
            "How trained heads choose the segment: the proposal that reconstructs the sentence "
            "best, the one that overlaps the others most (vote), the hull of the sub-phrases' "
            "best, or the middle of the video (blind).",
            choices=("best", "vote", "hull", "blind"),
            flag="--segment",
        ),
    ] = "best"
    temporal_first: Annotated[
        bool,
        Setting(
            "Leave out tubelets that are absent from the chosen segment, as in STPro.",
            flag="--temporal-first",
        ),
    ] = False
    seed: Annotated[
        int,
        Setting("Seed of the random baselines.", least=0, most=2**31 - 1, flag="--seed"),
    ] = 0


@dataclass(frozen=True)
class RuntimeConfig(Section, key="runtime", group=SPEED):
    """What runs trained heads."""

    name: Annotated[
        str,
        Setting(
            "The runtime of trained heads; auto takes exported files where there are any, "
            "else torch.",
            choices=RUNTIMES,
            also=("auto",),
            flag="--runtime",
            group=MODELS,
        ),
    ] = "auto"
    device: Annotated[
        str | None,
        Setting(
            "Where trained heads run: auto, cpu, cuda or cuda:N.",
            unset="where the detector does",
            flag="--device",
        ),
    ] = None
    precision: Annotated[
        str,
        Setting(
            "Arithmetic of trained heads; auto is the most exact one available.",
            choices=("auto", "fp32", "fp16", "bf16", "int8"),
            flag="--precision",
        ),
    ] = "auto"
    provider: Annotated[
        str,
        Setting(
            "Execution provider of runtime onnx.",
            choices=("auto", "cpu", "cuda", "tensorrt"),
            flag="--provider",
            group=MODELS,
        ),
    ] = "auto"


@dataclass(frozen=True)
class ModelConfig(Section, key="model", group=MODELS):
    """Sizes and rules of the heads (method: TPG, CRG)."""

    dim: Annotated[int, Setting("Width of the heads' vectors.", least=8, most=4096)] = 256
    heads: Annotated[int, Setting("Attention heads of a layer.", least=1, most=64)] = 4
    ffn: Annotated[int, Setting("Width of the MLP in a layer.", least=8, most=16384)] = 512
    dropout: Annotated[
        float, Setting("Share of values dropped in training.", least=0, most=0.9)
    ] = 0.1
    input_noise: Annotated[
        float,
        Setting(
            "Noise added to the inputs in training, relative to their own size; for small "
            "data sets.",
            least=0,
            most=10,
            formerly=("model.noise",),
        ),
    ] = 0.0
    spatial_layers: Annotated[
        int,
        Setting("Layers of self-attention over a tubelet's frames.", least=0, most=24),
    ] = 1
    temporal_layers: Annotated[
        int,
        Setting(
            "Layers of the video transformer and of the word transformer, each.", least=1, most=24
        ),
    ] = 3
    proposals: Annotated[
        int,
        Setting("Proposals P of a video: 8 as in CPL, 1 as in CNM.", least=1, most=64),
    ] = 8
    width_divisor: Annotated[
        float,
        Setting(
            "A proposal of width w is a Gaussian whose sigma is w / this.", least=0.1, most=100
        ),
    ] = 9.0
    word_score: Annotated[
        str,
        Setting(
            "How the scores of the referral's words make the score of a tubelet.",
            choices=("mean", "max"),
        ),
    ] = "mean"
    temporal_input: Annotated[
        str,
        Setting(
            "Input of the temporal head: clips of the whole video, the likely subject's tubelets "
            "at each clip, both, or the subject's motion alone. The contrast always takes the "
            "tubelets' motion; both adds the clips.",
            choices=("clips", "subject", "both", "motion"),
            formerly=("model.sees",),
        ),
    ] = "clips"

    def check(self) -> None:
        """See ``Section``."""
        if self.dim % (2 * self.heads):
            step = 2 * self.heads
            raise SettingError(
                "model.dim",
                f"must be a multiple of {step}, found {self.dim}",
                f"such as {-(-self.dim // step) * step}; it is shared by model.heads={self.heads}",
            )
