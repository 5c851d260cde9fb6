"""Words of questions: what may ask, what a clause opens with, and which prepositions pair up."""

from __future__ import annotations

from pathlib import Path

from cospal_cli.core import word_lists
from cospal_cli.language.lexicon.verbs import VERBS

_LISTS = word_lists.load(Path(__file__).with_suffix(".txt"))
_WORDS = {name: frozenset(words) for name, words in _LISTS["words"].by_key.items()}
WH, ADVERBIAL, BE, HAVE = (_WORDS[name] for name in ("wh", "adverbial", "be", "have"))
MODAL = _WORDS["modal"]  # what a bare verb follows
# A clause's own determiner; any other word behind "which" or "what" belongs to it.
OF_A_CLAUSE = _WORDS["of_a_clause"]
# "What colour is the dog", "in which part does the man run": the noun behind is who is meant.
ASPECTS, LOOKS = _WORDS["aspects"], _WORDS["looks"]
# "from behind the tree", "inside of the box": two prepositions of one noun.
COMPOUND_ENDS = frozenset(["of"])
COMPOUND = {first: frozenset(others) for first, others in _LISTS["compound"].by_key.items()}
# Verbs that need no object: "who is the man walking in the park" asks for the man.
INTRANSITIVE = frozenset().union(
    *(VERBS[kind] for kind in ("move", "jump", "still", "talk"))
) - frozenset(_LISTS["transitive"].words)
DITRANSITIVE = frozenset(_LISTS["ditransitive"].words)
