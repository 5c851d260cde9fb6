"""transformers models are opened from local folders only, and damaged ones are refused."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cospal_cli.backbones import record
from cospal_cli.backbones.pretrained import model_type, offline, open_model
from cospal_cli.core.errors import UsageError, WeightsError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from cospal_cli.devices.torch_device import Placement  # noqa: E402

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer, with random weights."""
    folder = tmp_path_factory.mktemp("bert")
    config = transformers.BertConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        vocab_size=30,
    )
    with offline():
        transformers.BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def bert(original: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(original, tmp_path / "bert"))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def set_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def refused(folder: Path, kind: str = "AutoModel", **more: Any) -> WeightsError:
    with pytest.raises(WeightsError) as caught:
        open_model(kind, str(folder), CPU, **more)
    assert caught.value.exit_code == 5
    assert caught.value.message.startswith(str(folder))
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < len(str(folder)) + 300
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("kind", ["AutoModel", "BertModel"])
def test_a_whole_folder_opens_silently(
    bert: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    model = open_model(kind, str(bert), CPU)
    assert type(model).__name__ == "BertModel"
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert capfd.readouterr() == ("", "")


def test_the_weights_are_those_of_the_file_in_the_type_asked_for(bert: Path) -> None:
    whole = open_model("BertModel", str(bert), CPU).state_dict()
    halves = open_model("BertModel", str(bert), Placement(CPU.device, torch.bfloat16)).state_dict()
    from safetensors.torch import load_file

    for name, weight in load_file(bert / "model.safetensors").items():
        assert torch.equal(whole[name], weight)
        assert torch.equal(halves[name], weight.to(torch.bfloat16))


def test_the_surroundings_are_left_as_they_were(bert: Path) -> None:
    from huggingface_hub import constants

    log = transformers.utils.logging

    def surroundings() -> tuple[bool, int, bool]:
        return constants.HF_HUB_OFFLINE, log.get_verbosity(), log.is_progress_bar_enabled()

    before = surroundings()
    with offline():
        assert surroundings() == (True, log.CRITICAL, False)
    set_config(bert, vocab_size=40)
    refused(bert)
    assert surroundings() == before


def test_a_truncated_file_is_refused(bert: Path) -> None:
    path = bert / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert "incomplete metadata, file not fully covered" in refused(bert).message


def test_a_fetched_file_that_changed_is_refused(bert: Path) -> None:
    record.write(bert, "some/bert", "main", "MIT")
    path = bert / "model.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(path, (1, 1))
    assert "model.safetensors: sha256" in refused(bert).message


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(bert: Path, value: float) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(bert / "model.safetensors")
    state["pooler.dense.bias"][3] = value
    save_file(state, bert / "model.safetensors", {"format": "pt"})
    assert "pooler.dense.bias holds values that are not finite" in refused(bert).message


def test_missing_weights_are_refused_unless_spare(bert: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(bert / "model.safetensors")
    kept = {name: value for name, value in state.items() if not name.startswith("pooler")}
    save_file(kept, bert / "model.safetensors", {"format": "pt"})
    assert "no weights for pooler.dense.bias, pooler.dense.weight" in refused(bert).message
    assert open_model("AutoModel", str(bert), CPU, spare=("pooler.",))


def test_many_missing_weights_are_counted(bert: Path) -> None:
    set_config(bert, num_hidden_layers=3)
    assert refused(bert).message.endswith(" and 30 more")


def test_other_shapes_are_refused(bert: Path) -> None:
    set_config(bert, vocab_size=40)
    says = "embeddings.word_embeddings.weight has the shape (30, 16), the model needs (40, 16)"
    assert says in refused(bert).message


def test_another_kind_of_model_is_refused(bert: Path) -> None:
    message = refused(bert, "GroundingDinoForObjectDetection").message
    assert message.endswith("holds a 'bert' model, but 'grounding-dino' is needed")
    message = refused(bert, "AutoModelForZeroShotObjectDetection").message
    assert "holds a 'bert' model, which cannot be used for AutoModelForZeroShot" in message


def test_code_in_the_folder_is_never_run(bert: Path, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    (bert / "own.py").write_text(f"open({str(proof)!r}, 'w')\nclass C: pass\nclass M: pass\n")
    set_config(bert, model_type="own", auto_map={"AutoConfig": "own.C", "AutoModel": "own.M"})
    assert "code of its own, which is never run" in refused(bert).message
    assert not proof.exists()


class Payload:
    """Touches a file when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.proof}",)


def test_a_pickle_is_opened_only_if_it_holds_nothing_but_weights(
    bert: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    state = load_file(bert / "model.safetensors")
    (bert / "model.safetensors").unlink()
    torch.save(state, bert / "pytorch_model.bin")
    assert open_model("AutoModel", str(bert), CPU)
    proof = tmp_path / "ran"
    torch.save({**state, "extra": Payload(proof)}, bert / "pytorch_model.bin")
    assert "its pickle holds more than weights; it was not loaded" in refused(bert).message
    assert not proof.exists()


def test_a_folder_without_weights_or_config(bert: Path, tmp_path: Path) -> None:
    (bert / "model.safetensors").unlink()
    assert "it holds no weights" in refused(bert).message
    (bert / "config.json").unlink()
    assert refused(bert).message.endswith("config.json: No such file or directory")
    file = tmp_path / "weights.pth"
    file.write_bytes(b"x")
    assert refused(file).message.endswith("config.json: Not a directory")


@pytest.mark.parametrize("text", ["", "{nope", "[]", "{}", '{"model_type": 3}', "[" * 100_000])
def test_a_config_that_says_nothing(bert: Path, text: str) -> None:
    (bert / "config.json").write_text(text)
    assert "config.json: " in refused(bert).message


def test_an_unknown_model_type(bert: Path) -> None:
    set_config(bert, model_type="zzz")
    assert model_type(bert) == "zzz"
    assert "zzz" in refused(bert).message


def test_a_library_that_does_not_load_is_not_the_weights_fault(
    bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        try:
            raise RuntimeError("operator torchvision::nms does not exist\nmore")
        except RuntimeError as error:
            raise ModuleNotFoundError("Could not import module 'BertModel'.") from error

    monkeypatch.setattr("transformers.AutoModel.from_pretrained", broken)
    with pytest.raises(
        UsageError, match=r"here: operator torchvision::nms does not exist$"
    ) as told:
        open_model("AutoModel", str(bert), CPU)
    assert "pip uninstall torchvision" in told.value.hint


def test_a_missing_shard_is_refused(bert: Path) -> None:
    (bert / "model.safetensors").rename(bert / "model-00001-of-00002.safetensors")
    weights = {"embeddings.word_embeddings.weight": "model-00001-of-00002.safetensors"}
    weights |= {"pooler.dense.weight": "model-00002-of-00002.safetensors"}
    index = {"metadata": {}, "weight_map": weights}
    (bert / "model.safetensors.index.json").write_text(json.dumps(index))
    refused(bert)


def test_a_first_import_is_offline_too(bert: Path) -> None:
    code = (
        "import socket\n"
        "def refuse(*_, **__): raise AssertionError('the network was asked')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "import torch\n"
        "from cospal_cli.devices.torch_device import Placement\n"
        "from cospal_cli.backbones.pretrained import open_model\n"
        f"open_model('AutoModel', {str(bert)!r}, Placement(torch.device('cpu'), torch.float32))\n"
        "import huggingface_hub.constants as constants\n"
        "assert not constants.HF_HUB_OFFLINE\n"
    )
    env = {name: value for name, value in os.environ.items() if "OFFLINE" not in name}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
