"""Original Grounding DINO checkpoints under the names of transformers, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from cospal_cli.backbones.state import read_state
from cospal_cli.core.errors import CospalError, UsageError, WeightsError
from cospal_cli.detect.dino.config import from_state, read_settings
from cospal_cli.detect.dino.convert import convert_checkpoint
from cospal_cli.detect.dino.keys import RULES, convert, shares_head
from tests.tiny_models import save_grounding_dino
from tests.tiny_original import NEEDS_PACKAGE, save_both

State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return save_both(tmp_path_factory.mktemp("dino"))


@pytest.fixture(scope="module")
def original(both: tuple[Path, Path]) -> State:
    return read_state(both[1])


def same(first: State, second: State) -> bool:
    return first.keys() == second.keys() and all(first[k].equal(second[k]) for k in first)


SWIN = "model.backbone.conv_encoder.model.encoder.layers.2.blocks.5"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("backbone.0.layers.2.blocks.5.attn.proj.bias", f"{SWIN}.attention.output.dense.bias"),
        ("backbone.0.layers.2.blocks.5.norm1.weight", f"{SWIN}.layernorm_before.weight"),
        (
            "backbone.0.norm3.weight",
            "model.backbone.conv_encoder.model.hidden_states_norms.stage4.weight",
        ),
        ("transformer.level_embed", "model.level_embed"),
        ("input_proj.3.0.weight", "model.input_proj_vision.3.0.weight"),
        (
            "transformer.encoder.fusion_layers.5.attn.values_l_proj.bias",
            "model.encoder.layers.5.fusion_layer.attn.values_text_proj.bias",
        ),
        (
            "transformer.encoder.layers.11.norm2.weight",
            "model.encoder.layers.11.deformable_layer.final_layer_norm.weight",
        ),
        (
            "transformer.decoder.layers.4.norm2.weight",
            "model.decoder.layers.4.self_attn_layer_norm.weight",
        ),
        (
            "transformer.decoder.layers.4.cross_attn.sampling_offsets.weight",
            "model.decoder.layers.4.encoder_attn.sampling_offsets.weight",
        ),
        (
            "bert.encoder.layer.0.attention.self.query.bias",
            "model.text_backbone.encoder.layer.0.attention.self.query.bias",
        ),
    ],
)
def test_names(old: str, new: str) -> None:
    value = torch.rand(3)
    assert same(convert({old: value}, "transformers"), {new: value})
    assert same(convert({new: value}, "original"), {old: value})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("backbone.0.layers.2.blocks.5.attn.qkv.weight", f"{SWIN}.attention.self.~.weight"),
        (
            "transformer.decoder.layers.0.ca_text.in_proj_weight",
            "model.decoder.layers.0.encoder_attn_text.~.weight",
        ),
        (
            "transformer.encoder.text_layers.1.self_attn.in_proj_bias",
            "model.encoder.layers.1.text_enhancer_layer.self_attn.~.bias",
        ),
    ],
)
def test_projections_are_split_and_joined(old: str, new: str) -> None:
    whole = torch.arange(18.0).reshape(9, 2)
    parts = convert({old: whole}, "transformers")
    rows = {"query": 0, "key": 3, "value": 6}
    assert parts.keys() == {new.replace("~", part) for part in rows}
    for part, row in rows.items():
        assert parts[new.replace("~", part)].equal(whole[row : row + 3])
    assert same(convert(dict(reversed(parts.items())), "original"), {old: whole})
    del parts[new.replace("~", "key")]
    with pytest.raises(WeightsError, match="no key"):
        convert(parts, "original")


def test_no_two_rules_meet() -> None:
    assert len({old for old, _ in RULES}) == len({new for _, new in RULES}) == len(RULES)
    for side in (0, 1):
        prefixes = [rule[side] for rule in RULES]
        for prefix in prefixes:
            others = [one for one in prefixes if one.startswith(prefix) and one != prefix]
            assert not others, prefix


def test_every_weight_of_a_model_has_its_name(both: tuple[Path, Path], original: State) -> None:
    stored = load_file(both[0] / "model.safetensors")
    unused = {name for name in stored if ".swin.layernorm." in name}
    assert convert(original, "transformers").keys() == stored.keys() - unused
    assert same(convert(convert(original, "transformers"), "original"), convert(stored, "original"))


def test_heads_are_named_once_or_per_layer() -> None:
    shared = {f"bbox_embed.{n}.layers.0.bias": torch.ones(2) for n in range(3)}
    layers = {f"transformer.decoder.layers.{n}.norm1.bias": torch.ones(2) for n in range(3)}
    assert shares_head(shared)
    heads = [k for k in convert(shared | layers, "transformers") if "bbox" in k]
    assert heads == ["bbox_embed.0.layers.0.bias"]
    back = convert(convert(shared | layers, "transformers"), "original")
    twice = {f"transformer.decoder.{name}": value for name, value in shared.items()}
    assert same(back, shared | layers | twice)
    apart = shared | {"bbox_embed.2.layers.0.bias": torch.zeros(2)}
    assert not shares_head(apart)
    assert convert(apart, "transformers").keys() == apart.keys()


@pytest.mark.parametrize("to", ["transformers", "original"])
def test_unknown_names_are_refused(to: str) -> None:
    with pytest.raises(WeightsError, match=r"'vision\.layer\.0'"):
        convert({"vision.layer.0": torch.ones(1)}, to)


def test_sizes_are_read_from_the_weights(both: tuple[Path, Path], original: State) -> None:
    built = from_state(original).transformers()
    config = json.loads((both[0] / "config.json").read_text())
    for name in ("d_model", "num_queries", "encoder_layers", "encoder_ffn_dim", "decoder_n_points"):
        assert built[name] == config[name], name
    for part in ("backbone_config", "text_config"):
        for name, value in built[part].items():
            found = config[part][name]
            expected = list(value) if isinstance(value, tuple) else value
            assert name == "image_size" or found == expected, name


def test_there_and_back(both: tuple[Path, Path], original: State, tmp_path: Path) -> None:
    convert_checkpoint(both[1], tmp_path / "folder")
    convert_checkpoint(tmp_path / "folder", tmp_path / "again.pth")
    assert same(
        read_state(tmp_path / "again.pth"), convert(convert(original, "transformers"), "original")
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.pth", "folder"]


def test_a_converted_folder_has_what_transformers_wants(
    both: tuple[Path, Path], tmp_path: Path
) -> None:
    from transformers import AutoTokenizer, GroundingDinoImageProcessorPil

    convert_checkpoint(both[1], tmp_path / "folder")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "folder")
    assert tokenizer("The man. ?")["input_ids"] == [101, 1996, 2158, 1012, 1029, 102]
    size = GroundingDinoImageProcessorPil.from_pretrained(tmp_path / "folder").size
    assert (size["shortest_edge"], size["longest_edge"]) == (800, 1333)


def damaged(both: tuple[Path, Path], folder: Path, kind: str) -> tuple[Path, Path]:
    """(source, target) of a conversion that cannot succeed."""
    source = folder / "source.pth"
    state = read_state(both[1])
    if kind == "truncated":
        source.write_bytes(both[1].read_bytes()[:10_000])
        return source, folder / "new"
    if kind == "incomplete":
        del state["transformer.decoder.norm.weight"]
    elif kind == "foreign":
        state = {"conv1.weight": torch.ones(1)}
    elif kind == "extra":
        state["transformer.decoder.surplus"] = torch.ones(1)
    elif kind in ("narrow", "other heads"):  # of transformers, in a way the original cannot have
        save_grounding_dino(folder / "folder", d_model=32 if kind == "narrow" else 256)
        return folder / "folder", folder / "new.pth"
    elif kind == "holes":
        save_grounding_dino(folder / "folder")
        weights = load_file(folder / "folder" / "model.safetensors")
        del weights["model.level_embed"]
        save_file(weights, folder / "folder" / "model.safetensors", {"format": "pt"})
        return folder / "folder", folder / "new.pth"
    torch.save(state, source)
    return source, folder / "new"


@pytest.mark.parametrize(
    "kind", ["truncated", "incomplete", "foreign", "extra", "narrow", "other heads", "holes"]
)
def test_what_cannot_be_converted_leaves_nothing(
    both: tuple[Path, Path], tmp_path: Path, kind: str
) -> None:
    source, target = damaged(both, tmp_path, kind)
    with pytest.raises(WeightsError) as caught:
        convert_checkpoint(source, target)
    assert str(source) in caught.value.message
    assert [path for path in tmp_path.iterdir() if path.name.lstrip(".").startswith("new")] == []


def test_targets_are_kept(both: tuple[Path, Path], tmp_path: Path) -> None:
    kept = tmp_path / "kept.pth"
    kept.write_text("mine")
    for source, target in (
        (both[0], kept),
        (both[1], kept),
        (both[1], both[0]),
        (both[0], tmp_path / "name"),  # a checkpoint has an ending
        (both[1], tmp_path / "none" / "folder"),
    ):
        with pytest.raises(UsageError):
            convert_checkpoint(source, target)
    assert kept.read_text() == "mine"
    with pytest.raises(WeightsError):
        convert_checkpoint(tmp_path / "missing.pth", tmp_path / "new")


# --- configuration files ---

PUBLISHED = 'backbone = "swin_T_224_1k"\nnheads = 8\nreturn_interm_indices = [1, 2, 3]\n'


def test_configuration_files_are_read_not_run(tmp_path: Path) -> None:
    path = tmp_path / "config.py"
    path.write_text(PUBLISHED)
    assert read_settings(path)["return_interm_indices"] == [1, 2, 3]
    witness = tmp_path / "witness"
    for line in (
        f"open({str(witness)!r}, 'w')",
        f"x = open({str(witness)!r}, 'w')",
        "import os",
        "x = y = 1 +",
        "(" * 5000,
        "x.y = 3",
        "\0",
    ):
        path.write_text(f"{PUBLISHED}{line}\n")
        with pytest.raises(UsageError, match=r"config\.py"):
            read_settings(path)
    assert not witness.exists()
    with pytest.raises(UsageError, match="No such file"):
        read_settings(tmp_path / "none.py")


@NEEDS_PACKAGE
def test_published_configuration_files_are_accepted(original: State) -> None:
    import groundingdino

    folder = Path(groundingdino.__file__).parent / "config"
    for path in folder.glob("Grounding*.py"):
        settings = read_settings(path)
        assert settings["num_queries"] == 900
        with pytest.raises(WeightsError, match="6 in the configuration file, 2 in"):
            from_state(original, settings)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"backbone": "swin_T_224_1k"}, WeightsError),
        ({"enc_layers": 6}, WeightsError),
        ({"enc_n_points": 3}, WeightsError),
        ({"nheads": 16}, WeightsError),
        ({"nheads": "many"}, WeightsError),
        ({"nheads": 0}, WeightsError),
        ({"two_stage_type": "no"}, UsageError),
        ({"text_encoder_type": "roberta-base"}, UsageError),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    original: State, settings: dict[str, Any], error: type[CospalError]
) -> None:
    fitting = {"enc_layers": 2, "enc_n_points": 4, "nheads": 8, "two_stage_type": "standard"}
    assert from_state(original, fitting) == from_state(original)
    with pytest.raises(error):
        from_state(original, fitting | settings)
