"""Entries of the log: what a change did to one to-do, or to the time zone, of which only what differs is kept."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from todo.domain.todos import UNSET_PRIORITY, Todo, address_of

JSON = dict[str, Any]

PROFILE = 0  # where the log keeps the time zone; no to-do has this id
# What a person is told of, by the names of answers and as it is stored.
SHOWN = {
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
COUNTED = {"version", "updated_at", "change_id"}  # these count on, and no undo takes them back
TEXTS = ("todo", "notes")
ELLIPSIS = "…"
MAX_TITLE = 100  # characters of a to-do's text, to know it by
CONTEXT = 20  # characters around a difference, so that it reads well
LEAST_SAVED = 40  # fewer are not worth leaving out


@dataclass(frozen=True)
class Zone:
    """The time zone as it is stored: None and guessed before anyone set one."""

    time_zone: str | None
    time_zone_guessed: bool

    def to_log(self) -> str:
        return orjson.dumps(vars(self)).decode()

    @classmethod
    def from_log(cls, kept: str) -> "Zone":
        return cls(**orjson.loads(kept))


class Part(NamedTuple):
    """One side of a change to a to-do: what stands for all that is shown of it, and the fields that differ.

    Of a long text it has the part that differs: how much before and after that is the same, and the characters between.
    """

    digest: str
    values: JSON
    title: str = ""

    def to_log(self) -> str:
        return orjson.dumps(self._asdict()).decode()

    def onto(self, todo: Todo, but: Collection[str] = ()) -> Todo:
        """Returns this side of the to-do, of which `todo` is the other side."""
        return todo._replace(
            **{name: _whole(name, value, todo) for name, value in self.values.items() if name not in but}
        )


Side = Todo | Part | None


class Entry(NamedTuple):
    """What a change did to one to-do, or to the time zone under the id PROFILE. None is no to-do.

    One that was added or removed is there as a whole, of any other what differs.
    """

    todo_id: int
    action: str
    before: Any
    after: Any

    @classmethod
    def of(cls, todo_id: int, action: str, before: Todo | None, after: Todo | None) -> "Entry":
        """Returns the entry of a to-do that was `before` and is `after`."""
        sides = _parts(before, after) if before and after else (before, after)
        return cls(todo_id, action, *sides)

    @classmethod
    def from_row(cls, row: Any) -> "Entry":
        whole = row["before"] is None or row["after"] is None
        read = Zone.from_log if row["todo_id"] == PROFILE else Todo.from_log if whole else _part_from_log
        before, after = (read(row[side]) if row[side] else None for side in ("before", "after"))
        return cls(row["todo_id"], row["action"], before, after)

    @property
    def title(self) -> str:
        """Returns the text of the to-do, or how it begins."""
        side = self.after or self.before
        return str(side.title if isinstance(side, Part) else side.todo)

    def to_json(self) -> JSON:
        """Returns the entry as a person reads it in a file: the fields that were set, or that differ."""
        sides = {"before": self.before, "after": self.after}
        read = {name: vars(side) if isinstance(side, Zone) else side and shown(side) for name, side in sides.items()}
        return {"todo_id": self.todo_id, "action": self.action, **read}

    def undone(self, todo: Todo | None) -> Todo | None:
        """Returns what `todo`, which is as the change left it, was before."""
        return self.before.onto(todo, but=COUNTED) if isinstance(self.before, Part) and todo else self.before


def digest(side: Side) -> str | None:
    """Returns what stands for all that is shown of a to-do: the same for the same."""
    if side is None or isinstance(side, Part):
        return side and side.digest
    seen = orjson.dumps([getattr(side, name) for name in SHOWN.values()])
    return blake2b(seen, digest_size=16).hexdigest()


def shown(side: Todo | Part) -> JSON:
    """Returns the fields that a person cares about, of a part those that differ; None is unset, … what is the same."""
    if isinstance(side, Part):
        return {name: _told(name, side.values[kept]) for name, kept in SHOWN.items() if kept in side.values}
    return {name: _told(name, getattr(side, kept)) for name, kept in SHOWN.items()}


def differing(entry: Entry) -> Iterator[tuple[str, Any, Any]]:
    """Yields the fields of a to-do that differ, each with its value before and after; None is unset."""
    before, after = (shown(side) if side else {} for side in (entry.before, entry.after))
    for name in SHOWN:
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def _parts(before: Todo, after: Todo) -> tuple[Part, Part]:
    olds: JSON = {}
    news: JSON = {}
    for name, old, new in zip(Todo._fields, before, after, strict=True):
        if old != new:
            olds[name], news[name] = _cut(str(old), str(new)) if name in TEXTS and old and new else (old, new)
    title = after.todo if len(after.todo) <= MAX_TITLE else after.todo[:MAX_TITLE] + ELLIPSIS
    return Part(digest(before) or "", olds), Part(digest(after) or "", news, title)


def _part_from_log(kept: str) -> Part:
    return Part(**orjson.loads(kept))


def _cut(old: str, new: str) -> tuple[Any, Any]:
    """Returns what differs between two texts, with a little around it; the texts themselves where that saves little."""
    same = _common(old, new)
    start = max(0, same - CONTEXT)
    end = max(0, _common(old[same:][::-1], new[same:][::-1]) - CONTEXT)
    if start + end < LEAST_SAVED:
        return old, new
    return [start, end, old[start : len(old) - end]], [start, end, new[start : len(new) - end]]


def _common(one: str, other: str) -> int:
    """Returns how many characters both begin with, found by halves: comparing slices is faster than characters."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[:middle] == other[:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _whole(name: str, value: Any, todo: Todo) -> Any:
    """Returns the value of a field, a part of a text put into the text that `todo` has."""
    if name in TEXTS and isinstance(value, (list, tuple)):
        start, end, part = value
        text = getattr(todo, name)
        return text[:start] + part + text[len(text) - end :]
    return tuple(value) if name == "tags" else value


def _told(name: str, value: Any) -> Any:
    if value is None or (name == "priority" and value == UNSET_PRIORITY):
        return None
    if name == "url":
        return address_of(value)
    if name == "tags":
        return list(value) or None
    if name in TEXTS and not isinstance(value, str):
        start, end, part = value
        return ELLIPSIS * bool(start) + part + ELLIPSIS * bool(end)
    return value
