"""The page that a browser gets for a refusal."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from todo.web import words

TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)


def render(problem: dict[str, Any]) -> str:
    """Returns the page as HTML."""
    return TEMPLATES.get_template("refused.html").render(problem=problem, words=words)
