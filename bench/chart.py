"""Draws a bar chart as SVG, for light and dark pages."""

from html import escape

WIDTH = 760
LEFT = 190  # x of the bars
RIGHT = 60  # space for the figure after the longest bar
ROW = 22
TITLES = {"GET": "Read 20 to-dos", "POST": "Add one", "mix": "9 reads, 1 write"}

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.caption { font-size: 11px; fill: #57606a }
.bar { fill: #8c959f }
.ours { fill: #0f6863 }
.one { stroke: #57606a; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .caption { fill: #9198a1 }
  .bar { fill: #656c76 }
  .ours { fill: #3fb8ae }
  .one { stroke: #9198a1 }
}
"""


def draw(groups: dict[str, list[tuple[str, float]]], captions: list[str], ours: str) -> str:
    """Returns an SVG with a bar for each (name, ratio) of each group, and a line at 1.

    Bars whose name starts with `ours` are highlighted.
    """
    scale = (WIDTH - LEFT - RIGHT) / max(ratio for bars in groups.values() for _, ratio in bars)
    parts: list[str] = []
    y = 10
    for title, bars in groups.items():
        y += ROW
        parts.append(f'<text class="title" x="10" y="{y}">{escape(TITLES.get(title, title))}</text>')
        top = y + 6
        for name, ratio in bars:
            y += ROW
            width = ratio * scale
            parts += [
                f'<text x="{LEFT - 8}" y="{y}" text-anchor="end">{escape(name)}</text>',
                f'<rect class="{"ours" if name.startswith(ours) else "bar"}" x="{LEFT}" y="{y - 13}" '
                f'width="{width:.1f}" height="16" rx="2"/>',
                f'<text x="{LEFT + width + 6:.1f}" y="{y}">{ratio:.2f}</text>',
            ]
        x = LEFT + scale
        parts.append(f'<line class="one" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{y + 6}"/>')
        y += ROW // 2
    for caption in captions:
        y += ROW
        parts.append(f'<text class="caption" x="10" y="{y}">{escape(caption)}</text>')
    height = y + 14
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img">\n<title>{escape(captions[0])}</title>\n<style>{STYLE}</style>\n{body}\n</svg>\n'
    )
