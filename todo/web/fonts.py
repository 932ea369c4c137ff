"""The Noto fonts, one for each script, and which of them draws a text."""

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL import ImageFont

LATIN, CJK = "NotoSans[wght].ttf", "NotoSansCJK-VF.otf.ttc"
OTHERS = (LATIN, "NotoSansSymbols[wght].ttf", "NotoEmoji[wght].ttf")
# By the first word of a character's Unicode name.
SCRIPTS = {
    name.upper(): f"NotoSans{name}[wght].ttf"
    for name in (
        *("Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi", "Hebrew"),
        *("Kannada", "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thai"),
    )
} | dict.fromkeys(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH", "HALFWIDTH"), CJK)
NEVER_ALONE = ("M", "Cf")  # marks and joiners belong to the character before them
RIGHT_TO_LEFT = ("R", "AL")


class Piece(NamedTuple):
    """A part of a text that one font draws."""

    font: str
    text: str


def pieces(text: str) -> Iterator[Piece]:
    """Yields the parts of a text, without the characters that no font has."""
    current = Piece("", "")
    for char in text:
        is_shared = char.isascii() and not char.isalpha()  # most fonts have digits and spaces
        goes_on = current.text and (
            unicodedata.category(char).startswith(NEVER_ALONE) or (is_shared and _has_glyph(current.font, char))
        )
        found = current.font if goes_on else font_of(char)
        if found is None:
            continue
        if found != current.font and current.text:
            yield current
        current = Piece(found, current.text + char if found == current.font else char)
    if current.text:
        yield current


@lru_cache(maxsize=4096)
def font_of(char: str) -> str | None:
    """Returns the font that has this character, or None."""
    script = SCRIPTS.get(unicodedata.name(char, "").partition(" ")[0])
    return next((name for name in (script, *OTHERS, CJK) if name and _has_glyph(name, char)), None)


def is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction runs right to left."""
    directions = (unicodedata.bidirectional(char) for char in text)
    return next((found in RIGHT_TO_LEFT for found in directions if found in ("L", *RIGHT_TO_LEFT)), False)


@cache
def font(name: str, weight: int, size: int) -> "ImageFont.FreeTypeFont":
    """Returns a font at a weight, such as 700 for bold."""
    from PIL import ImageFont

    package = "manimgx_fonts_cjk" if name == CJK else "manimgx_fonts"
    found = ImageFont.truetype(str(resources.files(package) / name), size)
    found.set_variation_by_axes([weight])
    return found


@lru_cache(maxsize=8192)
def _has_glyph(name: str, char: str) -> bool:
    """Whether the font has a glyph for this character, not just the placeholder."""
    drawn = font(name, 400, 20)
    return bytes(drawn.getmask(char)) != bytes(drawn.getmask("\uffff"))
