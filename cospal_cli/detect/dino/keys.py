"""The names of Grounding DINO's weights: the original checkpoints' and those of transformers.

One table of prefixes, read in both directions. "#" stands for a layer's number, "~" for query, key
and value: one tensor in the original, three in transformers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from cospal_cli.core.errors import WeightsError
from cospal_cli.core.registry import require

if TYPE_CHECKING:
    from torch import Tensor

    State = Mapping[str, Tensor]

PARTS = ("query", "key", "value")
_SAMPLING = ("sampling_offsets.", "attention_weights.", "value_proj.", "output_proj.")
_SECTIONS: dict[tuple[str, str], dict[str, str]] = {  # names of the original, of transformers
    ("", ""): {
        "bert.embeddings.": "model.text_backbone.embeddings.",
        "bert.encoder.": "model.text_backbone.encoder.",
        "feat_map.": "model.text_projection.",
        "input_proj.": "model.input_proj_vision.",
        "bbox_embed.": "bbox_embed.",
    },
    ("transformer.", "model."): {
        "level_embed": "level_embed",
        "tgt_embed.": "query_position_embeddings.",
        "enc_output.": "enc_output.",
        "enc_output_norm.": "enc_output_norm.",
        "enc_out_bbox_embed.": "encoder_output_bbox_embed.",
        "decoder.norm.": "decoder.layer_norm.",
        "decoder.ref_point_head.": "decoder.reference_points_head.",
    },
    ("backbone.0.", "model.backbone.conv_encoder.model."): {
        "patch_embed.proj.": "embeddings.patch_embeddings.projection.",
        "patch_embed.norm.": "embeddings.norm.",
        "layers.#.downsample.": "encoder.layers.#.downsample.",
        **{f"norm{stage}.": f"hidden_states_norms.stage{stage + 1}." for stage in range(4)},
    },
    (
        "backbone.0.layers.#.blocks.#.",
        "model.backbone.conv_encoder.model.encoder.layers.#.blocks.#.",
    ): {
        "norm1.": "layernorm_before.",
        "norm2.": "layernorm_after.",
        "attn.relative_position_bias_table": "attention.self.relative_position_bias_table",
        "attn.qkv.": "attention.self.~.",
        "attn.proj.": "attention.output.dense.",
        "mlp.fc1.": "intermediate.dense.",
        "mlp.fc2.": "output.dense.",
    },
    ("transformer.encoder.layers.#.", "model.encoder.layers.#.deformable_layer."): {
        **{f"self_attn.{part}": f"self_attn.{part}" for part in _SAMPLING},
        "norm1.": "self_attn_layer_norm.",
        "linear1.": "fc1.",
        "linear2.": "fc2.",
        "norm2.": "final_layer_norm.",
    },
    ("transformer.encoder.text_layers.#.", "model.encoder.layers.#.text_enhancer_layer."): {
        "self_attn.in_proj_": "self_attn.~.",
        "self_attn.out_proj.": "self_attn.out_proj.",
        "norm1.": "layer_norm_before.",
        "linear1.": "fc1.",
        "linear2.": "fc2.",
        "norm2.": "layer_norm_after.",
    },
    ("transformer.encoder.fusion_layers.#.", "model.encoder.layers.#.fusion_layer."): {
        "gamma_v": "vision_param",
        "gamma_l": "text_param",
        "layer_norm_v.": "layer_norm_vision.",
        "layer_norm_l.": "layer_norm_text.",
        "attn.v_proj.": "attn.vision_proj.",
        "attn.l_proj.": "attn.text_proj.",
        "attn.values_v_proj.": "attn.values_vision_proj.",
        "attn.values_l_proj.": "attn.values_text_proj.",
        "attn.out_v_proj.": "attn.out_vision_proj.",
        "attn.out_l_proj.": "attn.out_text_proj.",
    },
    ("transformer.decoder.layers.#.", "model.decoder.layers.#."): {
        **{f"cross_attn.{part}": f"encoder_attn.{part}" for part in _SAMPLING},
        "norm1.": "encoder_attn_layer_norm.",
        "ca_text.in_proj_": "encoder_attn_text.~.",
        "ca_text.out_proj.": "encoder_attn_text.out_proj.",
        "catext_norm.": "encoder_attn_text_layer_norm.",
        "self_attn.in_proj_": "self_attn.~.",
        "self_attn.out_proj.": "self_attn.out_proj.",
        "norm2.": "self_attn_layer_norm.",
        "linear1.": "fc1.",
        "linear2.": "fc2.",
        "norm3.": "final_layer_norm.",
    },
}
RULES = tuple(  # prefix in the original, prefix in transformers
    (start + old, new_start + new)
    for (start, new_start), names in _SECTIONS.items()
    for old, new in names.items()
)

# What a file may hold or lack all the same: computed from the sizes alone, a second name of the
# same tensor, or of use in training only.
UNUSED = re.compile(
    r"label_enc\.weight|(bert|model\.text_backbone)\.pooler\..*|.*\.position_ids"
    r"|.*\.relative_position_index|(transformer|model)\.decoder\.bbox_embed\..*"
    r"|model\.backbone\.conv_encoder\.model\.(swin\.)?layernorm\..*"
)
_HEAD = re.compile(r"bbox_embed\.(\d+)\.(.*)")
_DECODER = re.compile(r"transformer\.decoder\.layers\.(\d+)\.")


def convert(state: State, to: str) -> dict[str, Tensor]:
    """``state`` under the names of ``to``: "transformers" (those of its files) or "original".

    Projections are split or joined, heads that are one tensor in truth are named once in
    transformers and per layer in the original. Raises WeightsError for names of neither kind and
    for projections with a part missing.
    """
    used = {name: value for name, value in state.items() if not UNUSED.fullmatch(name)}
    if to == "transformers":
        return _one_head(_to_transformers(used))
    return _all_heads(_to_original(used))


def _to_transformers(state: State) -> dict[str, Tensor]:
    result: dict[str, Tensor] = {}
    for name, value in state.items():
        new, _ = _rename(name, "transformers")
        if "~" in new:
            parts = zip(PARTS, value.chunk(3), strict=True)
            result.update({new.replace("~", part): piece for part, piece in parts})
        else:
            result[new] = value
    return result


def _to_original(state: State) -> dict[str, Tensor]:
    torch = require("torch", "torch")
    result: dict[str, Tensor] = {}
    joined: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        new, part = _rename(name, "original")
        if part:
            joined.setdefault(new, {})[part] = value
        else:
            result[new] = value
    for name, pieces in joined.items():
        missing = [part for part in PARTS if part not in pieces]
        if missing:
            raise WeightsError(
                f"{name}: no {' and no '.join(missing)} among the weights",
                "the file is incomplete: fetch or copy it again",
            )
        result[name] = torch.cat([pieces[part] for part in PARTS])
    return result


def _rename(name: str, to: str) -> tuple[str, str]:
    """The name in ``to``, and which of PARTS it is ("" for a whole tensor)."""
    for pattern, template in _rules(to):
        match = pattern.match(name)
        if match:
            new = template
            for number in match.groups():
                new = new.replace("#", number, 1)
            part = next((group for group in match.groups() if group in PARTS), "")
            return new + name[match.end() :], part
    source = "original" if to == "transformers" else "transformers"
    raise WeightsError(
        f"{name!r} is not a weight of Grounding DINO by its {source} names",
        "the file holds another kind of model",
    )


@cache
def _rules(to: str) -> list[tuple[re.Pattern[str], str]]:
    """What each rule matches, and what it puts in its place; the joined name has no "~"."""
    pairs = RULES if to == "transformers" else [(new, old) for old, new in RULES]
    wild = {"#": r"(\d+)", "~": f"({'|'.join(PARTS)})"}
    return [
        (re.compile("".join(wild.get(c, re.escape(c)) for c in source)), target)
        for source, target in pairs
    ]


def shares_head(state: State) -> bool:
    """Whether one head predicts the boxes after every layer of the decoder; under either names."""
    heads = list(_heads(state).values())
    return all(
        head.keys() == heads[0].keys() and all(head[k].equal(heads[0][k]) for k in head)
        for head in heads[1:]
    )


def _one_head(state: State) -> dict[str, Tensor]:
    """``state`` with the box head of the first layer only, where that serves all layers."""
    spare = shares_head(state)
    heads = {name: _HEAD.fullmatch(name) for name in state}
    return {
        name: value
        for name, value in state.items()
        if not (spare and (match := heads[name]) and match[1] != "0")
    }


def _all_heads(state: State) -> dict[str, Tensor]:
    """``state`` with a box head for every layer, under both names that the original has for it."""
    heads = _heads(state)
    layers = {match[1] for match in map(_DECODER.match, state) if match}
    result = dict(state)
    for n in layers:
        for rest, value in heads.get(n, heads.get("0", {})).items():
            result[f"bbox_embed.{n}.{rest}"] = value
            result[f"transformer.decoder.bbox_embed.{n}.{rest}"] = value
    return result


def _heads(state: State) -> dict[str, dict[str, Tensor]]:
    """The box heads by the number of their layer: the rest of the name -> tensor."""
    heads: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        if match := _HEAD.fullmatch(name):
            heads.setdefault(match[1], {})[match[2]] = value
    return heads
