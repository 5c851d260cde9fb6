"""Who does what: one pass over the phrases of a sentence, keeping what is said of the subject.

No grammar is built. A describing phrase goes to the nearest noun that can carry it, a verb to the
subject of its clause, and only what ends at the main subject is kept; the rest is context.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cospal_cli.language.chunks import Item, Phrase
from cospal_cli.language.tokens import VERBAL, Token
from cospal_cli.language.words_dress import BODY, HAIR
from cospal_cli.language.words_person import GENDER
from cospal_cli.language.words_verbs import ASPECT, HOLD, MOVE, OTHERS, WEAR

_OTHER_WORDS = frozenset("another other next second third different".split())
_PLACE_PREPS = frozenset("on in at to near from by toward towards of into".split())


@dataclass(eq=False)
class Event:
    """A verb with what follows it."""

    verb: Token
    owner: Phrase | None
    start: int  # offset of its first auxiliary or adverb
    end: int  # offset behind its particle, object or direction: no background
    finite: bool = False
    passive: bool = False
    relative: bool = False
    aspect: bool = False  # only begins, tries or goes on with the next verb
    particles: list[str] = field(default_factory=list)
    adverbs: list[str] = field(default_factory=list)
    objects: list[Phrase] = field(default_factory=list)
    places: list[tuple[str, Phrase]] = field(default_factory=list)  # preposition, its noun

    @property
    def dressing(self) -> bool:
        return self.verb.lemma in WEAR


@dataclass
class Sentence:
    """What the pass found. Relations: wear, with, hold, is, near; (owner, relation, phrase)."""

    subject: Phrase | None = None
    events: list[Event] = field(default_factory=list)
    relations: list[tuple[Phrase, str, Phrase]] = field(default_factory=list)
    positions: list[str] = field(default_factory=list)
    context: list[Phrase] = field(default_factory=list)
    numbers: list[Token] = field(default_factory=list)
    referral_end: int = 0

    def own(self, phrase: Phrase | None) -> bool:
        return phrase is self.subject


class Scan:
    """The state of the pass; ``run`` consumes the items once."""

    def __init__(self, items: list[Item], subject: Phrase | None = None) -> None:
        self.items = items
        self.found = Sentence(subject=subject)
        self.clause: Phrase | None = subject  # whose verbs the current clause has
        self.clause_verbs = 0
        self.under: bool = False  # inside a clause opened by "while", "as", "when"
        self.relative: Phrase | None = None  # whom an open "who ..." speaks of
        self.relative_verbs = 0
        self.relative_start = -1
        self.seen: list[Phrase] = [subject] if subject else []
        self.event: Event | None = None
        self.prep = ""
        self.joint = ""  # conjunction, mark or subordinator just before
        self.aux: list[Token] = []
        self.early: list[Token] = []  # adverbs before their verb
        self.last: tuple[Phrase | None, str] = (subject, "")  # for "a hat and gloves"
        self.last_tag = ""

    def run(self) -> Sentence:
        for at, item in enumerate(self.items):
            if isinstance(item, Phrase):
                self._phrase(at, item)
                self.last_tag = "NP"
            else:
                self._token(at, item)
                self.last_tag = item.tag
        self._end_of_referral()
        return self.found

    # Tokens

    def _token(self, at: int, token: Token) -> None:
        if token.tag in VERBAL:
            self._verb(at, token)
        elif token.tag in ("PREP", "TO"):
            self._preposition(at, token)
        elif token.tag == "PRT" and self.event:
            self._particle(at, token)
        elif token.tag in ("CONJ", "PUNCT", "SUB"):
            self._joint(token)
        elif token.tag in ("REL", "WH"):
            self._relative(token)
        elif token.tag == "AUX":
            self.aux.append(token)
        elif token.tag == "POSS":  # "whose"
            self._relative(token)
        elif token.tag == "ADV":
            self._adverb(token)
        elif token.tag == "NUM" and self.found.subject:
            self.found.numbers.append(token)

    def _preposition(self, at: int, token: Token) -> None:
        following = self._at(at + 1)
        if isinstance(following, Phrase):
            self.prep = token.word
        elif token.tag == "PREP" and self.event and not self._verb_at(at + 1):
            self.event.particles.append(token.word)
            self.event.end = token.end

    def _particle(self, at: int, token: Token) -> None:
        assert self.event
        self.event.particles.append(token.word)
        self.event.end = token.end
        if isinstance(self._at(at + 1), Phrase) and self.event.verb.lemma in MOVE:
            self.prep = token.word

    def _joint(self, token: Token) -> None:
        subordinate = token.tag == "SUB"
        self.joint = "SUB" if subordinate else token.word
        self.prep = ""
        if self.under and not subordinate and token.tag in ("PUNCT", "CONJ"):
            self.under, self.clause = False, self.found.subject
        if token.tag == "PUNCT" and self.relative is not None and self.relative_verbs:
            self.relative = None

    def _relative(self, token: Token) -> None:
        target = self._nearest(alive=token.word in ("who", "whom", "whose"))
        self.relative, self.relative_verbs = target, 0
        self.relative_start = token.start
        self.event, self.prep = None, "with" if token.word == "whose" else ""

    def _adverb(self, token: Token) -> None:
        following_verb = self.last_tag in ("CONJ", "PUNCT", "SUB", "AUX", "NP", "REL")
        if self.event and not following_verb:
            self.event.adverbs.append(token.word)
            self.event.end = token.end
        elif self.event and self.last_tag == "NP" and not self.joint:
            self.event.adverbs.append(token.word)
            self.early.append(token)
        else:
            self.early.append(token)

    # Verbs

    def _verb(self, at: int, verb: Token) -> None:
        finite = verb.tag in ("VZ", "VD") or bool(self.aux) or self._bare_finite(verb)
        if verb.tag == "VD" and not self.aux and self._is_participle(at, verb):
            finite = False
        owner = self._owner(verb, finite)
        chained = self.last_tag in VERBAL or (self.last_tag == "TO" and self._chain_before())
        if chained and self.event and self._follows_aspect():
            self.event.aspect = True
        head = [*self.aux, *self.early]
        passive = verb.tag in ("VN", "VD") and (
            any(a.word in _BE for a in self.aux) or not finite or self._got_done()
        )
        relative = self.relative is not None and owner is self.relative
        start = min([t.start for t in head] + [verb.start])
        if relative and self.relative_verbs <= 1 and self.relative_start >= 0:
            start, self.relative_start = self.relative_start, -1
        event = Event(
            verb=verb,
            owner=owner,
            start=start,
            end=verb.end,
            finite=finite,
            passive=passive,
            relative=relative,
            adverbs=[t.word for t in self.early],
        )
        self.found.events.append(event)
        self.event = event
        self.aux, self.early, self.prep, self.joint = [], [], "", ""

    def _owner(self, verb: Token, finite: bool) -> Phrase | None:
        """Whose verb it is; keeps count of the verbs of clause and relative clause."""
        if self.relative is not None:
            goes_on = self.joint and not (self.clause_verbs and finite)
            if not self.relative_verbs or goes_on or not finite:
                self.relative_verbs += 1
                return self.relative
            self.relative = None
        if finite:
            self.clause_verbs += 1
            return self.clause
        if self.last_tag == "NP" and self.event and self.event.verb.lemma in OTHERS:
            if self.event.objects:
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

    def _doer(self, verb: Token) -> Phrase | None:
        """The noun that an -ing or a participle right behind it speaks of."""
        near = self._nearest(alive=False)
        if near is not None and near.thing.mover and verb.lemma in MOVE | {"park"}:
            return near
        if verb.tag in ("VD", "VN") and near is not None:
            return near
        return self._nearest(alive=True) or near or self.found.subject

    def _bare_finite(self, verb: Token) -> bool:
        return verb.tag == "VB" and self.last_tag in ("NP", "REL", "CONJ", "ADV", "")

    def _is_participle(self, at: int, verb: Token) -> bool:
        """ "dressed in red", "held by the boy", and any past form before another finite verb."""
        following = self._at(at + 1)
        word = following.word if isinstance(following, Token) else ""
        if self.last_tag not in ("NP", "CONJ", "PUNCT", "ADV"):
            return False
        if verb.lemma in ("dress", "clothe", "park", "locate", "surround", "name", "call"):
            return True
        if word == "by" and self.last_tag == "NP" and verb.lemma not in MOVE - _CARRIED:
            return True
        return word == "by" and verb.lemma in _CARRIED

    def _follows_aspect(self) -> bool:
        return self.event is not None and self.event.verb.lemma in ASPECT

    def _chain_before(self) -> bool:
        return self.event is not None and not self.event.objects and not self.event.places

    def _got_done(self) -> bool:
        return self.event is not None and self.last_tag in VERBAL and self.event.verb.lemma == "get"

    # Noun phrases

    def _phrase(self, at: int, phrase: Phrase) -> None:
        prep, self.prep = self.prep, ""
        joint, self.joint = self.joint, ""
        if self.found.subject is None and not prep and not phrase.place:
            if not phrase.pronoun or not self._has_noun(at + 1):
                self._begin(phrase)
                return
        if self.found.subject is None and prep:
            self._introduce(prep, phrase)
            return
        if not prep and self._opens_clause(at, joint):
            self._new_clause(phrase, joint)
        elif prep:
            self._prepositional(prep, phrase)
        elif self.aux and (phrase.bare or not self._verb_later(at)):
            self._predicate(phrase)
        elif joint in ("and", "or", ",", "&", "but") or joint == "" and self.event is None:
            self._coordinated(phrase)
        elif self.event:
            self._object(phrase)
        self._see(phrase)

    def _begin(self, phrase: Phrase) -> None:
        self.found.subject = self.clause = phrase
        self.last = (phrase, "")
        self.event = None
        self._see(phrase)

    def _introduce(self, prep: str, phrase: Phrase) -> None:
        """A place before the subject: "on the left the man ...", "in the kitchen a man ..."."""
        if phrase.place and prep in _PLACE_PREPS:
            self.found.positions.append(phrase.place)
        elif not phrase.pronoun:
            self.found.context.append(phrase)

    def _see(self, phrase: Phrase) -> None:
        if not phrase.pronoun and not phrase.place and not phrase.bare:
            self.seen.append(phrase)

    def _opens_clause(self, at: int, joint: str) -> bool:
        """Whether the phrase at ``at`` is the subject of a finite verb of its own."""
        if self.relative is not None and not self.relative_verbs:
            return self._finite_after(at + 1)
        if self.aux and self.last_tag in ("AUX", "NP") and self._verb_later(at):
            return True  # "what is the man holding"
        worn = self.last[1] in ("wear", "hold") and self._at_phrase(at).wearable
        if not joint or worn or not self._finite_after(at + 1):
            return False
        return joint == "SUB" or self.clause_verbs > 0 or self.event is not None

    def _new_clause(self, phrase: Phrase, joint: str) -> None:
        same = self._same(phrase)
        self.under = joint == "SUB" and not same
        if self.relative is not None and not self.relative_verbs:
            self.relative = None if same else phrase  # "the dog that the girl pets"
            self.relative_verbs, self.relative_start = 0, -1
        else:
            self.relative = None
            self.clause = self.found.subject if same else phrase
        self.aux = []
        self.event = None
        if not same and not phrase.pronoun:
            self.found.context.append(phrase)

    def _same(self, phrase: Phrase) -> bool:
        """Whether a later clause speaks of the subject again: a pronoun or the same noun."""
        subject = self.found.subject
        if subject is None:
            return False
        if phrase.pronoun:
            if phrase.head.word == "it":
                return not subject.thing.person
            named = GENDER.get(subject.thing.lemma)
            return phrase.head.word not in ("he", "she") or named in (None, phrase.head.word)
        other = {t.word for t in phrase.described} & _OTHER_WORDS or phrase.determiner in (
            "a", "an", "another",
        )  # fmt: skip
        return phrase.thing.lemma == subject.thing.lemma and not other

    def _prepositional(self, prep: str, phrase: Phrase) -> None:
        if phrase.place and prep in _PLACE_PREPS:
            self._placed(prep, phrase)
        elif prep in ("in", "with", "wearing", "without") and self._describes(prep, phrase):
            relation = "without" if prep == "without" else "wear"
            self._relate(self._nearest(alive=True) or self._nearest(alive=False), relation, phrase)
        elif prep == "with" and self.event is None and not phrase.thing.alive:
            self._relate(self._nearest(alive=True) or self._nearest(alive=False), "hold", phrase)
        else:
            self._background(prep, phrase)

    def _describes(self, prep: str, phrase: Phrase) -> bool:
        """Whether "in ..." or "with ..." says how somebody looks."""
        if prep == "in":
            return phrase.wearable and phrase.head.lemma not in HAIR
        body = phrase.head.lemma in BODY and bool(phrase.described)
        return phrase.wearable or (body and self.event is None)

    def _placed(self, prep: str, phrase: Phrase) -> None:
        if self.event is not None:
            self.event.places.append((prep, phrase))
            self.event.end = phrase.end if self.found.own(self.event.owner) else self.event.end
        elif self.found.own(self._nearest(alive=False)):
            self.found.positions.append(phrase.place)

    def _background(self, prep: str, phrase: Phrase) -> None:
        if self.event is not None:
            self.event.places.append((prep, phrase))
            if phrase.head.word in ("camera", "viewer", "us") or prep in ("up", "down"):
                self.event.end = phrase.end
        self.last = (None, "near")
        if not phrase.pronoun and not phrase.bare:
            self.found.context.append(phrase)

    def _predicate(self, phrase: Phrase) -> None:
        """ "is red", "is a taxi": said of whoever the clause is about."""
        owner = self.relative if self.relative is not None else self.clause
        garment = self.seen[-1] if self.seen else None
        self.aux = []
        self.clause_verbs += 1
        if garment is not None and garment.wearable and phrase.bare:
            garment.described.append(phrase.head)
            garment.described.extend(phrase.described)
        elif owner is not None:
            self._relate(owner, "is", phrase)

    def _coordinated(self, phrase: Phrase) -> None:
        owner, relation = self.last
        if relation in ("wear", "hold") and owner is not None:
            if relation == "hold" or phrase.wearable:
                self._relate(owner, relation, phrase)
                return
        if self.event and relation == "object":
            self._object(phrase)
        elif not phrase.pronoun and not phrase.bare and not phrase.place:
            self.found.context.append(phrase)

    def _object(self, phrase: Phrase) -> None:
        assert self.event
        lemma, owner = self.event.verb.lemma, self.event.owner
        self.event.objects.append(phrase)
        self.event.end = max(self.event.end, phrase.end)
        self.last = (owner, "object")
        if self.event.dressing and not self.event.passive and owner is not None:
            self._relate(owner, "wear" if phrase.wearable else "hold", phrase)
        elif lemma in HOLD and owner is not None and not self.event.passive:
            self._relate(owner, "hold", phrase)
        elif not phrase.pronoun and not phrase.bare:
            self.found.context.append(phrase)

    def _relate(self, owner: Phrase | None, relation: str, phrase: Phrase) -> None:
        if owner is not None:
            self.found.relations.append((owner, relation, phrase))
            self.last = (owner, relation)
        if relation == "hold" and self.found.own(owner) and not phrase.pronoun:
            self.found.context.append(phrase)

    # Looking around

    def _nearest(self, alive: bool) -> Phrase | None:
        """The last noun phrase, or the last that can wear and act (also "the one")."""
        for phrase in reversed(self.seen):
            generic = phrase is self.found.subject and not phrase.thing.classes
            if not alive or phrase.thing.alive or generic:
                return phrase
        return None

    def _at(self, at: int) -> Item | None:
        return self.items[at] if at < len(self.items) else None

    def _at_phrase(self, at: int) -> Phrase:
        item = self.items[at]
        assert isinstance(item, Phrase)
        return item

    def _verb_at(self, at: int) -> bool:
        item = self._at(at)
        return isinstance(item, Token) and item.tag in VERBAL

    def _has_noun(self, at: int) -> bool:
        return any(isinstance(i, Phrase) and not i.pronoun for i in self.items[at:])

    def _verb_later(self, at: int) -> bool:
        return any(isinstance(i, Token) and i.tag in VERBAL for i in self.items[at + 1 :])

    def _finite_after(self, at: int) -> bool:
        """Whether, prepositional phrases and adverbs aside, a finite verb comes next."""
        while True:
            item = self._at(at)
            if isinstance(item, Token) and item.tag == "ADV":
                at += 1
            elif (
                isinstance(item, Token)
                and item.tag in ("PREP", "TO")
                and isinstance(self._at(at + 1), Phrase)
            ):
                at += 2
            else:
                finite = ("VZ", "VD", "VB", "AUX")
                return isinstance(item, Token) and item.tag in finite

    def _end_of_referral(self) -> None:
        """Up to the main verb, else up to the first thing the subject is said to be doing."""
        own = [e for e in self.found.events if self.found.own(e.owner)]
        main = [e for e in own if e.finite and not e.relative]
        doing = [e for e in own if not e.dressing and e.verb.lemma not in HOLD]
        ends = [e.start for e in (main or doing)]
        self.found.referral_end = min(ends) if ends else -1


_BE = frozenset("is are was were be been being 's".split())
_CARRIED = frozenset("carry push pull drive ride chase lead follow bring tow drag".split())


def scan(items: list[Item], subject: Phrase | None = None) -> Sentence:
    """What the items say of their first noun phrase, or of ``subject`` (a wh-word's) if given."""
    return Scan(items, subject).run()
