"""Folding: how text is normalized for search and for comparing names."""

import re
import unicodedata

# NFKC expands these two Arabic ligatures to 18 and 8 characters, and no other character to more than MAX_FOLDED.
UNFOLDED = re.compile("([\ufdfa\ufdfb])")
MAX_FOLDED = 6
ACCENTS = re.compile("[\u0300-\u036f]+")


def fold(text: str) -> str:
    """Returns the text normalized for comparing names: case-folded, NFKC, runs of white space as one space.

    The result has at most MAX_FOLDED times the characters.
    """
    if text.isascii():
        return " ".join(text.casefold().split())
    pieces = UNFOLDED.split(text)  # the odd ones are the separators, which stay as they are
    pieces[::2] = map(_fold, pieces[::2])
    return " ".join("".join(pieces).split())


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def fold_for_search(text: str) -> str:
    """Returns the text folded and without accents, so that "Steuererklarung" finds "Steuererklärung"."""
    folded = fold(text)
    if folded.isascii():
        return folded
    bare = ACCENTS.sub("", unicodedata.normalize("NFD", folded))
    return " ".join(unicodedata.normalize("NFC", bare).split())


def longest_words(text: str, limit: int) -> list[str]:
    """Returns the distinct words of a text, folded for search, the longest and so most specific first."""
    return sorted(set(fold_for_search(text).split()), key=lambda word: (-len(word), word))[:limit]


def escape_like(text: str) -> str:
    """Returns the text with LIKE's wildcards escaped by an exclamation mark."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
