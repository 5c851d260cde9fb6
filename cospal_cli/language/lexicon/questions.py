"""Words of questions: what may ask, what a clause opens with, and which prepositions pair up."""

from __future__ import annotations

from cospal_cli.language.lexicon.verbs import JUMP, MOVE, STILL, TALK

WH = frozenset("who whom what which whose".split())
ADVERBIAL = frozenset("when where why how".split())
BE = frozenset("is are was were be been being 's am".split())
# What a bare verb follows.
MODAL = frozenset("does do did will would can could may might shall should must".split())
HAVE = frozenset("has have had".split())
# A clause's own determiner; any other word behind "which" or "what" belongs to it.
OF_A_CLAUSE = frozenset("one ones other others kind type sort any some each either".split())
# "What colour is the dog", "in which part does the man run": the noun behind is who is meant.
ASPECTS = frozenset(
    """color colour size shape breed brand name age gender part moment scene point time second
    frame video clip direction way side speed action minute""".split()
)
LOOKS = frozenset("color colour size shape breed brand".split())
# "from behind the tree", "inside of the box": two prepositions of one noun.
COMPOUND_ENDS = frozenset(["of"])
COMPOUND = {
    "from": frozenset(
        """behind under underneath beneath below above inside outside within in_front_of across
        over among between next_to near around on off out_of of""".replace("_", " ").split()
    )
    | {"next to", "in front of", "out of"},
    "to": frozenset("behind under inside outside within near above below beneath of".split())
    | {"next to", "in front of"},
    "close to": frozenset(),
    "up": frozenset("to in on against".split()),
    "along": frozenset(["with"]),
    "opposite": frozenset(["to", "of"]),
    "out": frozenset(["of", "from"]),
    "near": frozenset(["to"]),
    "until": frozenset(["after"]),
    "over": frozenset(["to", "by"]),
    "through": frozenset(["to"]),
}
_TRANSITIVE = frozenset(
    """approach leave enter exit cross follow chase pursue lead escape drive ride pass climb circle
    board escort accompany stalk push pull carry transport bring wheel tow haul drag fetch overtake
    shadow trail tail abandon vacate steer race patrol jostle near dodge vault hurdle
    watch hold keep face view study see notice inspect examine contemplate grip clutch clasp survey
    eye witness await read behold regard monitor observe hang seat
    say tell ask answer call greet thank interview order scold announce explain recite sing
    whisper narrate discuss""".split()
)
# Verbs that need no object: "who is the man walking in the park" asks for the man.
INTRANSITIVE = (MOVE | set(JUMP) | set(STILL) | set(TALK)) - _TRANSITIVE
DITRANSITIVE = frozenset("give hand feed show throw offer pass tell teach ask bring send".split())
