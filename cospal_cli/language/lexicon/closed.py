"""Function words with their tag, fixed phrases that are one word, and particles.

Tags: DET POSS PRON NUM PREP PRT (particle) CONJ SUB (subordinator) REL WH AUX TO ADV NEG, and for
content words NOUN ADJ VB VZ VD VN VG (see ``verbs.forms``), POS (position), PUNCT.
"""

from __future__ import annotations

from pathlib import Path

from cospal_cli.core import word_lists

_LISTS = word_lists.load(Path(__file__).with_suffix(".txt"))
CLOSED = _LISTS["tags"].key_of
# What people say around a query, matched as whole words at its start, longest first.
OPENINGS = tuple(phrase.split() for phrase in _LISTS["openings"].words)
# Nouns of surroundings: known, without a detector class; never the subject's class.
SCENE = frozenset(_LISTS["surroundings"].words)
