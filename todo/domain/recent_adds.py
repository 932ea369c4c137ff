"""The newest additions to a list, by which a request that a host repeats within seconds is recognized."""

from datetime import timedelta
from typing import NamedTuple

from todo.contract import API
from todo.domain.users import utc_now

DUPLICATE_TIME = timedelta(seconds=API.limit("duplicate_seconds"))
MAX_RECENT = 8


class Add(NamedTuple):
    """An addition: when, in UTC, the request's fingerprint, and the to-do and the change that it made."""

    at: str
    fingerprint: str
    todo_id: int
    change_id: int

    @classmethod
    def of(cls, line: str) -> "Add":
        at, fingerprint, todo_id, change_id = line.split()
        return cls(at, fingerprint, int(todo_id), int(change_id))

    def __str__(self) -> str:
        return f"{self.at} {self.fingerprint} {self.todo_id} {self.change_id}"


def find(text: str, fingerprint: str) -> Add | None:
    """Returns the newest addition in `text` by this request, or None. Those older than DUPLICATE_TIME do not count."""
    if fingerprint not in text:
        return None
    adds = map(Add.of, text.splitlines())
    since = utc_now(-DUPLICATE_TIME)
    return next((add for add in adds if add.fingerprint == fingerprint and add.at >= since), None)


def note(text: str, add: Add) -> str:
    """Returns the text with an addition in front, without those beyond MAX_RECENT or older than DUPLICATE_TIME."""
    if text < utc_now(-DUPLICATE_TIME):  # as even its first line begins with an older time
        return str(add)
    return "\n".join([str(add), *text.split("\n", MAX_RECENT - 1)[: MAX_RECENT - 1]])
