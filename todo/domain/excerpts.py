"""Excerpts: the beginning of a text, enough to recognize it."""

ELLIPSIS = "…"


def shortened(text: str, most: int) -> str:
    """Returns the first `most` characters, and an ellipsis if there are more."""
    return text if len(text) <= most else text[:most] + ELLIPSIS
