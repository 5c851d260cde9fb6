"""How an original Grounding DINO is built: read from the shapes of its checkpoint's tensors.

The configuration file that comes with one is optional. It adds the little that shapes do not
show, is read as literals and never run, and must agree with the checkpoint.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.core.errors import UsageError, WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.json_types import Json, JsonDict
from cospal_cli.core.reading import MB, read_bytes
from cospal_cli.detect.dino.keys import shares_head

if TYPE_CHECKING:
    from torch import Tensor

MAX_TOKENS = 256  # length of a prompt, and of the scores of a box
WIDTH = 256  # of features: the original's positions of words and boxes know no other
SWINS = {  # the original's names: width of the first stage, blocks per stage, side of a window
    "swin_T_224_1k": (96, (2, 2, 6, 2), 7),
    "swin_B_224_22k": (128, (2, 2, 18, 2), 7),
    "swin_B_384_22k": (128, (2, 2, 18, 2), 12),
    "swin_L_224_22k": (192, (2, 2, 18, 2), 7),
    "swin_L_384_22k": (192, (2, 2, 18, 2), 12),
}
PUBLISHED = {  # what every published checkpoint agrees on, and nothing else is built for
    "modelname": "groundingdino",
    "position_embedding": "sine",
    "return_interm_indices": [1, 2, 3],
    "pre_norm": False,
    "query_dim": 4,
    "num_patterns": 0,
    "two_stage_type": "standard",
    "two_stage_bbox_embed_share": False,
    "transformer_activation": "relu",
    "embed_init_tgt": True,
    "max_text_len": MAX_TOKENS,
    "text_encoder_type": "bert-base-uncased",
    "use_text_enhancer": True,
    "use_fusion_layer": True,
    "use_text_cross_attention": True,
    "sub_sentence_present": True,
}


@dataclass(frozen=True)
class Swin:
    """The sizes of the image backbone."""

    embed_dim: int
    depths: tuple[int, ...]
    num_heads: tuple[int, ...]
    window_size: int


@dataclass(frozen=True)
class Bert:
    """The sizes of the text encoder."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int


@dataclass(frozen=True)
class Dino:
    """The sizes of a Grounding DINO, by the original's names where it has some."""

    swin: Swin
    bert: Bert
    hidden_dim: int
    enc_layers: int
    dec_layers: int
    dim_feedforward: int
    num_queries: int
    num_feature_levels: int
    nheads: int
    enc_n_points: int
    dec_n_points: int
    pe_temperature: int
    dec_pred_bbox_embed_share: bool

    def transformers(self) -> JsonDict:
        """The content of the config.json that transformers builds the same network from."""
        swin = {
            "model_type": "swin",
            **asdict(self.swin),
            "image_size": 32 * self.swin.window_size,
            "out_indices": [2, 3, 4],
        }
        return {
            "architectures": ["GroundingDinoForObjectDetection"],
            "model_type": "grounding-dino",
            "backbone_config": swin,
            "text_config": {"model_type": "bert", **asdict(self.bert)},
            "d_model": self.hidden_dim,
            "encoder_layers": self.enc_layers,
            "decoder_layers": self.dec_layers,
            "encoder_ffn_dim": self.dim_feedforward,
            "decoder_ffn_dim": self.dim_feedforward,
            "encoder_attention_heads": self.nheads,
            "decoder_attention_heads": self.nheads,
            "num_queries": self.num_queries,
            "num_feature_levels": self.num_feature_levels,
            "encoder_n_points": self.enc_n_points,
            "decoder_n_points": self.dec_n_points,
            "positional_embedding_temperature": self.pe_temperature,
            "decoder_bbox_embed_share": self.dec_pred_bbox_embed_share,
            "max_text_len": MAX_TOKENS,
        }


def read_settings(path: Path) -> JsonDict:
    """The assignments ``name = literal`` of a configuration file; nothing in it is run.

    Raises UsageError for a file that cannot be read or that holds anything else.
    """
    hint = "it may only assign literals to names; without one the published settings are used"
    data = read_bytes(path, UsageError, hint, MB)
    with errors_as(UsageError, f"{path}: not a plain configuration file", hint):
        try:
            tree = ast.parse(data, filename=str(path))
            return dict(_assignment(statement) for statement in tree.body)
        except MemoryError as error:  # how the parser of Python's language says so
            raise RecursionError from error


def _assignment(statement: ast.stmt) -> tuple[str, object]:
    """Name and value of an assignment; ValueError for any other statement."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id, ast.literal_eval(statement.value)
    raise ValueError(f"line {statement.lineno} does not assign a literal to a name")


def from_state(state: Mapping[str, Tensor], settings: Json | None = None) -> Dino:
    """How the network of ``state``, by its original names, is built; ``settings`` of its
    configuration file.

    Raises WeightsError if tensors are missing or contradict ``settings``, UsageError for
    ``settings`` that nothing here is built for.
    """
    given = settings or {}
    for name, value in PUBLISHED.items():
        if given.get(name, value) != value:
            raise UsageError(
                f"{name} = {given[name]!r}: only {value!r} is supported",
                "such a network cannot be run; use another checkpoint",
            )
    hint = (
        "give a .pth file of the original authors; for other models use --detector grounding-dino"
    )
    with errors_as(WeightsError, "weights of unknown shapes in the checkpoint", hint):
        try:
            shapes = _read_shapes(state, given)
        except KeyError as error:
            name = error.args[0]
            raise WeightsError(f"no weights for {name!r} in the checkpoint", hint) from error
    if shapes.hidden_dim != WIDTH:
        raise WeightsError(
            f"features of width {shapes.hidden_dim}, expected the original's {WIDTH}", hint
        )
    _compare(shapes, given)
    return shapes


def _read_shapes(state: Mapping[str, Tensor], given: Json) -> Dino:
    encoder, decoder = "transformer.encoder.layers", "transformer.decoder.layers"
    levels, width = state["transformer.level_embed"].shape
    heads = int(given.get("nheads", 8))
    samples = [
        len(state[f"{name}.attention_weights.bias"]) // (heads * levels)
        for name in (f"{encoder}.0.self_attn", f"{decoder}.0.cross_attn")
    ]
    return Dino(
        swin=_read_swin(state),
        bert=_read_bert(state),
        hidden_dim=width,
        enc_layers=_count(state, encoder),
        dec_layers=_count(state, decoder),
        dim_feedforward=len(state[f"{encoder}.0.linear1.bias"]),
        num_queries=len(state["transformer.tgt_embed.weight"]),
        num_feature_levels=levels,
        nheads=heads,
        enc_n_points=samples[0],
        dec_n_points=samples[1],
        pe_temperature=int(given.get("pe_temperatureH", 20)),
        dec_pred_bbox_embed_share=shares_head(state),
    )


def _read_swin(state: Mapping[str, Tensor]) -> Swin:
    stages = range(_count(state, "backbone.0.layers"))
    tables = [
        state[f"backbone.0.layers.{n}.blocks.0.attn.relative_position_bias_table"] for n in stages
    ]
    return Swin(
        embed_dim=len(state["backbone.0.patch_embed.proj.bias"]),
        depths=tuple(_count(state, f"backbone.0.layers.{n}.blocks") for n in stages),
        num_heads=tuple(table.shape[1] for table in tables),
        window_size=(math.isqrt(len(tables[0])) + 1) // 2,
    )


def _read_bert(state: Mapping[str, Tensor]) -> Bert:
    words, width = state["bert.embeddings.word_embeddings.weight"].shape
    return Bert(
        vocab_size=words,
        hidden_size=width,
        num_hidden_layers=_count(state, "bert.encoder.layer"),
        num_attention_heads=max(width // 64, 1),  # in every BERT that was published
        intermediate_size=len(state["bert.encoder.layer.0.intermediate.dense.bias"]),
        max_position_embeddings=len(state["bert.embeddings.position_embeddings.weight"]),
    )


def _count(state: Mapping[str, Tensor], prefix: str) -> int:
    """How many layers are numbered right after ``prefix``."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d+)\.")
    return len({match[1] for match in map(pattern.match, state) if match})


def _compare(shapes: Dino, given: Json) -> None:
    """WeightsError if the configuration file says otherwise than the tensors."""
    names = [name for name, value in vars(shapes).items() if isinstance(value, int)]
    said = {name: (given[name], getattr(shapes, name)) for name in names if name in given}
    if given.get("backbone") is not None:
        known = SWINS.get(given["backbone"], given["backbone"])
        swin = shapes.swin
        said["backbone"] = (known, (swin.embed_dim, swin.depths, swin.window_size))
    for name, (wanted, there) in said.items():
        if wanted != there:
            raise WeightsError(
                f"{name}: {wanted} in the configuration file, {there} in the checkpoint",
                "give the file that belongs to the checkpoint, or none",
            )
