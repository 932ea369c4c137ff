"""Log entries: what a change did to one record, stored as a diff."""

from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from todo.domain import quota
from todo.domain.excerpts import shortened
from todo.domain.kinds import KINDS
from todo.domain.kinds.todos import TODO
from todo.domain.records import Key, Kind, Record
from todo.domain.users import Owner
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_TITLE = 100  # characters of a to-do's text that identify it in the log
CONTEXT = 20  # unchanged characters kept on both sides of a difference
MIN_SAVED = 40  # characters; below that a text is stored whole


class Diff(NamedTuple):
    """One side of an edit: a digest of the visible record, and the values of the fields that differ.

    A long text is stored as [start, end, part]: the lengths of the unchanged start and end, and the text between them.
    A sequence always is.
    """

    digest: str
    values: JSON
    title: str = ""

    def to_log(self) -> str:
        return orjson.dumps(self._asdict()).decode()

    def apply(self, kind: Kind, record: Any, skip: Collection[str] = ()) -> Any:
        """Returns this side of the edit, given the record on the other side."""
        return record._replace(
            **{name: _patched(kind, name, value, record) for name, value in self.values.items() if name not in skip}
        )


class Entry(NamedTuple):
    """What a change did to one record.

    `before` and `after` are a Diff each for an edit; else one is the whole record and the other None. `previous` is
    the id of the change that touched the record before, or 0.
    """

    key: Key
    action: str
    before: Any
    after: Any
    previous: int = 0

    @classmethod
    def of(cls, key: Key, action: str, before: Record | None, after: Record | None, previous: int) -> "Entry":
        """Returns the entry for a record that went from `before` to `after`."""
        sides = _diffs(KINDS[key.kind], before, after) if before and after else (before, after)
        return cls(key, action, sides[0], sides[1], previous)

    @classmethod
    def from_row(cls, row: Any) -> "Entry":
        kind = KINDS[row["kind"]]
        is_edit = row["before"] is not None and row["after"] is not None
        read = _diff_from_log if is_edit else kind.from_log
        before, after = (read(row[side]) if row[side] else None for side in ("before", "after"))
        return cls(Key(row["kind"], row["record_id"]), row["action"], before, after, row["previous"])

    @property
    def kind(self) -> Kind:
        return KINDS[self.key.kind]

    @property
    def title(self) -> str:
        """Returns the text of the record, shortened to MAX_TITLE for an edit."""
        side = self.after or self.before
        return side.title if isinstance(side, Diff) else self.kind.title(side)

    def to_row(self) -> JSON:
        """Returns the columns of the log."""
        before, after = self._logged(self.before), self._logged(self.after)
        names = {"kind": self.key.kind, "record_id": self.key.id, "action": self.action, "previous": self.previous}
        return {**names, "before": before, "after": after, "bytes": quota.bytes_of(before, after)}

    def _logged(self, side: Any) -> str | None:
        if side is None:
            return None
        return side.to_log() if isinstance(side, Diff) else self.kind.to_log(side)

    def digest(self, side: Any) -> str | None:
        """Returns a digest of the visible fields of a record or of one side of the entry; None for None."""
        return side.digest if isinstance(side, Diff) else digest(self.kind, side)

    def visible(self, side: Any) -> JSON:
        """Returns the visible fields, of a Diff only those that differ. None means unset, … unchanged text."""
        kind = self.kind
        if isinstance(side, Diff):
            values = side.values
            return {name: kind.shown(name, values[f]) for name, f in kind.visible.items() if f in values}
        return {name: kind.shown(name, getattr(side, field)) for name, field in kind.visible.items()}

    def differences(self) -> Iterator[tuple[str, Any, Any]]:
        """Yields (name, before, after) for each visible field that differs; None means unset."""
        before, after = (self.visible(side) if side else {} for side in (self.before, self.after))
        for name in self.kind.visible:
            if before.get(name) != after.get(name):
                yield name, before.get(name), after.get(name)

    @property
    def is_move(self) -> bool:
        """Whether the change only moved a to-do, within its list or to another one."""
        moved = [name for name, _, _ in self.differences()] if self.action == "update" else []
        return self.key.kind == TODO and moved in (["position"], ["list"])

    @property
    def settings(self) -> list[str]:
        """Returns the settings that an entry about a profile has changed, in words."""
        names = self.kind.settings.items()
        return list(dict.fromkeys(word for field, word in names if field in self.after.values)) if names else []

    def to_json(self, public_url: str) -> JSON:
        """Returns the entry for the account export: the visible fields, or for an edit those that differ."""
        sides = {"before": self.before, "after": self.after}
        read = {name: side and self.kind.with_addresses(self.visible(side), public_url) for name, side in sides.items()}
        return {f"{self.key.kind}_id": self.key.id, "action": self.action, **read}

    def reverted(self, record: Any) -> Any:
        """Returns the record before the change, given the one after it."""
        is_edit = isinstance(self.before, Diff)
        return self.before.apply(self.kind, record, skip=self.kind.monotonic) if is_edit and record else self.before


def store_log(
    connection: Connection,
    owner: Owner,
    key: JSON,
    at: str,
    log: Sequence[JSON],
    summary: str,
    undoes: int | None = None,
) -> None:
    """Stores the rows of a change in the log. `key` has its `user_id` and `id`."""
    connection.insert_change(
        **key,
        **log[0],
        at=at,
        actor=owner.actor,
        client=owner.client,
        grant_id=owner.grant_id,
        summary=summary,
        undoes=undoes,
        actions=_actions(log) if len(log) > 1 else None,
    )
    if len(log) > 1:
        connection.insert_overflow([{**key, **row} for row in log[1:]])


def _actions(log: Sequence[JSON]) -> str:
    """Returns the kinds of action in a log, in the form that `changes_before` searches."""
    return f" {' '.join(sorted({row['action'] for row in log}))} "


def digest(kind: Kind, record: Record | None) -> str | None:
    """Returns a digest of the visible fields of a record, in hexadecimal; None for None."""
    if record is None:
        return None
    seen = [getattr(record, field) for name, field in kind.visible.items() if name not in kind.later]
    # A field that came later counts where it is set, so that the digests of older changes hold.
    seen += [[name, value] for name in sorted(kind.later) if (value := getattr(record, kind.visible[name]))]
    return blake2b(orjson.dumps(seen), digest_size=16).hexdigest()


def _diffs(kind: Kind, before: Any, after: Any) -> tuple[Diff, Diff]:
    olds: JSON = {}
    news: JSON = {}
    for name, old, new in zip(kind.fields, before, after, strict=True):
        if old != new:
            is_edited_text = name in kind.texts and old and new
            diff = _text_diff if is_edited_text else _sequence_diff if name in kind.sequences else _whole
            olds[name], news[name] = diff(old, new)
    title = kind.title(after)
    return Diff(digest(kind, before) or "", olds), Diff(digest(kind, after) or "", news, shortened(title, MAX_TITLE))


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


def _sequence_diff(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, Any]:
    """Returns the items of each side that differ, as [start, end, part]."""
    start = _common_prefix(old, new)
    end = _common_prefix(old[start:][::-1], new[start:][::-1])
    return [start, end, old[start : len(old) - end]], [start, end, new[start : len(new) - end]]


def _whole(old: Any, new: Any) -> tuple[Any, Any]:
    return old, new


def _common_prefix(one: str | tuple[Any, ...], other: str | tuple[Any, ...]) -> int:
    """Returns the length of the common prefix, by bisection: Python compares slices faster than items."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _patched(kind: Kind, name: str, value: Any, record: Any) -> Any:
    """Returns the value of a field; a part is completed from the record's."""
    if not isinstance(value, (list, tuple)):
        return value
    if name not in kind.texts and name not in kind.sequences:
        return tuple(value)
    start, end, part = value
    whole = getattr(record, name)
    return whole[:start] + type(whole)(part) + whole[len(whole) - end :]
