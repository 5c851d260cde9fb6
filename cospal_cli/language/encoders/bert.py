"""BERT and its kin by transformers: the last hidden state of every word of a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cospal_cli.backbones import models, record
from cospal_cli.backbones.pretrained import offline, open_model
from cospal_cli.core.errors import WeightsError
from cospal_cli.core.foreign import errors_as
from cospal_cli.core.phrases import WordVectors
from cospal_cli.core.registry import require
from cospal_cli.devices.torch_device import Halving, choose, use_threads
from cospal_cli.language.encoders.text import clean, pool
from cospal_cli.settings import TextConfig

DEFAULT_MODEL = "bert-base-uncased"
BATCH = 32  # texts a call
_UNUSED = ("pooler.",)  # many checkpoints come without it; only classifiers use it


class BertEncoder:
    """See ``TextEncoder``: any encoder of transformers with absolute or relative positions and a
    fast tokenizer, such as BERT, RoBERTa, DistilBERT, MPNet, ELECTRA."""

    def __init__(self, config: TextConfig) -> None:
        """Raises DeviceError for CUDA that is not there, WeightsError if the model is not there,
        damaged, or not one that reads text."""
        place = choose(config.device, config.precision)
        self._torch = require("torch", "torch")
        use_threads(place, config.threads)
        self.model_id = config.model or DEFAULT_MODEL
        folder = models.locate(self.model_id)
        self._model = open_model("AutoModel", self.model_id, place, _UNUSED)
        self._tokenizer = _tokenizer(folder)
        self._device = place.device
        self._fit = Halving("text")
        self._check(folder)
        self.dim = int(self._model.config.hidden_size)
        self.model_sha256 = record.fingerprint(folder)

    def words(self, text: str) -> WordVectors:
        """See ``TextEncoder``."""
        return self._read([text])[0]

    def words_of(self, texts: Sequence[str]) -> list[WordVectors]:
        """See ``TextEncoder``. Texts of like length share a batch, so little of it is padding."""
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        vectors: dict[int, WordVectors] = {}
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            batch = self._fit(self._read, [texts[row] for row in rows])
            vectors.update(zip(rows, batch, strict=True))
        return [vectors[row] for row in range(len(texts))]

    def _read(self, texts: Sequence[str]) -> list[WordVectors]:
        """The words of each text by one forward pass, padded to the longest."""
        cleaned = [clean(text) for text in texts]
        inputs = self._tokenizer(
            cleaned,
            padding=True,
            padding_side="right",
            truncation=True,
            max_length=self._limit(),
            split_special_tokens=True,  # "[SEP]" in a sentence is a word, not the end of it
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        with self._torch.inference_mode():
            states = self._model(
                input_ids=inputs["input_ids"].to(self._device),
                attention_mask=inputs["attention_mask"].to(self._device),
            ).last_hidden_state
        rows = zip(cleaned, inputs["offset_mapping"].numpy(), states.float().cpu(), strict=True)
        return [pool(text, pieces, state.numpy()) for text, pieces, state in rows]

    def _limit(self) -> int:
        """The most pieces of one text: the tokenizer's limit, or the number of positions if that
        is less.
        """
        positions = getattr(self._model.config, "max_position_embeddings", None)
        table = getattr(getattr(self._model, "embeddings", None), "position_embeddings", None)
        padding = getattr(table, "padding_idx", None)  # RoBERTa counts from the place behind it
        first = 0 if padding is None else padding + 1
        limit = self._tokenizer.model_max_length
        return min(limit, positions - first) if positions else limit

    def _check(self, folder: Path) -> None:
        """Raise WeightsError unless tokenizer and model belong together and read a text."""
        config, tokenizer = self._model.config, self._tokenizer
        rows = getattr(config, "vocab_size", 0)
        if not len(tokenizer.all_special_ids) < len(tokenizer) <= rows:
            raise WeightsError(
                f"{folder}: the tokenizer has {len(tokenizer)} pieces, but the model {rows}",
                "the folder needs the tokenizer.json that belongs to the model",
            )
        about = f"{folder}: {type(self._model).__name__} does not read text alone"
        hint = "give a BERT-like model: BERT, RoBERTa, DistilBERT, MPNet, ELECTRA"
        with errors_as(WeightsError, about, hint):
            self._read(["a"])


def _tokenizer(folder: Path) -> Any:
    """The fast tokenizer in ``folder``; never the network, never the folder's own code."""
    with offline() as transformers:
        hint = "the folder needs its tokenizer.json"
        with errors_as(WeightsError, f"{folder}: not a usable tokenizer", hint):
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
    if not tokenizer.is_fast:
        raise WeightsError(
            f"{folder}: {type(tokenizer).__name__} does not say which characters a piece "
            "stands for",
            "give a model with a tokenizer.json",
        )
    return tokenizer
