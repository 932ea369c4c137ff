"""The picture of a shared to-do that stands in rich previews: what it is, when it is due, and whether it is done."""

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
NO_LETTERS = "A to-do"  # where the font lacks letters of the text, which stands in og:title all the same
ELLIPSIS = "…"


@lru_cache(maxsize=256)
def draw(text: str, due: str, done: bool) -> bytes:
    """Returns the picture as PNG; `due` is said as it is drawn, and empty where there is none."""
    from PIL import Image, ImageDraw  # 60 ms that only this needs

    image = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 24, SIZE[1]), fill=TEAL)
    _draw_tick(pen, done)
    pen.text((MARGIN + 110, 92), "Done" if done else "To do", font=_font("Medium", 44), fill=TEAL)
    font, lines = _fitting(drawable(text))
    for number, line in enumerate(lines):
        pen.text((MARGIN, 200 + number * int(font.size * 1.2)), line, font=font, fill=QUIET if done else INK)
    if due:
        pen.text((MARGIN, SIZE[1] - 130), due, font=_font("Regular", 44), fill=QUIET)
    file = BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()


def drawable(text: str) -> str:
    """Returns the text without the signs that the font lacks, or NO_LETTERS where it lacks letters."""
    lacking = {sign for sign in text if not sign.isspace() and not _has(sign)}
    if any(unicodedata.category(sign).startswith(("L", "M", "N")) for sign in lacking):
        return NO_LETTERS
    return " ".join("".join(sign for sign in text if sign not in lacking).split()) or NO_LETTERS


def _draw_tick(pen: "ImageDraw.ImageDraw", done: bool) -> None:
    circle = (MARGIN, 80, MARGIN + 80, 160)
    pen.ellipse(circle, outline=TEAL, width=7, fill=TEAL if done else PAPER)
    if done:
        pen.line([(MARGIN + 22, 121), (MARGIN + 36, 136), (MARGIN + 60, 104)], fill=PAPER, width=9, joint="curve")


def _fitting(text: str) -> "tuple[ImageFont.FreeTypeFont, list[str]]":
    """Returns the largest size in which the text fits its lines, and those; in the smallest it is cut short."""
    for size in TITLE_SIZES:
        font = _font("Bold", size)
        lines = _wrapped(text, font)
        if len(lines) <= MAX_LINES:
            return font, lines
    last = lines[MAX_LINES - 1]
    while font.getlength(last + ELLIPSIS) > SIZE[0] - 2 * MARGIN:
        last = last[:-1]
    return font, [*lines[: MAX_LINES - 1], last.rstrip() + ELLIPSIS]


def _wrapped(text: str, font: "ImageFont.FreeTypeFont") -> list[str]:
    """Returns the lines of a text, broken between words, and within one that is longer than a line."""
    most = SIZE[0] - 2 * MARGIN
    lines = [""]
    for word in text.split():
        if font.getlength(f"{lines[-1]} {word}".strip()) <= most:
            lines[-1] = f"{lines[-1]} {word}".strip()
            continue
        lines += [""] if lines[-1] else []
        for letter in word:
            if font.getlength(lines[-1] + letter) > most:
                lines.append("")
            lines[-1] += letter
    return lines


@cache
def _font(weight: str, size: int) -> "ImageFont.FreeTypeFont":
    from PIL import ImageFont

    file = resources.files("font_roboto") / "files" / f"Roboto-{weight}.ttf"
    return ImageFont.truetype(BytesIO(file.read_bytes()), size)


@lru_cache(maxsize=4096)
def _has(sign: str) -> bool:
    """Whether the font has a picture of its own for this sign."""
    font = _font("Bold", 20)
    return bytes(font.getmask(sign)) != bytes(font.getmask("\uffff"))
