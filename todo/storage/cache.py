"""What was worked out from rows and is asked for again before they change."""

from collections.abc import Hashable

MAX_CHARACTERS = 4_000_000


class Cache:
    """Texts by keys that name the version of what they were made of, so that none is ever out of date.

    It starts anew when it is full, which costs less than to keep count of what was used last.
    """

    def __init__(self) -> None:
        self._texts: dict[Hashable, str] = {}
        self._characters = 0

    def get(self, key: Hashable) -> str | None:
        """Returns what was kept under the key, if it still is."""
        return self._texts.get(key)

    def put(self, key: Hashable, text: str) -> None:
        """Keeps a text."""
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            self._texts, self._characters = {}, len(text)
        self._texts[key] = text
