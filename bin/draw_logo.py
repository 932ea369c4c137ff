"""Draw the service's logo: a check mark in a speech bubble on a rounded square.

Run `python bin/draw_logo.py` to write todo/web/static/logo.png again. Shapes are
drawn at four times the final size and scaled down, which gives smooth edges.
The same Pillow version always writes the same bytes.
"""

from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw

SIZE = 512
SCALE = 4
TARGET = Path(__file__).resolve().parents[1] / "todo" / "web" / "static" / "logo.png"

Point = tuple[int, int]
Color = tuple[int, int, int, int]

TEAL = (15, 104, 99, 255)
PAPER = (255, 255, 255, 255)
CLEAR = (15, 104, 99, 0)  # TEAL unseen, so that the square's edge has no dark rim

BUBBLE = (70, 80, 442, 376)
TAIL: list[Point] = [(146, 330), (146, 432), (262, 352)]
TAIL_RADIUS = 12
CHECK: list[Point] = [(164, 234), (230, 298), (352, 162)]
CHECK_RADIUS = 27


def scaled(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Turn numbers of the final picture into numbers of the large drawing."""
    return tuple(number * SCALE for number in numbers)


def draw_segment(draw: ImageDraw.ImageDraw, start: Point, end: Point, radius: int, color: Color) -> None:
    """Stamp discs closely from start to end: Pillow's own wide slanted lines come out too thin."""
    (x1, y1), (x2, y2) = scaled(start), scaled(end)
    steps = max(abs(x2 - x1), abs(y2 - y1))
    size = radius * SCALE
    for step in range(steps + 1):
        x = x1 + (x2 - x1) * step / steps
        y = y1 + (y2 - y1) * step / steps
        draw.ellipse((x - size, y - size, x + size, y + size), fill=color)


def draw_stroke(draw: ImageDraw.ImageDraw, points: list[Point], radius: int, color: Color) -> None:
    """Draw a line through the points, with round ends and round corners."""
    for start, end in pairwise(points):
        draw_segment(draw, start, end, radius, color)


def draw_bubble(draw: ImageDraw.ImageDraw) -> None:
    """Draw the speech bubble with its tail at the lower left."""
    draw.rounded_rectangle(scaled(BUBBLE), radius=84 * SCALE, fill=PAPER)
    draw.polygon([scaled(point) for point in TAIL], fill=PAPER)
    draw_stroke(draw, TAIL, TAIL_RADIUS, PAPER)


def draw_logo() -> Image.Image:
    """Return the finished picture, SIZE by SIZE pixels."""
    large = Image.new("RGBA", (SIZE * SCALE, SIZE * SCALE), CLEAR)
    draw = ImageDraw.Draw(large)
    edge = SIZE * SCALE - 1
    draw.rounded_rectangle((0, 0, edge, edge), radius=112 * SCALE, fill=TEAL)
    draw_bubble(draw)
    draw_stroke(draw, CHECK, CHECK_RADIUS, TEAL)
    return large.resize((SIZE, SIZE), Image.Resampling.BOX)


def main() -> None:
    """Write the logo to its place in the site's static files."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    draw_logo().save(TARGET, format="PNG", optimize=True)


if __name__ == "__main__":
    main()
