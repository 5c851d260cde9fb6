"""A sentence -> ``Query``: who is meant, how it looks, what it does, and what cannot be judged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from cospal_cli.core.errors import UsageError
from cospal_cli.core.query import Action, Excluded, Query, Relation
from cospal_cli.language.lexicon.closed import OPENINGS
from cospal_cli.language.lexicon.dress import ORDINALS
from cospal_cli.language.lexicon.questions import WH
from cospal_cli.language.lexicon.verbs import HOLD, kinds
from cospal_cli.language.parser import (
    actions,
    answers,
    casual,
    checks,
    counts,
    marks,
    negation,
    questions,
    relations,
    spelling,
)
from cospal_cli.language.parser.chunks import NounPhrase
from cospal_cli.language.parser.clauses import Event, SentenceParts, main_first
from cospal_cli.language.parser.describe import RESTS, describe
from cospal_cli.language.parser.description import Description
from cospal_cli.language.parser.subject import UnknownWords, classes_of, context_of, resolve_nouns
from cospal_cli.language.parser.tokens import Token, tag, tokenize
from cospal_cli.settings import LanguageConfig

MAX_PHRASES = 5  # local sub-phrases of one query
_WORDS = re.compile(r"[a-z]+")
_PURPOSES = frozenset(
    "row sail race ride ski skate surf swim walk run dive".split()
)  # "rowing boat"
_FILLER = re.compile(r"^(?:(?:can|could|do) (?:you|we) (?:see|find|spot) |else |all |exactly )")
_THERE = re.compile(r"^(is|are|was|were) there ")
_LONGEST = 40  # letters of a word


def parse(text: str, config: LanguageConfig = LanguageConfig()) -> Query:  # noqa: B008
    """Parse an English sentence or phrase that refers to one subject.

    Raises UsageError if ``text`` has no words, only function words, or is not English. Too long
    texts are cut, misspelt words corrected; ``Query.warnings`` says both.
    """
    used, warnings = checks.shorten(text)
    checks.check_script(used)
    is_question = bool(set(_WORDS.findall(used.lower())[:2]) & WH) and "?" in used
    used, signs = marks.plain(used)
    used = answers.statement(used)
    tokens, lost = _readable(casual.plain(tokenize(used)))
    tokens = negation.spelt_out(counts.without_bounds(tokens))
    checks.check_words(tokens)
    tokens, noted = spelling.correct(tokens)
    tokens = _without_opening(tokens)
    place = relations.order_of(tokens)
    tokens, order = _without_rank(tokens)
    tokens = negation.scoped(list(main_first(tag(tokens))))
    sentence, question = questions.read(tokens)
    sentence.numbers += order[:1]
    sentence.positions += [t.word for t in order[1:]]
    words = UnknownWords(config.similarity)
    query = _query(text, used, sentence, question, words, (*warnings, *noted))
    query = _with_relations(query, relations.relations_of(sentence, tokens), place)
    query = _without_counts(query, tokens, sentence)
    query = replace(query, unresolved=_unique([*query.unresolved, *lost, *signs]))
    return replace(query, interrogative=True) if is_question else query


def _with_relations(
    query: Query, said: tuple[Relation, ...], place: tuple[int, str] | None
) -> Query:
    """The relations and the place in a row, and what they are evidence for no longer unresolved."""
    known = {r.word for r in said} | {a.word for r in said for a in r.attributes}
    known |= {*ORDINALS, "first"} if place else set()
    return replace(
        query,
        relations=said,
        order=place,
        unresolved=tuple(word for word in query.unresolved if word not in known),
    )


def _without_counts(query: Query, tokens: Sequence[Token], sentence: SentenceParts) -> Query:
    """Say which words mean more than one subject, or count."""
    words = counts.counted(tokens, sentence)
    subject = sentence.subject
    if not words or subject is None:
        return query
    ranked = [] if counts.seen_first(tokens, subject) else counts.ranks(tokens, subject)
    return replace(
        query,
        positions=tuple(p for p in query.positions if p not in {t.word for t in ranked}),
        unresolved=_unique([*query.unresolved, *words]),
        warnings=(*query.warnings, counts.warning(words)),
    )


def parse_all(texts: Sequence[str], config: LanguageConfig) -> list[Query | UsageError]:
    """``parse`` each text, or why it cannot be; then free what reading took: a video is watched
    next."""
    from cospal_cli.language.encoders import similar

    def attempt(text: str) -> Query | UsageError:
        try:
            return parse(text, config)
        except UsageError as error:
            return error

    try:
        return [attempt(text) for text in texts]
    finally:
        similar.forget()


def _readable(tokens: list[Token]) -> tuple[list[Token], list[str]]:
    """The tokens that are parsed, and the words that are not: other scripts, endless words.

    Single letters are left out too, without a word.
    """
    words = [t for t in tokens if len(t.word) > 1 or t.word in "ai" or not t.word.isalpha()]
    strange = [
        t
        for t in words
        if t.word[0].isalpha() and (t.word[0] >= "\u0250" or len(t.word) > _LONGEST)
    ]
    return [t for t in words if t not in strange], [t.word[:_LONGEST] for t in strange]


def _without_opening(tokens: list[Token]) -> list[Token]:
    """Without "find ...", "show me when ...", "there is ..." and marks before the first word."""
    while tokens and not tokens[0].word[0].isalnum():
        tokens = tokens[1:]
    words = [part for t in tokens for part in t.word.split()]
    for opening in sorted(OPENINGS, key=len, reverse=True):
        if words[: len(opening)] == opening and len(words) > len(opening):
            rest = list(tokens)
            count = 0
            while count < len(opening):
                count += len(rest.pop(0).word.split())
            if any(t.word[0].isalnum() for t in rest):
                return _without_opening(rest)
    if words[:2] == ["do", "not"]:  # "don't show the man in red"
        rest = _without_opening(tokens[2:])
        return [tokens[1], *rest] if len(rest) < len(tokens) - 2 else tokens
    there = [t.word for t in tokens[:2]]
    if len(there) == 2 and there[0] == "there" and there[1] in ("is", "are", "'s", "was", "were"):
        return _without_opening(tokens[2:])
    return tokens


def _without_rank(tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    """ "second from (the) left player": the other tokens, and the rank with its side."""
    for at, token in enumerate(tokens[1:], 1):
        side = at + 2 if [t.word for t in tokens[at + 1 : at + 2]] == ["the"] else at + 1
        counted = tokens[at - 1].word in ORDINALS | {"first", "last"}
        sided = [t.word for t in tokens[side : side + 1]] in (["left"], ["right"])
        if token.word == "from" and counted and sided and side + 1 < len(tokens):
            return tokens[: at - 1] + tokens[side + 1 :], [tokens[at - 1], tokens[side]]
    return tokens, []


def _query(
    text: str,
    used: str,
    sentence: SentenceParts,
    question: Token | None,
    words: UnknownWords,
    warnings: tuple[str, ...],
) -> Query:
    subject = sentence.subject
    assert subject is not None
    description = describe(sentence)
    own = [e for e in sentence.events if e.owner is subject]
    doing = _actions(own, subject, words)
    avoided, unclear = _avoided(own, subject, words)
    said = [*_prenominal(subject), *doing]
    avoided = [*_prenominal(subject, denied=True), *avoided]
    shown = {a.word for a in said if _shows(a)}
    unclear += [a.word for a in doing if a.word not in shown]
    classes = classes_of(sentence, description, words)
    resolve_nouns(subject, description, classes, words)
    of_wh_word = question is not None and subject.head.start == question.start
    referral = _referral(used, sentence)
    if of_wh_word and question is not None:  # "who in red walks": "the person in red"
        referral = _question_referral(referral.removeprefix(question.word), subject.head.word)
    if not subject.head.word:
        warnings = (*warnings, "the query names no subject: every object is considered")
    if words.trouble:
        warnings = (*warnings, f"unknown words are not compared with known ones: {words.trouble}")
    verbs = [e.verb for e in sentence.events if _says(e) and (e.owner is subject or of_wh_word)]
    global_words = (*description.nouns, *description.adjectives, *(v.word for v in verbs))
    return Query(
        text=text,
        referral=referral,
        subject=subject.head.word if not subject.bare else "one",
        classes=classes,
        nouns=_unique(description.nouns),
        adjectives=_unique(description.adjectives),
        verbs=_unique([v.word for v in verbs]),
        attributes=tuple(description.attributes),
        actions=tuple(said),
        positions=tuple(description.positions),
        context=context_of(sentence, subject),
        appearance=description.appearance,
        excluded=_excluded(sentence, description, avoided),
        global_words=_unique(list(global_words)),
        local_phrases=_local(used, referral, own),
        unresolved=_unique([u for u in [*description.unresolved, *unclear] if u not in shown]),
        interrogative=question is not None,
        warnings=warnings,
    )


def _actions(events: list[Event], subject: NounPhrase, words: UnknownWords) -> list[Action]:
    """The subject's actions, in the order of the sentence."""
    doing = []
    for event in events:
        action = actions.action(event, subject)
        if action is None:
            continue
        if action.kind == "unknown" and not event.passive:
            action = words.action(action, event.verb.lemma)
        doing.append(action)
    return doing


def _avoided(
    events: list[Event], subject: NounPhrase, words: UnknownWords
) -> tuple[list[Action], list[str]]:
    """What the subject is said not to do: actions that motion shows, and the words of the rest."""
    denied_actions: list[Action] = []
    unclear: list[str] = []
    for event in events:
        named = event.objects or event.places
        if not event.negated or event.dressing or any(p == "without" for p, _ in event.places):
            continue
        if event.verb.lemma in ("be", "do", *HOLD):
            continue
        done = _actions([replace(event, negated=False)], subject, words)
        idle = named or event.verb.lemma not in RESTS
        shown = [a for a in done if _shows(a) and not (idle and a.kind == "still")]
        denied_actions += shown
        unclear += [] if shown or (named and event.objects == []) else ["not", event.verb.word]
    return denied_actions, unclear


def _excluded(sentence: SentenceParts, description: Description, avoided: list[Action]) -> Excluded:
    """What counts against."""
    denied = description.turned(True)
    absent = {p.head.word: p.thing.classes for p in sentence.absent if p.head.tag == "NOUN"}
    return Excluded(
        attributes=tuple(denied.attributes),
        actions=tuple(avoided),
        positions=_unique(denied.positions),
        context=absent,
        appearance=denied.appearance,
    )


def _shows(action: Action) -> bool:
    """Whether motion alone distinguishes the action from others."""
    moves = action.kind in ("move", "jump", "still")
    return moves or bool(set(action.directions) & {"up", "down"})


def _prenominal(subject: NounPhrase, denied: bool = False) -> list[Action]:
    """ "the running dog", "a parked car": what the participle before the noun says, or denies."""
    actions_named = []
    for token in (t for t in subject.described if t.denied == denied):
        kind = "still" if token.lemma == "park" else kinds().get(token.lemma, "")
        passive = token.word != token.lemma and not token.word.endswith("ing")
        done = passive and kind != "still"
        named = not subject.thing.alive and token.lemma in _PURPOSES
        acts = token.tag == "ADJ" and token.lemma != token.word and not (done or named)
        if acts and kind in ("move", "jump", "still"):
            actions_named.append(Action(token.word, kind, weight=0.8))
    return actions_named


def _referral(used: str, sentence: SentenceParts) -> str:
    """The words up to the main verb, lower case, without the mark at the end."""
    subject = sentence.subject
    assert subject is not None
    end = sentence.referral_end if sentence.referral_end >= subject.end else len(used)
    start = min(subject.start, end)
    text = " ".join(used[start:end].lower().split()).strip(" .,;:!?\"'")
    return text.removeprefix("of the ").removeprefix("of ")  # "which of the dogs"


def _question_referral(rest: str, word: str) -> str:
    """The referral of a question: the noun for the wh-word, and what stands behind the copula."""
    first, _, more = _THERE.sub(r"\1 ", _FILLER.sub("", rest.strip())).partition(" ")
    if first in ("does", "do", "did"):
        more = ""
    elif first not in ("is", "are", "was", "were", "'s"):
        more = f"{first} {more}"
    inverted = more.startswith(("the ", "a ", "an "))  # "what is the child holding"
    return f"the {word}" if inverted else f"the {word} {more}".strip()


def _says(event: Event) -> bool:
    return (
        not (event.aspect or event.negated)
        and event.verb.lemma not in ("be", "do")
        and not event.dressing
    )


def _local(used: str, referral: str, events: list[Event]) -> tuple[str, ...]:
    """The referral with each verb phrase of the subject, the background left out."""
    phrases = []
    for event in events:
        if _says(event) and event.verb.start >= 0:
            phrase = " ".join(used[event.verb.start : event.end].lower().split())
            if phrase and phrase not in referral:
                phrases.append(f"{referral} {phrase}".strip())
    return tuple(dict.fromkeys(phrases))[:MAX_PHRASES]


def _unique(words: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(w for w in words if w))
