"""Text as pictures: a font that has the glyphs, lines that fit."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Pillow's own font is Latin only. Where it lacks a glyph, the first of these that the system has
# and that lacks the fewest is used; Pillow looks them up in the system's font folders.
_FALLBACKS = (
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "WenQuanYiZenHei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "FreeSans.ttf",
    "Arial Unicode.ttf",
    "PingFang.ttc",
    "Arial.ttf",
    "msyh.ttc",
    "segoeui.ttf",
)
_ENOUGH = 600  # characters; no caption shows more, and measuring is not free


def one_line(text: str) -> str:
    """``text`` without control characters, line breaks or lone surrogates, cut where too long."""
    shown = "".join(c if c.isprintable() else " " for c in text[:_ENOUGH])
    return " ".join(shown.split())


def font_for(text: str, size: int) -> Font:
    """A font of ``size`` pixels with the fewest missing glyphs; Pillow's own if it has all."""
    best = ImageFont.load_default(size)
    fewest = _missing(best, text)
    for name in _FALLBACKS:
        if not fewest:
            break
        font = _system_font(name, size)
        missing = _missing(font, text) if font else fewest
        if font and missing < fewest:
            best, fewest = font, missing
    return best


def fit(text: str, font: Font, width: float, lines: int) -> list[str]:
    """``text`` broken at spaces (in words where needed) into ``lines`` of at most ``width`` px.

    An ellipsis stands for what is left over.
    """
    rows: list[str] = []
    rest = text
    while rest and len(rows) < lines:
        row = _head(rest, font, width, last=len(rows) == lines - 1)
        rows.append(row.strip())
        rest = rest[len(row) :].strip() if not row.endswith("…") else ""
    return rows


def render(
    rows: list[str], font: Font, colour: tuple[int, int, int], leading: float = 1.05
) -> Image.Image:
    """RGBA picture of the rows, just large enough, on a transparent ground."""
    ascent, descent = _metrics(font)
    step = round((ascent + descent) * leading)
    width = max((round(font.getlength(row)) for row in rows), default=0) + 2
    height = step * (len(rows) - 1) + ascent + descent if rows else 0
    picture = Image.new("RGBA", (max(1, width), max(1, height)), (*colour, 0))
    pen = ImageDraw.Draw(picture)
    for number, row in enumerate(rows):
        pen.text((1, number * step), row, font=font, fill=(*colour, 255))
    return picture


def _head(text: str, font: Font, width: float, last: bool) -> str:
    """The part of ``text`` that fits in one row; with "…" when it is the last and more follows."""
    if font.getlength(text) <= width:
        return text
    mark = "…" if last else ""
    low, high = 0, len(text)  # the longest prefix that fits, by bisection
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle].rstrip() + mark) <= width:
            low = middle
        else:
            high = middle - 1
    cut = text.rfind(" ", 0, low + 1)
    if cut > low // 2:
        low = cut
    return text[: max(1, low)].rstrip() + mark if last else text[: max(1, low)]


def _metrics(font: Font) -> tuple[int, int]:
    if isinstance(font, ImageFont.FreeTypeFont):
        return font.getmetrics()
    return round(font.getbbox("Ag")[3]), 0


@lru_cache(maxsize=64)
def _system_font(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def _missing(font: Font, text: str) -> int:
    """How many different characters of ``text`` the font draws as its "no such glyph" box."""
    nothing = _shape(font, "\uffff")
    return sum(_shape(font, c) == nothing for c in set(text) if not c.isspace())


def _shape(font: Font, character: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(character)
    return mask.size, bytes(mask)
