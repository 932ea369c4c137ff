"""The style sheets and scripts, as they are written."""

import re

from todo.web import assets

LIST = ("list", "outbox", "patch", "rows", "drag", "quick_add")


def test_style_sheets_take_their_values_from_one_file() -> None:
    """Colours, sizes of text and spacing; print has paper's."""
    for file in sorted((assets.FOLDER / "css").glob("*.css")):
        assert file.stem in assets.STYLES
        if file.stem not in ("tokens", "print"):
            text = file.read_text(encoding="utf-8")
            own = re.findall(r"#[0-9a-f]{3,6}\b|rgb\([^)]*\)|font-size: [0-9.]+(?:rem|px)", text)
            assert not own, f"{file.name} has values of its own: {own}"


def test_the_scripts_of_the_list_stay_small() -> None:
    assert sum(len((assets.FOLDER / f"{name}.js").read_text().splitlines()) for name in LIST) <= 700
