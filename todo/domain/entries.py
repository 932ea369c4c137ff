"""Log entries: what a change did to one to-do, or to the time zone, stored as a diff."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from todo.domain.todos import UNSET_PRIORITY, Todo, share_path

JSON = dict[str, Any]

PROFILE = 0  # the todo_id of entries about the time zone; no to-do has it
# The fields that people see: by their name in JSON, the field of Todo.
VISIBLE = {
    "due": "due",
    "notes": "notes",
    "priority": "priority",
    "repeat": "repeat",
    "tags": "tags",
    "todo": "todo",
    "url": "share",
    "url_until": "share_until",
    "status": "status",
}
MONOTONIC = {"version", "updated_at", "change_id"}  # never reverted by an undo
TEXTS = ("todo", "notes")
ELLIPSIS = "…"
MAX_TITLE = 100  # characters of a to-do's text that identify it in the log
CONTEXT = 20  # unchanged characters kept on both sides of a difference
MIN_SAVED = 40  # characters; below that a text is stored whole


@dataclass(frozen=True)
class Zone:
    """The time zone as stored; until somebody sets it, it is guessed and may be None."""

    time_zone: str | None
    time_zone_guessed: bool

    def to_log(self) -> str:
        return orjson.dumps(vars(self)).decode()

    @classmethod
    def from_log(cls, kept: str) -> "Zone":
        return cls(**orjson.loads(kept))


class Diff(NamedTuple):
    """One side of an edit: a digest of the visible to-do, and the values of the fields that differ.

    A long text is stored as [start, end, part]: the lengths of the unchanged start and end, and the text between them.
    """

    digest: str
    values: JSON
    title: str = ""

    def to_log(self) -> str:
        return orjson.dumps(self._asdict()).decode()

    def apply(self, todo: Todo, skip: Collection[str] = ()) -> Todo:
        """Returns this side of the edit, given the to-do on the other side."""
        return todo._replace(
            **{name: _patched(name, value, todo) for name, value in self.values.items() if name not in skip}
        )


Side = Todo | Diff | None


class Entry(NamedTuple):
    """What a change did to one to-do, or to the time zone under the id PROFILE.

    `before` and `after` are a Diff each for an edit; else one is the whole Todo and the other None. For the time zone
    both are a Zone.
    """

    todo_id: int
    action: str
    before: Any
    after: Any

    @classmethod
    def of(cls, todo_id: int, action: str, before: Todo | None, after: Todo | None) -> "Entry":
        """Returns the entry for a to-do that went from `before` to `after`."""
        sides = _diffs(before, after) if before and after else (before, after)
        return cls(todo_id, action, *sides)

    @classmethod
    def from_row(cls, row: Any) -> "Entry":
        whole = row["before"] is None or row["after"] is None
        read = Zone.from_log if row["todo_id"] == PROFILE else Todo.from_log if whole else _diff_from_log
        before, after = (read(row[side]) if row[side] else None for side in ("before", "after"))
        return cls(row["todo_id"], row["action"], before, after)

    @property
    def title(self) -> str:
        """Returns the text of the to-do, shortened to MAX_TITLE for an edit."""
        side = self.after or self.before
        return str(side.title if isinstance(side, Diff) else side.todo)

    def to_json(self) -> JSON:
        """Returns the entry for the account export: the visible fields, or for an edit those that differ."""
        sides = {"before": self.before, "after": self.after}
        read = {name: vars(side) if isinstance(side, Zone) else side and visible(side) for name, side in sides.items()}
        return {"todo_id": self.todo_id, "action": self.action, **read}

    def reverted(self, todo: Todo | None) -> Todo | None:
        """Returns the to-do before the change, given the one after it."""
        return self.before.apply(todo, skip=MONOTONIC) if isinstance(self.before, Diff) and todo else self.before


def digest(side: Side) -> str | None:
    """Returns a digest of the visible fields of a to-do, in hexadecimal; None for None."""
    if side is None or isinstance(side, Diff):
        return side and side.digest
    seen = orjson.dumps([getattr(side, name) for name in VISIBLE.values()])
    return blake2b(seen, digest_size=16).hexdigest()


def visible(side: Todo | Diff) -> JSON:
    """Returns the visible fields, of a Diff only those that differ; None is unset, … is unchanged text."""
    if isinstance(side, Diff):
        return {name: _display(name, side.values[field]) for name, field in VISIBLE.items() if field in side.values}
    return {name: _display(name, getattr(side, field)) for name, field in VISIBLE.items()}


def differences(entry: Entry) -> Iterator[tuple[str, Any, Any]]:
    """Yields (name, before, after) for each visible field that differs; None is unset."""
    before, after = (visible(side) if side else {} for side in (entry.before, entry.after))
    for name in VISIBLE:
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def _diffs(before: Todo, after: Todo) -> tuple[Diff, Diff]:
    olds: JSON = {}
    news: JSON = {}
    for name, old, new in zip(Todo._fields, before, after, strict=True):
        if old != new:
            olds[name], news[name] = _text_diff(str(old), str(new)) if name in TEXTS and old and new else (old, new)
    title = after.todo if len(after.todo) <= MAX_TITLE else after.todo[:MAX_TITLE] + ELLIPSIS
    return Diff(digest(before) or "", olds), Diff(digest(after) or "", news, title)


def _diff_from_log(kept: str) -> Diff:
    return Diff(**orjson.loads(kept))


def _text_diff(old: str, new: str) -> tuple[Any, Any]:
    """Returns the part of each text that differs, as [start, end, part]; or both texts, if that saves too little."""
    same = _common_prefix(old, new)
    start = max(0, same - CONTEXT)
    end = max(0, _common_prefix(old[same:][::-1], new[same:][::-1]) - CONTEXT)
    if start + end < MIN_SAVED:
        return old, new
    return [start, end, old[start : len(old) - end]], [start, end, new[start : len(new) - end]]


def _common_prefix(one: str, other: str) -> int:
    """Returns the length of the common prefix, by bisection: Python compares slices faster than characters."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _patched(name: str, value: Any, todo: Todo) -> Any:
    """Returns the value of a field; a partial text is completed from the to-do's."""
    if name in TEXTS and isinstance(value, (list, tuple)):
        start, end, part = value
        text = getattr(todo, name)
        return text[:start] + part + text[len(text) - end :]
    return tuple(value) if name == "tags" else value


def _display(name: str, value: Any) -> Any:
    if value is None or (name == "priority" and value == UNSET_PRIORITY):
        return None
    if name == "url":
        return share_path(value)
    if name == "tags":
        return list(value) or None
    if name in TEXTS and not isinstance(value, str):
        start, end, part = value
        return ELLIPSIS * bool(start) + part + ELLIPSIS * bool(end)
    return value
