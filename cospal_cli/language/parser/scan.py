"""Who does what: one pass over the phrases of a sentence, keeping what is said of the subject.

No grammar is built. A describing phrase goes to the nearest noun that can carry it, a verb to the
subject of its clause, and only what ends at the main subject is kept; the rest is context.
"""

from __future__ import annotations

from cospal_cli.language.lexicon.dress import POSITION
from cospal_cli.language.lexicon.verbs import ASPECT, HOLD, MOVE, OTHERS
from cospal_cli.language.parser.chunks import Item, Phrase
from cospal_cli.language.parser.clauses import (
    Event,
    Sentence,
    describes,
    finite_after,
    has_noun,
    inside_thing,
    item_at,
    nearest,
    participle,
    same_as,
    verb_at,
    verb_later,
)
from cospal_cli.language.parser.genitives import regrouped
from cospal_cli.language.parser.tokens import VERBAL, Token

# With these the thing is at hand: "not riding a bike" has none beside.
_CLOSE = frozenset("ride drive push pull carry use hug kiss pet pat feed lead walk".split())
_BE = frozenset("is are was were be been being 's".split())
# The picture itself and who looks at it: nothing that stands beside the subject.
_VIEW = frozenset("camera lens viewer frame screen picture scene view image video shot".split())
_APPOSING = ("", ",", ":", ";", "-", "\u2013", "(", "/")
_RIDING = frozenset("on astride aboard atop upon in inside".split())
_PLACE_PREPS = frozenset("on in at to near from by toward towards of into".split())


class Scan:
    """The state of the pass; ``run`` consumes the items once."""

    def __init__(self, items: list[Item], subject: Phrase | None = None) -> None:
        self.items = items
        self.found = Sentence(subject=subject)
        self.clause: Phrase | None = subject  # whose verbs the current clause has
        self.clause_verbs = 0
        self.under = False  # inside a clause opened by "while", "as", "when"
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
        self.refused = False  # whether that was denied,
        self.no = False  # and by "no", which reaches one noun with its article
        self.denied = False  # the preposition just before is: "not in red"
        self.last_tag = ""
        self.idle: Phrase | None = None  # "guy on bike going past", "man and dog going": he goes

    def run(self) -> Sentence:
        for at, item in enumerate(self.items):
            if isinstance(item, Phrase):
                self._phrase(at, item)
                self.last_tag = "NP"
            else:
                self._token(at, item)
                self.last_tag = item.tag
        self.found.find_end()
        return self.found

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
            if near is not None and (self.found.own(near) or near.wearable):  # "black van left"
                self.found.positions.append(POSITION[token.word])
        elif token.tag == "NUM" and self.found.subject:
            self.found.numbers.append(token)

    def _preposition(self, at: int, token: Token) -> None:
        following = item_at(self.items, at + 1)
        if isinstance(following, Phrase):
            self.prep, self.denied = token.word, token.denied
        elif token.tag == "PREP" and self.event and not verb_at(self.items, at + 1):
            self.event.particles.append(token.word)
            self.event.end = token.end

    def _particle(self, at: int, token: Token) -> None:
        assert self.event
        self.event.particles.append(token.word)
        self.event.end = token.end
        if isinstance(item_at(self.items, at + 1), Phrase) and self.event.verb.lemma in MOVE:
            self.prep = token.word

    def _joint(self, token: Token) -> None:
        subordinate = token.tag == "SUB"
        self.joint = "SUB" if subordinate else token.word
        self.prep = ""
        if self.under and not subordinate and token.tag in ("PUNCT", "CONJ"):
            self.under, self.clause = False, self.found.subject
        if token.tag == "PUNCT" and self.seen and self.seen[-1] in self.found.excepted:
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
        self.found.events.append(event)
        self.event = event
        self.aux, self.early, self.prep, self.joint = [], [], "", ""

    def _owner(self, verb: Token, finite: bool) -> Phrase | None:
        """Whose verb it is; keeps count of the verbs of clause and relative clause."""
        placed = self.event is None and self.last_tag == "NP" and not (finite or self.joint)
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

    def _doer(self, verb: Token) -> Phrase | None:
        """The noun that an -ing or a participle right behind it speaks of."""
        near = self._nearest(alive=False)
        idle = near is not None and near is self.idle
        if near is not None and not idle and near.thing.mover and verb.lemma in MOVE | {"park"}:
            return near
        if verb.tag in ("VD", "VN") and near is not None:
            return near
        subject = self.found.subject
        drives = subject and subject.thing.mover and verb.lemma in MOVE
        if (idle and subject and subject.thing.alive) or (drives and near and not near.thing.alive):
            return subject
        return self._nearest(alive=True) or near or self.found.subject

    def _still_negated(self, verb: Token, owner: Phrase | None) -> bool:
        """ "Is not running or jumping": the second of two verbs alike."""
        last = self.event
        if last is None or not last.negated or self.aux or last.owner is not owner:
            return False
        return self.joint in ("or", "and", ",") and last.verb.tag == verb.tag in ("VB", "VG")

    def _bare_finite(self, verb: Token) -> bool:
        return verb.tag == "VB" and self.last_tag in ("NP", "REL", "CONJ", "ADV", "")

    def _phrase(self, at: int, phrase: Phrase) -> None:
        prep, self.prep = self.prep, ""
        joint, self.joint = self.joint, ""
        if phrase.determiner == "whose" and self.found.subject is not None:
            self.relative, self.relative_verbs = self._nearest(alive=True), 0
            self._relate(self.relative, "wear" if phrase.wearable else "near", phrase)
            self.seen.append(phrase)
            return
        if self.found.subject is None and not prep and not phrase.place:
            acts = finite_after(self.items, at + 1)
            if not phrase.pronoun or acts or not has_noun(self.items, at + 1):
                self._begin(phrase)
                return
        if self.found.subject is None and prep and self.event is None:
            self._introduce(prep, phrase)
            return
        if not prep and self._opens_clause(at, phrase, joint):
            self._new_clause(phrase, joint)
            if self.found.own(self.clause):
                return
        elif prep:
            self._prepositional(prep, phrase)
        elif self.aux and (phrase.bare or not verb_later(self.items, at)):
            self._predicate(phrase)
        elif joint in _APPOSING and phrase.denied and not self.event:
            self._except(phrase)  # "the man, not the woman, ..."
        elif not self.event and joint in _APPOSING and self._apposed(phrase, joint):
            pass
        elif joint in ("and", "or", ",", "&", "but") or (joint == "" and not self.event):
            self._coordinated(phrase, joint)
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

    def _opens_clause(self, at: int, phrase: Phrase, joint: str) -> bool:
        """Whether the ``phrase`` at ``at`` is the subject of a finite verb of its own."""
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

    def _contact(self, at: int, phrase: Phrase, joint: str) -> bool:
        """ "The person | the dog chases": a relative clause without its word."""
        if joint or self.event or self.aux or self.last_tag != "NP" or not self.seen:
            return False
        named = phrase.determiner or phrase.head.word in ("he", "she", "they", "you", "i", "we")
        fits = bool(named) and not phrase.wearable and not phrase.bare and not phrase.place
        return fits and finite_after(self.items, at + 1)

    def _new_clause(self, phrase: Phrase, joint: str) -> None:
        target = self.relative
        same = same_as(phrase, self.found.subject)
        self.under = joint == "SUB" and not same
        if self.relative is not None and not self.relative_verbs:
            self.relative = None if same else phrase  # "the dog that the girl pets"
            self.relative_verbs, self.relative_start = 0, -1
            if not same:
                self._see(phrase)
        else:
            self.relative = None
            self.clause = self.found.subject if same else phrase
            if same and self.found.subject is not None:
                self.seen.append(self.found.subject)
                self.clause_verbs = 0
        self.aux = []
        self.event = None
        if phrase.denied:  # "the chair that nobody sits on"
            self.found.absent += [phrase] if self.found.own(target) else []
        elif not same and not phrase.pronoun:
            self.found.context.append(phrase)

    def _except(self, phrase: Phrase) -> None:
        """ "Other than the man": what is said of him is said not to be so of the subject."""
        self.found.excepted.append(phrase)
        self.last, self.event, self.refused = (phrase, ""), None, False

    def _prepositional(self, prep: str, phrase: Phrase) -> None:
        denied, self.denied = self.denied, False
        if prep == "except":
            self._except(phrase)
            return
        if phrase.place and prep in _PLACE_PREPS:
            if not inside_thing(self.items, phrase):
                self._placed(prep, phrase, denied)
        elif (
            prep in ("in", "with", "wearing", "without")
            and describes(prep, phrase, self.event is None)
            and not (prep == "with" and self._handled(phrase))
        ):
            owner = self._nearest(alive=True) or self._nearest(alive=False)
            lifeless = owner is not None and owner.thing.classes and not owner.thing.alive
            worn = "hold" if lifeless and prep == "with" and not phrase.bare else "wear"
            event = self.event
            undressed = event is not None and event.negated and event.dressing
            undressed = undressed and event is not None and not event.objects
            self._relate(owner, worn, phrase, denied or undressed or prep == "without")
        elif prep == "with" and self.event is None and not phrase.thing.alive:
            owner = self._nearest(alive=True) or self._nearest(alive=False)
            self._relate(owner, "hold", phrase, denied)
        elif prep == "without" or denied or phrase.denied:
            self._lacking(prep, phrase)
        else:
            self._background(prep, phrase)

    def _handled(self, phrase: Phrase) -> bool:
        """ "Plays with the backpack", "shakes hands with": the verb's own, nothing worn."""
        if self.event is None or not phrase.thing.classes:
            return False
        hands = any(p.head.lemma == "hand" for p in self.event.objects)
        return hands or self.event.verb.lemma in ("play", "fiddle", "struggle", "fight")

    def _lacking(self, prep: str, phrase: Phrase) -> None:
        """ "Without a dog", "not next to the car": the thing is not beside whoever is spoken of."""
        owner = self.event.owner if self.event else self._nearest(alive=False)
        if self.event is not None:
            self.event.places.append((prep, phrase))
        if prep == "without" and not phrase.thing.alive:
            self._relate(owner, "hold", phrase, True)
        elif self.found.own(owner) and not phrase.pronoun:
            self.found.absent.append(phrase)
        self.last, self.refused = (owner, "near"), True

    def _placed(self, prep: str, phrase: Phrase, denied: bool) -> None:
        owner = self.event.owner if self.event else self._nearest(alive=False)
        excepted = owner in self.found.excepted
        negated = self.event is not None and self.event.negated
        turned = (denied + excepted) % 2 == 1
        if not negated and (excepted or (turned and self.found.own(owner))):
            (self.found.elsewhere if turned else self.found.positions).append(phrase.place)
            return
        if self.event is not None:
            self.event.places.append((prep, phrase))
            self.event.end = phrase.end if self.found.own(self.event.owner) else self.event.end
        elif self.found.own(self._nearest(alive=False)):
            self.found.positions.append(phrase.place)

    def _background(self, prep: str, phrase: Phrase) -> None:
        if self.aux and self.event is None:  # "is next to the man | wearing a hat"
            self.aux = []
            self.relative_verbs += self.relative is not None
            self.clause_verbs += self.relative is None
        if self.event is not None and self.event.negated:
            self._lacking(prep, phrase)
            return
        if self.event is not None:
            self.event.places.append((prep, phrase))
            if phrase.head.word in ("camera", "viewer", "us") or prep in ("up", "down"):
                self.event.end = phrase.end
        self.last = (None, "near")
        if prep in _RIDING and not phrase.thing.person and self._nearest(alive=True) is not None:
            self.idle = phrase
        if not phrase.pronoun and not phrase.bare and phrase.head.word not in _VIEW:
            self.found.context.append(phrase)

    def _predicate(self, phrase: Phrase) -> None:
        """ "is red", "is a taxi": said of whoever the clause is about."""
        owner = self.relative if self.relative is not None else self.clause
        garment = self.seen[-1] if self.seen else None
        self.aux = []
        if self.relative is not None:
            self.relative_verbs += 1
        else:
            self.clause_verbs += 1
        if garment is not None and garment.wearable and phrase.bare:
            garment.described.append(phrase.head)
            garment.described.extend(phrase.described)
        elif owner is not None:
            self._relate(owner, "is", phrase, self._negated())

    def _negated(self) -> bool:
        """Whether a "not" stands before what is read now; it is used up."""
        found = sum(t.tag == "NEG" for t in self.early) % 2 == 1
        self.early = [t for t in self.early if t.tag != "NEG"]
        return found

    def _apposed(self, phrase: Phrase, joint: str) -> bool:
        """ "man blue jeans", "man: red cap", "motorbike right side": said without a word."""
        owner = self._nearest(alive=False)
        if phrase.place and self.found.own(owner):
            self.found.positions.append(phrase.place)
            return True
        if phrase.bare and joint and owner is not None and owner.wearable:
            owner.described += [*phrase.described, phrase.head]  # "in a hat, not red"
            return True
        if phrase.bare and joint:
            self._relate(owner, "is", phrase)  # "a barista, apron-clad, ..."
            return True
        owner = self._nearest(alive=True)
        fits = owner is not None and owner.thing.alive and phrase.wearable
        if fits and not (joint and phrase.determiner):
            self._relate(owner, "wear", phrase)
            return True
        return False

    def _coordinated(self, phrase: Phrase, joint: str) -> None:
        owner, relation = self.last
        refused = self.refused and joint != "but"
        own_article = joint == "and" and phrase.determiner not in ("", "any")
        refused = refused and not (own_article and self.no)
        if relation == "hold" or (relation == "wear" and phrase.wearable):
            self._relate(owner, relation, phrase, refused)
            return
        if relation == "is" and (refused or phrase.denied or phrase.bare):
            self._relate(owner, relation, phrase, refused)
            return
        if relation == "near" and (refused or phrase.denied):
            self._lacking("", phrase)
            return
        if self.event and relation == "object":
            self._object(phrase)
        elif not phrase.pronoun and not phrase.bare and not phrase.place:
            said = self.found.own(owner) and relation in ("", "wear", "is") and not self.event
            if joint in ("and", "&", "or") and said and phrase.thing.alive:
                self.found.beside.append(phrase)
            self.found.context.append(phrase)
            self.idle = None if self.event else phrase

    def _object(self, phrase: Phrase) -> None:
        assert self.event
        lemma, owner = self.event.verb.lemma, self.event.owner
        self.event.objects.append(phrase)
        self.event.end = max(self.event.end, phrase.end)
        self.last = (owner, "object")
        negated = self.event.negated
        if self.event.dressing and not self.event.passive and owner is not None:
            self._relate(owner, "wear" if phrase.wearable else "hold", phrase, negated)
        elif lemma in HOLD and owner is not None and not self.event.passive:
            self._relate(owner, "hold", phrase, negated)
        elif negated or phrase.denied:
            self.last, self.refused = (owner, "object"), negated
            if lemma in _CLOSE and self.found.own(owner) and not phrase.pronoun:
                self.found.absent.append(phrase)
        elif not phrase.pronoun and not phrase.bare:
            self.found.context.append(phrase)

    def _relate(
        self, owner: Phrase | None, relation: str, phrase: Phrase, denied: bool = False
    ) -> None:
        denied = denied or phrase.denied  # "does not have no hat" has none
        if owner is not None:
            self.last, self.refused, self.no = (owner, relation), denied, phrase.determiner == "no"
            if owner in self.found.excepted and self.found.subject is not None:
                owner, denied = self.found.subject, not denied
            (self.found.denied if denied else self.found.relations).append(
                (owner, relation, phrase)
            )
        if relation == "hold" and self.found.own(owner) and not phrase.pronoun:
            (self.found.absent if denied else self.found.context).append(phrase)

    def _nearest(self, alive: bool) -> Phrase | None:
        """The last noun phrase, or the last that can wear and act (also "the one")."""
        return nearest(self.seen, self.found.subject, alive)


def scan(items: list[Item], subject: Phrase | None = None) -> Sentence:
    """What the items say of their first noun phrase, or of ``subject`` (a wh-word's) if given."""
    return Scan(regrouped(items), subject).run()
