"""The preview image of a shared to-do (og:image): its text, its due date and whether it is done."""

import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING

from todo.web import fonts
from todo.web.assets import FOLDER

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

SIZE = (1200, 630)
MARGIN = 80
WIDTH = SIZE[0] - 2 * MARGIN
PAPER, INK, QUIET, TEAL = "#fbfbf9", "#1e2625", "#56615f", "#0f6863"
TITLE_SIZES = (84, 68, 56)
LOGO = 72
REGULAR, MEDIUM, BOLD = 400, 500, 700
MAX_LINES = 3
FALLBACK = "A to-do"  # if no font has a letter of the text; og:title has the text anyway
ELLIPSIS = "…"
SPACE = fonts.Piece(fonts.LATIN, " ")


@lru_cache(maxsize=256)
def draw(text: str, due: str, done: bool) -> bytes:
    """Returns the image as PNG, 1200 by 630 pixels. `due` is drawn as it is given; "" for none."""
    from PIL import Image, ImageDraw  # importing takes 60 ms

    image = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 24, SIZE[1]), fill=TEAL)
    _draw_tick(pen, done)
    _write(pen, MARGIN + 110, 136, "Done" if done else "To do", MEDIUM, 44, TEAL)
    size, lines = fit(drawable(text))
    is_from_right = fonts.is_right_to_left(" ".join(lines))
    for number, line in enumerate(lines):
        left = SIZE[0] - MARGIN - _width(line, BOLD, size) if is_from_right else MARGIN
        baseline = 200 + size + number * int(size * 1.25)
        _write(pen, left, baseline, line, BOLD, size, QUIET if done else INK, is_from_right=is_from_right)
    if due:
        _write(pen, MARGIN, SIZE[1] - 86, due, REGULAR, 40, QUIET)
    logo = _logo()
    image.paste(logo, (SIZE[0] - MARGIN - LOGO, SIZE[1] - 60 - LOGO), logo)
    file = BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()


def drawable(text: str) -> str:
    """Returns the text without the symbols that no font has, or FALLBACK if a letter or a digit has none."""
    missing = {char for char in text if not _is_drawable(char)}
    if any(unicodedata.category(char).startswith(("L", "M", "N")) for char in missing):
        return FALLBACK
    return " ".join("".join(char for char in text if char not in missing).split()) or FALLBACK


def fit(text: str) -> tuple[int, list[str]]:
    """Returns the largest size in which the text fits MAX_LINES, and its lines; in the smallest, truncated to fit."""
    for size in TITLE_SIZES:
        lines = _wrap(text, size)
        if len(lines) <= MAX_LINES:
            return size, lines
    last = lines[MAX_LINES - 1]
    while _width(last + ELLIPSIS, BOLD, size) > WIDTH:
        last = last[:-1]
    return size, [*lines[: MAX_LINES - 1], last.rstrip() + ELLIPSIS]


def _is_drawable(char: str) -> bool:
    """Whether a font has this character; marks and joiners are drawn with the one before them."""
    return char.isspace() or unicodedata.category(char).startswith(fonts.NEVER_ALONE) or fonts.font_of(char) is not None


def _draw_tick(pen: "ImageDraw.ImageDraw", done: bool) -> None:
    circle = (MARGIN, 80, MARGIN + 80, 160)
    pen.ellipse(circle, outline=TEAL, width=7, fill=TEAL if done else PAPER)
    if done:
        pen.line([(MARGIN + 22, 121), (MARGIN + 36, 136), (MARGIN + 60, 104)], fill=PAPER, width=9, joint="curve")


def _write(
    pen: "ImageDraw.ImageDraw",
    left: float,
    baseline: int,
    line: str,
    weight: int,
    size: int,
    fill: str,
    *,
    is_from_right: bool = False,
) -> None:
    """Draws a line of text on its baseline, piece by piece from left to right."""
    for piece in _as_seen(line, is_from_right):
        font = fonts.font(piece.font, weight, size)
        pen.text((left, baseline), piece.text, font=font, fill=fill, anchor="ls")
        left += font.getlength(piece.text)


def _as_seen(line: str, is_from_right: bool) -> list[fonts.Piece]:
    """Returns the pieces of a line from left to right: the words of each direction keep their own order."""
    seen: list[fonts.Piece] = []
    groups = groupby(line.split(), fonts.is_right_to_left)
    for goes_left, words in reversed([*map(_joined, groups)]) if is_from_right else map(_joined, groups):
        seen += [SPACE] if seen else []
        seen += list(fonts.pieces(words))[:: -1 if goes_left else 1]
    return seen


def _joined(group: tuple[bool, Iterable[str]]) -> tuple[bool, str]:
    goes_left, words = group
    return goes_left, " ".join(words)


def _width(line: str, weight: int, size: int) -> float:
    return sum(fonts.font(piece.font, weight, size).getlength(piece.text) for piece in fonts.pieces(line))


def _wrap(text: str, size: int) -> list[str]:
    """Returns the lines of a text, broken between words, or within a word that is longer than a line."""
    lines = [""]
    for word in text.split():
        if _width(f"{lines[-1]} {word}".strip(), BOLD, size) <= WIDTH:
            lines[-1] = f"{lines[-1]} {word}".strip()
            continue
        lines += [""] if lines[-1] else []
        width = 0.0
        for letter in word:
            width += _letter_width(letter, size)
            if width > WIDTH:
                lines.append("")
                width = _letter_width(letter, size)
            lines[-1] += letter
    return lines


@lru_cache(maxsize=8192)
def _letter_width(letter: str, size: int) -> float:
    return _width(letter, BOLD, size)


@cache
def _logo() -> "Image.Image":
    from PIL import Image

    return Image.open(FOLDER / "logo.png").convert("RGBA").resize((LOGO, LOGO), Image.Resampling.LANCZOS)
