"""MiniLM (all-MiniLM-L6-v2, int8) by ONNX Runtime: sentences and single words -> 384-d vectors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cospal_cli import weights
from cospal_cli.core.phrases import WordVectors
from cospal_cli.devices import check
from cospal_cli.devices.onnx_session import open_session
from cospal_cli.language.encoders.text import clean, pool
from cospal_cli.settings import SettingError, TextConfig

DIM = 384
MAX_PIECES = 256  # word pieces of one text, the limit that the model was trained with
WEIGHTS = "minilm"
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_OUTPUT = "last_hidden_state"

Vectors = NDArray[np.float32]


@cache
def vocabulary() -> tuple[str, ...]:
    """The 30,522 word pieces of bert-base-uncased, in the order of their ids."""
    text = weights.path("bert_vocab").read_text(encoding="utf-8")
    return tuple(text.removesuffix("\n").split("\n"))


@cache
def whole_words() -> frozenset[str]:
    """Its pieces that are words of their own: frequent, rightly spelt English."""
    return frozenset(piece for piece in vocabulary() if piece.isalpha())


def open_minilm(config: TextConfig) -> MiniLM:
    """MiniLM as a text encoder; its precision is always int8.

    Raises SettingError for another model, DeviceError for CUDA, WeightsError without its file.
    """
    check(config.device)
    if config.model is not None:
        raise SettingError(
            "text.model",
            f"'minilm' has only one model, found {config.model!r}",
            "leave it out, or choose a model with --text-encoder bert",
        )
    return MiniLM(config.threads)


class MiniLM:
    """See ``TextEncoder``. Texts run one by one, without padding: a text's vector is its own, to
    the last bit, whatever else is encoded."""

    dim = DIM
    model_id = WEIGHTS

    def __init__(self, threads: int = 1, lean: bool = False) -> None:
        """Load model and tokenizer. Raises WeightsError if the model is missing or damaged.

        ``threads``: 0 is every processor. ``lean``: 120 MB less memory and a quicker start, but
        50 ms a text instead of 4.
        """
        self.model_sha256 = weights.sha256(WEIGHTS)
        self._session = open_session(weights.path(WEIGHTS), threads, _INPUTS, (_OUTPUT,), lean)
        self._tokenizer = _tokenizer()

    def sentence(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (B, 384): the mean over each text's pieces, [CLS] and [SEP] included."""
        if not texts:
            return np.zeros((0, DIM), np.float32)
        means = np.stack([self._states(clean(text))[0].mean(axis=0) for text in texts])
        return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)

    def words(self, text: str) -> WordVectors:
        """See ``TextEncoder``."""
        states, pieces = self._states(clean(text))
        return pool(clean(text), pieces, states)

    def words_of(self, texts: Sequence[str]) -> list[WordVectors]:
        """See ``TextEncoder``."""
        return [self.words(text) for text in texts]

    def _states(self, text: str) -> tuple[Vectors, list[tuple[int, int]]]:
        """Last hidden states (L, 384) of one text, and the character span of each piece."""
        encoding = self._tokenizer.encode(text)
        values = (encoding.ids, encoding.attention_mask, encoding.type_ids)
        feed = {n: np.array([v], np.int64) for n, v in zip(_INPUTS, values, strict=True)}
        return self._session.run([_OUTPUT], feed)[0][0], encoding.offsets


def _tokenizer() -> Any:
    """That of bert-base-uncased, but "[SEP]" in a text is a word, not the end of the text."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = {piece: number for number, piece in enumerate(vocabulary())}
    tokenizer = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    first, last = (("[CLS]", pieces["[CLS]"]), ("[SEP]", pieces["[SEP]"]))
    tokenizer.post_processor = processors.BertProcessing(last, first)
    tokenizer.enable_truncation(MAX_PIECES)
    return tokenizer
