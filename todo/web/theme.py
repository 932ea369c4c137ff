"""The colours that browsers need outside the style sheet, the same as in tokens.css."""

import re

from todo.web.assets import FOLDER

_TOKENS = (FOLDER / "css" / "tokens.css").read_text(encoding="utf-8")
# The background of pages in light and in dark, in the order of the file.
LIGHT, DARK = re.findall(r"#[0-9a-f]{6}\b", " ".join(re.findall(r"--ground:[^;]*", _TOKENS)))
SCHEMES = {"light": LIGHT, "dark": DARK}
