"""Questions with their answer as one statement, and questions in the passive as active ones.

"What leans on the wall? A bike." says what "a bike leans on the wall" says.
"""

from __future__ import annotations

import re

from cospal_cli.language.lexicon.verbs import forms
from cospal_cli.language.lexicon.words import thing, verb_readings

_BOTH = re.compile(r"^\s*([^?]+)\?+\s*(\w[^?]*?)[\s.!]*$")
_LEAD = re.compile(
    r"^(?:(?:well|oh|it|that|this|he|she|there|they)?(?:\s+is|'s|\s+was|\s+are|’s)\s+|by\s+|"
    r"i think\s+|probably\s+|(?:it|that|this|he|she) (?:is|was)\s+)",
    re.I,
)
_NAMING = re.compile(
    r"^(?:who|what|which)(?:'s|’s|\s+is|\s+was)\s+(?:it|that|this|he|she)\b\s*$", re.I
)
_BY_WHOM = re.compile(r"^(?:by|with)\s+(?:whom|who|what)\s+(?:is|are|was|were)\s+(.+)$", re.I)
_STRANDED_BY = re.compile(r"^(?:who|whom|what)\s+(?:is|are|was|were)\s+(.+)\s+by\s*$", re.I)
_ASKS = re.compile(
    r"^(who|what|which|whose)(?:\s+(?!is\b|are\b|was\b|does\b|did\b|do\b)(\w+)(?=\s+(?:is|are|was)\b))?"
    r"\s+(.+)$",
    re.I,
)
_OBJECT = re.compile(
    r"^(is|are|was|were|does|did|do)\s+((?:the|a|an|this|that|his|her|their)\b.*?)\s+"
    r"(\w+(?: (?:to|at|with|on|by|from|for|of|in))?)$",
    re.I,
)
_NO_ANSWER = re.compile(
    r"^(?:yes|no|yeah|nope|on|in|at|to|near|because|when|by (?:the|a) \w+$)\b", re.I
)
_WHOSE = re.compile(r"^\s*whose\s+", re.I)
_TAIL = re.compile(r"\s+(?:is|are|was|does|did|do)$", re.I)


def statement(text: str) -> str:
    """The text to parse in place of ``text``; the same if it is not a question of these kinds."""
    if any(thing(word.lower()).region for word in _WHOSE.findall(text)[:1] and text.split()[1:4]):
        text = _WHOSE.sub("a person whose ", text)  # "whose jacket is green"
    both = _BOTH.match(text)
    question, answer = both.groups() if both else (text.strip().rstrip("?! ."), "")
    active = _asks_agent(question)
    if answer and not (active is None and _NO_ANSWER.match(answer)):
        return _joined(active or question, _LEAD.sub("", answer)) or text
    return active or text


def _asks_agent(question: str) -> str | None:
    """ "by whom are the cups moved" -> "who is moving the cups"; None for any other question."""
    match = _BY_WHOM.match(question) or _STRANDED_BY.match(question)
    if match is None:
        return None
    wh_word = "what" if "what" in question.lower().split()[:2] else "who"
    words = match[1].split()
    for at in range(len(words) - 1, 0, -1):
        forms_ = verb_readings(words[at].lower())
        lemma = next((verb for verb, tag in forms_ if tag in ("VN", "VD")), "")
        doing = next((form for form, all_ in forms().items() if (lemma, "VG") in all_), "")
        if doing:
            moved = [w for w in words[:at] if w.lower() not in ("being", "been")]
            return " ".join([wh_word, "is", doing, *moved, *words[at + 1 :]])
    return None


def _joined(question: str, answer: str) -> str:
    """One statement of question and answer; "" where the answer names nothing."""
    answer = _TAIL.sub("", answer.strip())
    if _NAMING.match(question):
        return answer
    match = _ASKS.match(question)
    if match is None:
        return ""
    _, noun, predicate = match.groups()
    if noun:  # "which dog ...? the brown one"
        answer = re.sub(r"\bone\b", noun, answer)
    inverted = _OBJECT.match(predicate)
    if inverted is None:
        return f"{answer} {predicate}"
    verb = verb_readings(inverted[3].split()[0].lower())
    return f"{answer} that {inverted[2]} {inverted[1]} {inverted[3]}" if verb else ""
