"""The preview image of a shared to-do (og:image): its text, its due date and whether it is done."""

import unicodedata
from functools import cache, lru_cache
from importlib import resources
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

SIZE = (1200, 630)
MARGIN = 80
PAPER, INK, QUIET, TEAL = "#fbfbf9", "#1e2625", "#56615f", "#0f6863"
TITLE_SIZES = (84, 68, 56)
MAX_LINES = 3
FALLBACK = "A to-do"  # if the font lacks a letter of the text; og:title has the text anyway
ELLIPSIS = "…"


@lru_cache(maxsize=256)
def draw(text: str, due: str, done: bool) -> bytes:
    """Returns the image as PNG, 1200 by 630 pixels. `due` is drawn as it is given; "" for none."""
    from PIL import Image, ImageDraw  # importing takes 60 ms

    image = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 24, SIZE[1]), fill=TEAL)
    _draw_tick(pen, done)
    pen.text((MARGIN + 110, 92), "Done" if done else "To do", font=_font("Medium", 44), fill=TEAL)
    font, lines = _fit(drawable(text))
    for number, line in enumerate(lines):
        pen.text((MARGIN, 200 + number * int(font.size * 1.2)), line, font=font, fill=QUIET if done else INK)
    if due:
        pen.text((MARGIN, SIZE[1] - 130), due, font=_font("Regular", 44), fill=QUIET)
    file = BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()


def drawable(text: str) -> str:
    """Returns the text without the symbols that the font lacks, or FALLBACK if it lacks a letter or digit."""
    missing = {char for char in text if not char.isspace() and not _has_glyph(char)}
    if any(unicodedata.category(char).startswith(("L", "M", "N")) for char in missing):
        return FALLBACK
    return " ".join("".join(char for char in text if char not in missing).split()) or FALLBACK


def _draw_tick(pen: "ImageDraw.ImageDraw", done: bool) -> None:
    circle = (MARGIN, 80, MARGIN + 80, 160)
    pen.ellipse(circle, outline=TEAL, width=7, fill=TEAL if done else PAPER)
    if done:
        pen.line([(MARGIN + 22, 121), (MARGIN + 36, 136), (MARGIN + 60, 104)], fill=PAPER, width=9, joint="curve")


def _fit(text: str) -> "tuple[ImageFont.FreeTypeFont, list[str]]":
    """Returns the largest font in which the text fits MAX_LINES, and its lines; in the smallest, truncated to fit."""
    for size in TITLE_SIZES:
        font = _font("Bold", size)
        lines = _wrap(text, font)
        if len(lines) <= MAX_LINES:
            return font, lines
    last = lines[MAX_LINES - 1]
    while font.getlength(last + ELLIPSIS) > SIZE[0] - 2 * MARGIN:
        last = last[:-1]
    return font, [*lines[: MAX_LINES - 1], last.rstrip() + ELLIPSIS]


def _wrap(text: str, font: "ImageFont.FreeTypeFont") -> list[str]:
    """Returns the lines of a text, broken between words, or within a word that is longer than a line."""
    max_width = SIZE[0] - 2 * MARGIN
    lines = [""]
    for word in text.split():
        if font.getlength(f"{lines[-1]} {word}".strip()) <= max_width:
            lines[-1] = f"{lines[-1]} {word}".strip()
            continue
        lines += [""] if lines[-1] else []
        for letter in word:
            if font.getlength(lines[-1] + letter) > max_width:
                lines.append("")
            lines[-1] += letter
    return lines


@cache
def _font(weight: str, size: int) -> "ImageFont.FreeTypeFont":
    from PIL import ImageFont

    file = resources.files("font_roboto") / "files" / f"Roboto-{weight}.ttf"
    return ImageFont.truetype(BytesIO(file.read_bytes()), size)


@lru_cache(maxsize=4096)
def _has_glyph(char: str) -> bool:
    """Whether the font has a glyph for this character, not just the placeholder."""
    font = _font("Bold", 20)
    return bytes(font.getmask(char)) != bytes(font.getmask("\uffff"))
