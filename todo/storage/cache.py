"""Rendered pages, keyed by list version."""

from collections.abc import Hashable

MAX_CHARACTERS = 4_000_000


class PageCache:
    """An in-memory cache of texts. Keys contain the version of their data, so entries never go stale.

    When full, it is emptied, which is cheaper than tracking the least recently used.
    """

    def __init__(self) -> None:
        self._texts: dict[Hashable, str] = {}
        self._characters = 0

    def get(self, key: Hashable) -> str | None:
        """Returns the text under the key, or None."""
        return self._texts.get(key)

    def put(self, key: Hashable, text: str) -> None:
        """Caches a text, after emptying the cache if it would exceed MAX_CHARACTERS."""
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            self._texts, self._characters = {}, len(text)
        self._texts[key] = text
