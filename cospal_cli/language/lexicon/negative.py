"""Words that turn the meaning: contractions, and what says "not", "without" or "except"."""

from __future__ import annotations

_AUXILIARIES = """is are was were do does did has have had ca could wo would should must am ai need
    might sha""".split()
_FULL = {"ca": "can", "wo": "will", "sha": "shall", "ai": "is"}
# "isn't", and as typed without the mark; "cant" and "wont" are no other words here.
CONTRACTED = {
    first + ending: _FULL.get(first, first)
    for first in _AUXILIARIES
    for ending in ("n't", "nt")
    if (first, ending) not in (("ca", "nt_"), ("need", "nt"))
} | {"cannot": "can"}

# Each says one of these words; longest first. A "*" matches nothing by itself.
PHRASES = {
    word: sorted((tuple(p.split()) for p in phrases.split("|")), key=len, reverse=True)
    for word, phrases in {
        "not": """no longer|not any longer|not any more|not anymore|no more|not yet|not even|
            not at all|by no means|in no way|anything but|hardly|barely|scarcely|rarely|seldom|
            not currently|not really|not actually|less|instead of|rather than|nor""",
        "without": """sans|minus|lacking|lacking in|devoid of|bereft of|free of|free from|missing|
            w/out|with out""",
        "except": """other than|except for|excepting|apart from|aside from|save for|rather than|
            instead of|different from|different than|different to|as opposed to|not counting|
            not including|with the exception of|excluding|barring|unlike|except|
            not to be confused with|outside of everyone but""",
    }.items()
} | {"near": [("not", "far", "from"), ("not", "far", "away", "from")]}
NEARLY = (("not", "only"), ("not", "just"), ("not", "merely"), ("not", "simply"))
EVERY = frozenset(
    """everyone everybody everything anyone anybody anything all every any each none nobody nothing
    no""".split()
)
NOBODY = frozenset("nobody noone no-one".split())
# Written with a prefix, though no list has the word: "unmasked", "un-helmeted", "non-white".
# "Refuses to sit", "avoids sitting": what follows is not done.
REFUSE = frozenset("refuse fail avoid decline forget forbear omit hesitate".split())
PREFIXES = ("non-", "un-", "non", "un")
# Adjective -> what is not there.
BARE = {
    "bareheaded": "hat", "bare-headed": "hat", "barefoot": "shoes", "barefooted": "shoes",
    "shirtless": "shirt", "topless": "shirt", "bare-chested": "shirt", "barechested": "shirt",
    "clean-shaven": "beard", "cleanshaven": "beard", "barefaced": "beard",
    "bare-handed": "gloves", "barelegged": "trousers", "bare-legged": "trousers",
}  # fmt: skip
