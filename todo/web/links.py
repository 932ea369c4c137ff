"""Links in the text of a to-do."""

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

URL = re.compile(r"https?://[^\s<>\"'“”]+", re.IGNORECASE)
AFTER = ".,;:!?…"  # ends a sentence rather than a URL


def with_links(text: str) -> Markup:
    """Returns a text as HTML in which URLs can be clicked."""
    return Markup("").join(_parts(text))


def _parts(text: str) -> Iterator[Markup]:
    place = 0
    for found in URL.finditer(text):
        url = _without_punctuation(found[0])
        yield escape(text[place : found.start()])
        yield Markup('<a href="{0}" rel="noopener noreferrer nofollow" target="_blank">{0}</a>').format(url)
        place = found.start() + len(url)
    yield escape(text[place:])


def _without_punctuation(url: str) -> str:
    """Returns a URL without the punctuation behind it, and without a bracket that was opened before it."""
    while url[-1] in AFTER or (url[-1] == ")" and url.count("(") < url.count(")")):
        url = url[:-1]
    return url
