"""Words that turn the meaning: contractions, and what says "not", "without" or "except"."""

from __future__ import annotations

from pathlib import Path

from cospal_cli.core import word_lists

_LISTS = word_lists.load(Path(__file__).with_suffix(".txt"))
CONTRACTED = _LISTS["contracted"].key_of
# Each says one of these words; longest first. A "*" matches nothing by itself.
PHRASES = {
    word: sorted((tuple(phrase.split()) for phrase in phrases), key=len, reverse=True)
    for word, phrases in _LISTS["phrases"].by_key.items()
}
NEARLY = tuple(tuple(phrase.split()) for phrase in _LISTS["nearly"].words)
EVERY = frozenset(_LISTS["every"].words)
NOBODY = frozenset(_LISTS["nobody"].words)
# "Refuses to sit", "avoids sitting": what follows is not done.
REFUSE = frozenset(_LISTS["refuse"].words)
# Written with a prefix, though no list has the word: "unmasked", "un-helmeted", "non-white".
PREFIXES = ("non-", "un-", "non", "un")
BARE = _LISTS["bare"].key_of  # adjective -> what is not there
