"""The additions of the last seconds to one list, by which a retried request is recognized."""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

import orjson

from todo.contract import API
from todo.domain.users import utc_now

DUPLICATE_TIME = timedelta(seconds=API.limit("duplicate_seconds"))
MAX_RECENT = 20  # additions remembered, newest first


class Add(NamedTuple):
    """An addition: the request's fingerprint, the to-do and the change that it made, and when, in UTC."""

    fingerprint: str
    todo_id: int
    change_id: int
    at: str


class RecentAdds:
    """The newest additions to a list, kept with the list's counters."""

    def __init__(self, adds: Iterable[Add] = ()) -> None:
        self._adds = list(adds)

    @classmethod
    def of(cls, text: str) -> "RecentAdds":
        """Returns the additions that `text` wrote, without those older than DUPLICATE_TIME."""
        if not text:
            return cls()
        since = utc_now(-DUPLICATE_TIME)
        return cls(add for add in (Add(*each) for each in orjson.loads(text)) if add.at >= since)

    @property
    def text(self) -> str:
        return orjson.dumps([tuple(add) for add in self._adds]).decode() if self._adds else ""

    def note(self, fingerprint: str, todo_id: int, change_id: int, now: str) -> None:
        """Remembers an addition, and forgets the oldest beyond MAX_RECENT."""
        self._adds = [Add(fingerprint, todo_id, change_id, now), *self._adds][:MAX_RECENT]

    def find(self, fingerprint: str) -> Add | None:
        """Returns the newest addition by the same request, or None."""
        return next((add for add in self._adds if add.fingerprint == fingerprint), None)
