"""Draw the service's logo and icons: a check mark in a speech bubble on a rounded square.

Run `python bin/draw_logo.py` to write them to todo/web/static again. Shapes are
drawn at four times the final size and scaled down, which gives smooth edges.
The same Pillow version always writes the same bytes.
"""

from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw

SIZE = 512
SCALE = 4
FOLDER = Path(__file__).resolve().parents[1] / "todo" / "web" / "static"
ROUNDED = {"logo.png": SIZE, "icon-192.png": 192, "icon-64.png": 64}
# Squares, which the system gives a shape of its own: a circle at worst, in which the bubble has to fit.
FULL = {"icon-maskable.png": SIZE, "icon-apple.png": 180}
IN_CIRCLE = 0.9

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
    """Return the logo, at SCALE times its size."""
    large = Image.new("RGBA", (SIZE * SCALE, SIZE * SCALE), CLEAR)
    draw = ImageDraw.Draw(large)
    edge = SIZE * SCALE - 1
    draw.rounded_rectangle((0, 0, edge, edge), radius=112 * SCALE, fill=TEAL)
    draw_bubble(draw)
    draw_stroke(draw, CHECK, CHECK_RADIUS, TEAL)
    return large


def draw_full() -> Image.Image:
    """Return the logo without round corners, at SCALE times its size, with more room around the bubble."""
    large = Image.new("RGBA", (SIZE * SCALE, SIZE * SCALE), TEAL)
    inner = int(SIZE * SCALE * IN_CIRCLE)
    logo = draw_logo().resize((inner, inner), Image.Resampling.BOX)
    large.alpha_composite(logo, ((SIZE * SCALE - inner) // 2,) * 2)
    return large.convert("RGB")


def main() -> None:
    """Write the logo and the icons to their place in the site's static files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for picture, sizes in ((draw_logo(), ROUNDED), (draw_full(), FULL)):
        for name, size in sizes.items():
            small = picture.resize((size, size), Image.Resampling.BOX)
            small.save(FOLDER / name, format="PNG", optimize=True)


if __name__ == "__main__":
    main()
