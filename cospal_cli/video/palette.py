"""The colours of what is drawn: told apart by every eye, and dark letters can be read on them."""

from __future__ import annotations

Colour = tuple[int, int, int]  # RGB, 0..255

INK: Colour = (18, 18, 22)
PAPER: Colour = (255, 255, 255)
# The answer first. Any two are at least 25 apart in CIELAB, to eyes that lack a kind of cone too.
PALETTE: tuple[Colour, ...] = (
    (255, 193, 7),  # amber
    (60, 150, 255),  # blue
    (255, 80, 160),  # pink
    (120, 255, 170),  # mint
    (210, 190, 255),  # lavender
)


def colour_of(rank: int) -> Colour:
    """The colour of the tube of ``rank``, 0 the answer; the answer's is never used again."""
    return PALETTE[rank and (rank - 1) % (len(PALETTE) - 1) + 1]
