"""What a phrase says of the nouns before it: what is worn, held, near, where, and what is not.

A describing phrase goes to the nearest noun that can carry it. Denied ones are kept apart.
"""

from __future__ import annotations

from cospal_cli.language.lexicon.verbs import HOLD
from cospal_cli.language.parser.chunks import Item, NounPhrase
from cospal_cli.language.parser.clauses import (
    Event,
    SentenceParts,
    describes,
    finite_after,
    inside_thing,
    nearest,
)
from cospal_cli.language.parser.tokens import Token

# With these the thing is at hand: "not riding a bike" has none beside.
_CLOSE = frozenset("ride drive push pull carry use hug kiss pet pat feed lead walk".split())
# The picture itself and who looks at it: nothing that stands beside the subject.
_VIEW = frozenset("camera lens viewer frame screen picture scene view image video shot".split())
APPOSING = ("", ",", ":", ";", "-", "\u2013", "(", "/")
_RIDING = frozenset("on astride aboard atop upon in inside".split())
_PLACE_PREPS = frozenset("on in at to near from by toward towards of into".split())


class Attach:
    """The state of a pass over a sentence's items, and where each phrase belongs."""

    def __init__(self, items: list[Item], subject: NounPhrase | None = None) -> None:
        self.items = items
        self.parts = SentenceParts(subject=subject)
        self.clause: NounPhrase | None = subject  # whose verbs the current clause has
        self.clause_verbs = 0
        self.under = False  # inside a clause opened by "while", "as", "when"
        self.relative: NounPhrase | None = None  # whom an open "who ..." speaks of
        self.relative_verbs = 0
        self.relative_start = -1
        self.seen: list[NounPhrase] = [subject] if subject else []
        self.event: Event | None = None
        self.prep = ""
        self.joint = ""  # conjunction, mark or subordinator just before
        self.aux: list[Token] = []
        self.early: list[Token] = []  # adverbs before their verb
        self.last: tuple[NounPhrase | None, str] = (subject, "")  # for "a hat and gloves"
        self.refused = False  # whether that was denied,
        self.no = False  # and by "no", which reaches one noun with its article
        self.denied = False  # the preposition just before is: "not in red"
        self.last_tag = ""
        self.idle: NounPhrase | None = (
            None  # "guy on bike going past", "man and dog going": he goes
        )

    def _begin(self, phrase: NounPhrase) -> None:
        self.parts.subject = self.clause = phrase
        self.last = (phrase, "")
        self.event = None
        self._see(phrase)

    def _introduce(self, prep: str, phrase: NounPhrase) -> None:
        """A place before the subject: "on the left the man ...", "in the kitchen a man ..."."""
        if prep == "except":
            self.parts.excepted.append(phrase)
            self.seen.append(phrase)
        elif self.parts.excepted and describes(prep, phrase, True):
            self._relate(self.parts.excepted[-1], "wear", phrase)
        elif phrase.place and prep in _PLACE_PREPS:
            self.parts.positions.append(phrase.place)
        elif not phrase.pronoun:
            self.parts.context.append(phrase)

    def _see(self, phrase: NounPhrase) -> None:
        if not phrase.pronoun and not phrase.place and not phrase.bare:
            self.seen.append(phrase)

    def _contact(self, at: int, phrase: NounPhrase, joint: str) -> bool:
        """ "The person | the dog chases": a relative clause without its word."""
        if joint or self.event or self.aux or self.last_tag != "NP" or not self.seen:
            return False
        named = phrase.determiner or phrase.head.word in ("he", "she", "they", "you", "i", "we")
        fits = bool(named) and not phrase.wearable and not phrase.bare and not phrase.place
        return fits and finite_after(self.items, at + 1)

    def _is_excepted(self, phrase: NounPhrase, joint: str) -> bool:
        """Whether "not ..." names somebody else, not something the subject has not."""
        if not phrase.denied or phrase.determiner == "no" or self.event:
            return False
        return joint in APPOSING or (joint in ("and", "but") and not phrase.wearable)

    def _except(self, phrase: NounPhrase) -> None:
        """ "Other than the man": what is said of him is said not to be so of the subject."""
        self.parts.excepted.append(phrase)
        self.last, self.event, self.refused = (phrase, ""), None, False

    def _prepositional(self, prep: str, phrase: NounPhrase) -> None:
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
            self._worn(prep, phrase, denied)
        elif prep == "with" and self.event is None and not phrase.thing.alive:
            owner = self._nearest(alive=True) or self._nearest(alive=False)
            self._relate(owner, "hold", phrase, denied)
        elif prep == "without" or denied or phrase.denied:
            self._lacking(prep, phrase)
        else:
            self._background(prep, phrase)

    def _worn(self, prep: str, phrase: NounPhrase, denied: bool) -> None:
        """ "In a hat", "without one", "not dressed in red", "never goes out without a hat"."""
        owner, event = self._nearest(alive=True) or self._nearest(alive=False), self.event
        lifeless = owner is not None and owner.thing.classes and not owner.thing.alive
        relation = "hold" if lifeless and prep == "with" and not phrase.bare else "wear"
        negated = event is not None and event.negated
        if prep == "without":
            denied = denied == negated
            if event is not None:
                event.places.append((prep, phrase))
        elif event is not None and negated and event.dressing and not event.objects:
            denied = not denied
        self._relate(owner, relation, phrase, denied)

    def _handled(self, phrase: NounPhrase) -> bool:
        """ "Plays with the backpack", "shakes hands with": the verb's own, nothing worn."""
        if self.event is None or not phrase.thing.classes:
            return False
        hands = any(p.head.word in ("hand", "hands") for p in self.event.objects)
        return hands or self.event.verb.lemma in ("play", "fiddle", "struggle", "fight")

    def _lacking(self, prep: str, phrase: NounPhrase) -> None:
        """ "Without a dog", "not next to the car": the thing is not beside whoever is spoken of."""
        owner = self.event.owner if self.event else self._nearest(alive=False)
        if self.event is not None:
            self.event.places.append((prep, phrase))
        if prep == "without" and not phrase.thing.alive:
            self._relate(owner, "hold", phrase, True)
        elif self.parts.own(owner) and not phrase.pronoun:
            self.parts.absent.append(phrase)
        self.last, self.refused = (owner, "near"), True

    def _placed(self, prep: str, phrase: NounPhrase, denied: bool) -> None:
        owner = self.event.owner if self.event else self._nearest(alive=False)
        excepted = owner in self.parts.excepted
        negated = self.event is not None and self.event.negated
        turned = (denied + excepted) % 2 == 1
        if not negated and (excepted or (turned and self.parts.own(owner))):
            (self.parts.elsewhere if turned else self.parts.positions).append(phrase.place)
            return
        if self.event is not None:
            self.event.places.append((prep, phrase))
            self.event.end = phrase.end if self.parts.own(self.event.owner) else self.event.end
        elif self.parts.own(self._nearest(alive=False)):
            self.parts.positions.append(phrase.place)

    def _background(self, prep: str, phrase: NounPhrase) -> None:
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
            self.parts.context.append(phrase)

    def _predicate(self, phrase: NounPhrase) -> None:
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
            negated = self._negated() != phrase.denied
            if negated and not phrase.bare and self.parts.own(owner):
                self._except(phrase)  # "who is not the one in red"
            else:
                self._relate(owner, "is", phrase, negated)

    def _negated(self) -> bool:
        """Whether a "not" stands before what is read now; it is used up."""
        negated = sum(t.tag == "NEG" for t in self.early) % 2 == 1
        self.early = [t for t in self.early if t.tag != "NEG"]
        return negated

    def _apposed(self, phrase: NounPhrase, joint: str) -> bool:
        """ "man blue jeans", "man: red cap", "motorbike right side": said without a word."""
        owner = self._nearest(alive=False)
        if phrase.place and self.parts.own(owner):
            self.parts.positions.append(phrase.place)
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

    def _coordinated(self, phrase: NounPhrase, joint: str) -> None:
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
            said = self.parts.own(owner) and relation in ("", "wear", "is") and not self.event
            if joint in ("and", "&", "or") and said and phrase.thing.alive:
                self.parts.beside.append(phrase)
            self.parts.context.append(phrase)
            self.idle = None if self.event else phrase

    def _object(self, phrase: NounPhrase) -> None:
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
            if lemma in _CLOSE and self.parts.own(owner) and not phrase.pronoun:
                self.parts.absent.append(phrase)
        elif not phrase.pronoun and not phrase.bare:
            self.parts.context.append(phrase)

    def _relate(
        self, owner: NounPhrase | None, relation: str, phrase: NounPhrase, denied: bool = False
    ) -> None:
        denied = denied or phrase.denied  # "does not have no hat" has none
        if owner is not None:
            self.last, self.refused, self.no = (owner, relation), denied, phrase.determiner == "no"
            (self.parts.denied if denied else self.parts.relations).append(
                (owner, relation, phrase)
            )
        if relation == "hold" and self.parts.own(owner) and not phrase.pronoun:
            (self.parts.absent if denied else self.parts.context).append(phrase)

    def _nearest(self, alive: bool) -> NounPhrase | None:
        """The last noun phrase, or the last that can wear and act (also "the one")."""
        return nearest(self.seen, self.parts.subject, alive)

    def _turn_excepted(self) -> None:
        """What is so of somebody who is not meant is not so of the subject."""
        parts, subject = self.parts, self.parts.subject
        if subject is None or not parts.excepted:
            return
        said, denied = parts.relations, parts.denied
        others = parts.excepted
        parts.relations = [r for r in said if r[0] not in others]
        parts.denied = [r for r in denied if r[0] not in others]
        parts.denied += [(subject, r, p) for owner, r, p in said if owner in others]
        parts.relations += [(subject, r, p) for owner, r, p in denied if owner in others]
