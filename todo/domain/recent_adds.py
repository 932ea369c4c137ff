"""The newest additions to a list, to recognize a request that a host repeats within seconds."""

from datetime import timedelta
from typing import NamedTuple

from todo.contract import API
from todo.domain.users import utc_now

DUPLICATE_TIME = timedelta(seconds=API.limit("duplicate_seconds"))
# About 32 additions. They are in the list's own row, which every request reads and every write stores.
MAX_LENGTH = 1_700
DIGITS = 16  # of a fingerprint: enough to tell apart what is added to one list within seconds


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
        return f"{self.at} {self.fingerprint[:DIGITS]} {self.todo_id} {self.change_id}"


def find(text: str, fingerprint: str) -> Add | None:
    """Returns the newest addition in `text` by this request, not older than DUPLICATE_TIME, or None.

    If the clock was set back since, it may be in the future, but by no more than that.
    """
    wanted = fingerprint[:DIGITS]
    if wanted not in text:
        return None
    adds = map(Add.of, text.splitlines())
    since, until = utc_now(-DUPLICATE_TIME), utc_now(DUPLICATE_TIME)
    return next((add for add in adds if add.fingerprint == wanted and since <= add.at <= until), None)


def note(text: str, add: Add) -> str:
    """Returns the text with an addition in front, without those older than DUPLICATE_TIME or beyond MAX_LENGTH."""
    line, since = str(add), utc_now(-DUPLICATE_TIME)
    while text and (len(text) + len(line) >= MAX_LENGTH or text[text.rfind("\n") + 1 :] < since):
        text = text.rpartition("\n")[0]  # the oldest, as a line begins with its time
    return f"{line}\n{text}" if text else line
