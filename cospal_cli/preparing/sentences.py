"""The sentences of a split: parsed, one line each, and their words encoded."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from cospal_cli.core.errors import UsageError
from cospal_cli.core.files import write_text
from cospal_cli.core.progress import Progress
from cospal_cli.datasets.records import Dataset, Record
from cospal_cli.language.encoders import similar
from cospal_cli.language.encoders.text import TextEncoder
from cospal_cli.language.parser.parse import parse
from cospal_cli.language.phrases import Refined, refine, texts_of, verbatim, words_alone
from cospal_cli.prepared import texts as cache
from cospal_cli.prepared.folder import read_parses
from cospal_cli.settings import LanguageConfig

LOG = logging.getLogger("cospal")
Parses = Mapping[str, Refined]  # by record id


def trouble(text: str, config: LanguageConfig) -> str:
    """Why ``text`` cannot be parsed; "" if it can."""
    try:
        parse(text, config)
    except UsageError as error:
        return error.message
    return ""


def parse_split(
    folder: Path,
    split: str,
    records: Sequence[Record],
    given: Sequence[Parses],
    config: LanguageConfig,
    progress: Progress,
) -> int:
    """Write ``folder``/SPLIT.jsonl; returns how many of its parses are among those ``given``.

    A line that is there already, for the same sentence, stays: it may be the user's own. A
    sentence that cannot be parsed is taken as it is.
    """
    path = folder / f"{split}.jsonl"
    there = read_parses(path) if path.is_file() else {}
    rows, own = [], 0
    for done, record in enumerate(records):
        if not done % 1000:
            progress("parse", done, len(records))
        refined = _given(record, given)
        own += refined is not None
        if refined is None:
            refined = there.get(record.id)
        if refined is None or refined.text != record.text:
            refined = _parse(record, config)
        rows.append(json.dumps({"id": record.id} | refined.as_dict()) + "\n")
    similar.forget()
    write_text(path, "".join(rows))
    return own


def encode_split(
    folder: Path,
    split: str,
    encoder: TextEncoder,
    progress: Progress,
    stopped: Callable[[], bool],
) -> bool:
    """Write ``folder``/SPLIT.safetensors unless it is there, of the same parses and encoder; False
    when stopped."""
    parses = folder / f"{split}.jsonl"
    key = {
        "parses": sha256(parses.read_bytes()).hexdigest(),
        "model": encoder.model_sha256,
        "dim": encoder.dim,
        "alone": True,  # words behind the subject also by themselves
    }
    target = folder / f"{split}.safetensors"
    if cache.whole(target, key):
        return True
    refined = read_parses(parses).values()
    texts = list(
        dict.fromkeys(text for one in refined for text in (*texts_of(one), *words_alone(one)))
    )
    return cache.write(target, texts, encoder, key, progress, stopped)


def unused(given: Sequence[Parses], sets: Sequence[Dataset]) -> None:
    """Warn of parses that belong to no record."""
    known = {(one.id, _plain(one.text)) for dataset in sets for one in dataset.records}
    for parses in given:
        strangers = [name for name, one in parses.items() if (name, _plain(one.text)) not in known]
        if strangers:
            LOG.warning(
                "%d parses belong to no record, or to another sentence of it, such as %r",
                len(strangers),
                strangers[0],
            )


def _given(record: Record, given: Sequence[Parses]) -> Refined | None:
    """The parse that was given for the record's sentence."""
    for parses in given:
        refined = parses.get(record.id)
        if refined is not None and _plain(refined.text) == _plain(record.text):
            return replace(refined, text=record.text)
    return None


def _parse(record: Record, config: LanguageConfig) -> Refined:
    try:
        return refine(parse(record.text, config))
    except UsageError as error:
        LOG.warning("%s: the sentence is taken as it is: %s", record.id, error.message)
        return verbatim(record.text)


def _plain(text: str) -> str:
    return " ".join(text.split())
