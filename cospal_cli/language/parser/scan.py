"""Who does what: one pass over the phrases of a sentence, keeping what is said of the subject.

No grammar is built. A describing phrase goes to the nearest noun that can carry it, a verb to the
subject of its clause, and only what ends at the main subject is kept; the rest is context.
"""

from __future__ import annotations

from cospal_cli.language.lexicon.dress import POSITION
from cospal_cli.language.lexicon.negative import REFUSE
from cospal_cli.language.lexicon.verbs import ASPECT, MOVE, OTHERS
from cospal_cli.language.parser.attach import APPOSING, Attach
from cospal_cli.language.parser.chunks import Item, NounPhrase
from cospal_cli.language.parser.clauses import (
    Event,
    SentenceParts,
    finite_after,
    has_noun,
    item_at,
    participle,
    same_as,
    verb_at,
    verb_later,
)
from cospal_cli.language.parser.genitives import regrouped
from cospal_cli.language.parser.tokens import VERBAL, Token

_BE = frozenset("is are was were be been being 's".split())


class Scan(Attach):
    """The pass: what each item opens or ends; ``run`` consumes the items once."""

    def run(self) -> SentenceParts:
        """Go through the items once; what they make of the sentence."""
        for at, item in enumerate(self.items):
            if isinstance(item, NounPhrase):
                self._phrase(at, item)
                self.last_tag = "NP"
            else:
                self._token(at, item)
                self.last_tag = item.tag
        self._turn_excepted()
        self.parts.find_end()
        return self.parts

    def _token(self, at: int, token: Token) -> None:
        if token.tag in VERBAL:
            self._verb(at, token)
        elif token.tag in ("PREP", "TO"):
            self._preposition(at, token)
        elif token.tag == "PRT" and self.event:
            self._particle(at, token)
        elif token.tag in ("CONJ", "PUNCT", "SUB"):
            self._joint(token)
        elif token.tag in ("REL", "WH", "POSS"):
            self._relative(token)
        elif token.tag == "AUX":
            self.aux.append(token)
        elif token.tag == "NEG":
            self.early.append(token)
        elif token.tag == "ADV":
            self._adverb(token)
        elif token.word in POSITION and self.last_tag == "NP" and self.event is None:
            near = self._nearest(alive=False)
            if near is not None and (self.parts.own(near) or near.wearable):  # "black van left"
                self.parts.positions.append(POSITION[token.word])
        elif token.tag == "NUM" and self.parts.subject:
            self.parts.numbers.append(token)

    def _preposition(self, at: int, token: Token) -> None:
        following = item_at(self.items, at + 1)
        if isinstance(following, NounPhrase):
            self.prep, self.denied = token.word, token.denied
        elif token.tag == "PREP" and self.event and not verb_at(self.items, at + 1):
            self.event.particles.append(token.word)
            self.event.end = token.end

    def _particle(self, at: int, token: Token) -> None:
        assert self.event
        self.event.particles.append(token.word)
        self.event.end = token.end
        if isinstance(item_at(self.items, at + 1), NounPhrase) and self.event.verb.lemma in MOVE:
            self.prep = token.word

    def _joint(self, token: Token) -> None:
        subordinate = token.tag == "SUB"
        self.joint = "SUB" if subordinate else token.word
        self.prep = ""
        if self.under and not subordinate and token.tag in ("PUNCT", "CONJ"):
            self.under, self.clause = False, self.parts.subject
        if token.tag == "PUNCT" and self.seen and self.seen[-1] in self.parts.excepted:
            self.seen.pop()  # "the man, not the woman, in red"
        if token.tag == "PUNCT" and self.relative is not None and self.relative_verbs:
            self.relative = None

    def _relative(self, token: Token) -> None:
        target = self._nearest(alive=token.word in ("who", "whom", "whose"))
        self.relative, self.relative_verbs = target, 0
        self.relative_start = token.start
        self.event, self.prep = None, "with" if token.word == "whose" else ""

    def _adverb(self, token: Token) -> None:
        if self.event and self.last_tag not in ("CONJ", "PUNCT", "SUB", "AUX", "NP", "REL"):
            self.event.adverbs.append(token.word)
            self.event.end = token.end
            return
        self.early.append(token)
        if self.event and self.last_tag == "NP" and not self.joint:  # this verb's or the next's
            self.event.adverbs.append(token.word)

    def _verb(self, at: int, verb: Token) -> None:
        if self._lets(verb):
            return
        finite = verb.tag in ("VZ", "VD") or bool(self.aux) or self._bare_finite(verb)
        if (
            verb.tag == "VD"
            and not self.aux
            and participle(verb, self.last_tag, item_at(self.items, at + 1))
        ):
            finite = False
        owner = self._owner(verb, finite)
        empty = self.event and not (self.event.objects or self.event.places)
        chained = self.last_tag in VERBAL or (self.last_tag == "TO" and empty)
        if chained and self.event and self.event.verb.lemma in ASPECT:
            self.event.aspect = True
        head = [*self.aux, *self.early]
        passive = verb.tag in ("VN", "VD") and (
            any(a.word in _BE for a in self.aux) or not finite or self.last_tag in VERBAL
        )
        relative = self.relative is not None and owner is self.relative
        start = min([t.start for t in head] + [verb.start])
        if relative and self.relative_verbs <= 1 and self.relative_start >= 0:
            start, self.relative_start = self.relative_start, -1
        negated = sum(t.tag == "NEG" or t.word.endswith("n't") for t in head) % 2 == 1
        negated = negated or self._still_negated(verb, owner)
        if chained and self.event and self.event.verb.lemma in REFUSE:
            self.event.aspect, negated = True, not (negated or self.event.negated)
        event = Event(
            negated=negated,
            verb=verb,
            owner=owner,
            start=start,
            end=verb.end,
            finite=finite,
            passive=passive,
            relative=relative,
            adverbs=[t.word for t in self.early],
        )
        self.parts.events.append(event)
        self.event = event
        self.aux, self.early, self.prep, self.joint = [], [], "", ""

    def _lets(self, verb: Token) -> bool:
        """Whether it is the particle of "lets go"."""
        event = self.event
        if event is None or event.verb.lemma != "let" or self.last_tag not in VERBAL:
            return False
        if verb.lemma == "go":
            event.particles.append("go")
            event.end = verb.end
        return verb.lemma == "go"

    def _owner(self, verb: Token, finite: bool) -> NounPhrase | None:
        """Whose verb it is; keeps count of the verbs of clause and relative clause."""
        placed = self.last_tag == "NP" and not (finite or self.joint)
        if self.relative is not None and self.relative_verbs and placed:
            return self._doer(verb)  # "that is near the man | wearing a hat"
        if self.relative is not None:
            goes_on = self.joint and not (self.clause_verbs and finite)
            if not self.relative_verbs or goes_on or not finite:
                self.relative_verbs += 1
                return self.relative
            self.relative = None
        if finite:
            self.clause_verbs += 1
            return self.clause
        others = self.event is not None and self.event.verb.lemma in OTHERS
        if self.last_tag == "NP" and others and self.event and self.event.objects:
            return self.event.objects[-1]
        if self.last_tag == "TO" and self.event:
            if self.event.verb.lemma in OTHERS and self.event.objects:
                return self.event.objects[-1]
            return self.event.owner
        if self.last_tag in VERBAL and self.event:
            return self.event.owner
        if self.joint:
            return self.event.owner if self.event and not self.event.finite else self.clause
        return self._doer(verb)

    def _doer(self, verb: Token) -> NounPhrase | None:
        """The noun that an -ing or a participle right behind it speaks of."""
        near = self._nearest(alive=False)
        idle = near is not None and near is self.idle
        if near is not None and not idle and near.thing.mover and verb.lemma in MOVE | {"park"}:
            return near
        if verb.tag in ("VD", "VN") and near is not None:
            return near
        subject = self.parts.subject
        drives = subject and subject.thing.mover and verb.lemma in MOVE
        if (idle and subject and subject.thing.alive) or (drives and near and not near.thing.alive):
            return subject
        return self._nearest(alive=True) or near or self.parts.subject

    def _still_negated(self, verb: Token, owner: NounPhrase | None) -> bool:
        """ "Is not running or jumping": the second of two verbs alike."""
        last = self.event
        if last is None or not last.negated or self.aux or last.owner is not owner:
            return False
        return self.joint in ("or", "and", ",") and last.verb.tag == verb.tag in ("VB", "VG")

    def _bare_finite(self, verb: Token) -> bool:
        return verb.tag == "VB" and self.last_tag in ("NP", "REL", "CONJ", "ADV", "")

    def _phrase(self, at: int, phrase: NounPhrase) -> None:
        prep, self.prep = self.prep, ""
        joint, self.joint = self.joint, ""
        if phrase.determiner == "whose" and self.parts.subject is not None:
            self.relative, self.relative_verbs = self._nearest(alive=True), 0
            self._relate(self.relative, "wear" if phrase.wearable else "near", phrase)
            self.seen.append(phrase)
            return
        if self.parts.subject is None and not prep and not phrase.place:
            acts = finite_after(self.items, at + 1)
            if not phrase.pronoun or acts or not has_noun(self.items, at + 1):
                self._begin(phrase)
                return
        if self.parts.subject is None and prep and self.event is None:
            self._introduce(prep, phrase)
            return
        if not prep and self._opens_clause(at, phrase, joint):
            self._new_clause(phrase, joint)
            if self.parts.own(self.clause):
                return
        elif prep:
            self._prepositional(prep, phrase)
        elif self.aux and (phrase.bare or not verb_later(self.items, at)):
            self._predicate(phrase)
        elif self._is_excepted(phrase, joint):
            self._except(phrase)  # "the man, not the woman, ..."
        elif not self.event and joint in APPOSING and self._apposed(phrase, joint):
            pass
        elif joint in ("and", "or", ",", "&", "but") or (joint == "" and not self.event):
            self._coordinated(phrase, joint)
        elif self.event:
            self._object(phrase)
        self._see(phrase)

    def _opens_clause(self, at: int, phrase: NounPhrase, joint: str) -> bool:
        """Whether the ``phrase`` at ``at`` is the subject of a finite verb of its own."""
        if self.last_tag == "REL" and self.relative is not None and not phrase.bare:
            return True  # "which | an adult wearing a hat cleans"
        if self.relative is not None and not self.relative_verbs and not self.aux:
            return finite_after(self.items, at + 1)
        if (
            self.aux
            and self.last_tag in ("AUX", "NP")
            and verb_later(self.items, at)
            and not phrase.bare
        ):
            return True  # "what is the man holding"
        if self._contact(at, phrase, joint):
            self.relative, self.relative_verbs = self.seen[-1], 0
            return True
        worn = self.last[1] in ("wear", "hold") and phrase.wearable
        if not joint or worn or phrase.bare or not finite_after(self.items, at + 1):
            return False
        return joint == "SUB" or self.clause_verbs > 0 or self.event is not None

    def _new_clause(self, phrase: NounPhrase, joint: str) -> None:
        target = self.relative
        same = same_as(phrase, self.parts.subject)
        self.under = joint == "SUB" and not same
        if self.relative is not None and not self.relative_verbs:
            self.relative = None if same else phrase  # "the dog that the girl pets"
            self.relative_verbs, self.relative_start = 0, -1
            if not same:
                self._see(phrase)
        else:
            self.relative = None
            self.clause = self.parts.subject if same else phrase
            if same and self.parts.subject is not None:
                self.seen.append(self.parts.subject)
                self.clause_verbs = 0
        self.aux = []
        self.event = None
        if phrase.denied:  # "the chair that nobody sits on"
            self.parts.absent += [phrase] if self.parts.own(target) else []
        elif not same and not phrase.pronoun:
            self.parts.context.append(phrase)


def scan(items: list[Item], subject: NounPhrase | None = None) -> SentenceParts:
    """What the items say of their first noun phrase, or of ``subject`` (a wh-word's) if given."""
    return Scan(regrouped(items), subject).run()
