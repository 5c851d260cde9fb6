"""The record that describing the subject fills, with what is denied beside what is said."""

from __future__ import annotations

from dataclasses import dataclass, field

from cospal_cli.core.query import Attribute
from cospal_cli.language.parser.chunks import NounPhrase
from cospal_cli.language.parser.tokens import Token


@dataclass
class Description:
    """What is known so far; ``appearance``: word -> classes of the appearance classifier."""

    attributes: list[Attribute] = field(default_factory=list)
    positions: list[str] = field(default_factory=list)
    nouns: list[str] = field(default_factory=list)
    adjectives: list[str] = field(default_factory=list)
    appearance: dict[str, dict[int, float]] = field(default_factory=dict)
    unresolved: list[str] = field(default_factory=list)
    unknown: list[Token] = field(default_factory=list)  # nouns that no list has
    opposite: Description | None = None  # what is denied, and of that again what is said

    @classmethod
    def pair(cls) -> Description:
        """What is said, with what is denied as its ``opposite``."""
        said, denied = cls(), cls()
        said.opposite, denied.opposite = denied, said
        return said

    def turned(self, denied: bool) -> Description:
        """The one of the two that a word belongs to."""
        return self.opposite if denied and self.opposite is not None else self

    def add(self, attribute: Attribute) -> None:
        """Keep an attribute, once."""
        if attribute not in self.attributes:
            self.attributes.append(attribute)

    def look(self, phrase: NounPhrase) -> bool:
        """Take the classifier's classes of the phrase's noun; whether there are any."""
        if phrase.thing.appearance:
            self.appearance[phrase.head.word] = phrase.thing.appearance
        elif not phrase.thing.known and phrase.head.tag == "NOUN":
            self.unknown.append(phrase.head)
        return bool(phrase.thing.appearance)

    def swap(self) -> None:
        """What is said becomes what is denied: "not the red car"."""
        no = self.turned(True)
        self.attributes, no.attributes = no.attributes, self.attributes
        self.positions, no.positions = no.positions, self.positions
        self.appearance, no.appearance = no.appearance, self.appearance
