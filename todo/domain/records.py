"""Records: what a list holds and its log follows. Each kind declares its fields, its snapshot and its table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import orjson

from todo.domain.list_names import key_of
from todo.domain.quota import ROW_BYTES, bytes_of
from todo.domain.todos import REMOVED, Folded, Todo
from todo.domain.users import User
from todo.storage.statements import Connection

JSON = dict[str, Any]

TODO, PROFILE, LIST = "todo", "profile", "list"
ACTIVE, ARCHIVED = "active", "archived"  # the status of a list


class Key(NamedTuple):
    """Which record of a list."""

    kind: str
    id: int


PROFILE_KEY = Key(PROFILE, 0)  # each list has one profile


class Profile(NamedTuple):
    """The time zone and the first day of the week as stored; until somebody sets them, they are guessed or None."""

    time_zone: str | None
    time_zone_guessed: bool
    week_start: str | None = None
    change_id: int = 0


class TodoList(NamedTuple):
    """A list of to-dos. The inbox is not stored: it has no more than its name."""

    id: int
    name: str
    position: float  # between those of its neighbours
    status: str = ACTIVE
    updated_at: str = ""
    change_id: int = 0

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "TodoList":
        return cls(**{name: row[name] for name in cls._fields})

    @property
    def is_archived(self) -> bool:
        return self.status == ARCHIVED


Record = Todo | Profile | TodoList


class Stored(NamedTuple):
    """A record as the database has it, or None for one that was never added or has been removed."""

    record: Record | None = None
    has_row: bool = False
    version: int = 0
    change_id: int = 0  # of its newest change; 0 if there is none
    bytes: int = 0
    folded: Folded | None = None  # of a to-do


class Kind(NamedTuple):
    """A kind of record."""

    fields: tuple[str, ...]
    visible: Mapping[str, str]  # the fields that people see: by their name in JSON, the record's field
    later: frozenset[str]  # those of them that changes logged by an earlier version do not know
    texts: tuple[str, ...]  # long texts, of which the log keeps the part that differs
    monotonic: frozenset[str]  # fields that an undo never reverts
    title: Callable[[Any], str]  # returns the text that identifies a record in the log
    to_log: Callable[[Any], str]  # returns the snapshot of a record, as JSON
    from_log: Callable[[str], Any]
    find: Callable[[Connection, User, int], Stored]
    save: Callable[[Connection, Sequence[JSON], Sequence[JSON]], None]  # inserts rows, and updates others
    counted: tuple[str, str]  # one of them and several, in a summary


def stored_todo(row: Any) -> Stored:
    """Returns the to-do of a row, or of none."""
    if row is None:
        return Stored()
    todo = Todo.from_row(row) if row["status"] != REMOVED else None
    folded = Folded(row["search_text"], row["tag_keys"]) if todo else None
    return Stored(todo, True, row["version"], row["change_id"], row["bytes"], folded)


def removed_row(todo: Todo, change_id: int, now: str) -> JSON:
    """Returns the row that a removed to-do leaves, without its texts, so that its versions go on from there."""
    left = Todo(todo.id, "", todo.created_at, now, status=REMOVED, version=todo.version, change_id=change_id)
    return {**left.to_row(NOTHING_FOLDED), "json": "", "bytes": ROW_BYTES}


def _find_todo(connection: Connection, user: User, todo_id: int) -> Stored:
    return stored_todo(connection.todo_by_id(user_id=user.id, id=todo_id))


def _save_todos(connection: Connection, new: Sequence[JSON], changed: Sequence[JSON]) -> None:
    connection.insert_todos(new)
    connection.save_todos(changed)


def stored_list(row: Any) -> Stored:
    """Returns the list of a row, or of none."""
    if row is None:
        return Stored()
    listed = TodoList.from_row(row) if row["status"] != REMOVED else None
    return Stored(listed, has_row=True, change_id=row["change_id"], bytes=row["bytes"])


def list_row(before: TodoList | None, after: TodoList | None, change_id: int, now: str) -> JSON:
    """Returns the row of a list. A removed one keeps its name, of which the log still speaks."""
    listed = after or cast(TodoList, before)._replace(status=REMOVED, change_id=change_id, updated_at=now)
    return {**listed._asdict(), "name_key": key_of(listed.name), "bytes": bytes_of(listed.name, listed.name)}


def _find_list(connection: Connection, user: User, list_id: int) -> Stored:
    return stored_list(connection.list_by_id(user_id=user.id, id=list_id))


def _save_lists(connection: Connection, new: Sequence[JSON], changed: Sequence[JSON]) -> None:
    connection.insert_lists(new)
    connection.save_lists(changed)


def _to_log(record: NamedTuple) -> str:
    return orjson.dumps(record._asdict()).decode()


def _list_from_log(kept: str) -> TodoList:
    return TodoList(**orjson.loads(kept))


def _profile_from_log(kept: str) -> Profile:
    return Profile(**orjson.loads(kept))


def _find_profile(_connection: Connection, user: User, _id: int) -> Stored:
    """Returns the profile, which is kept with the list's counters."""
    profile = Profile(user.stored_zone, user.time_zone_guessed, user.stored_week_start, user.profile_change_id)
    return Stored(profile, has_row=True, change_id=profile.change_id)


def _save_profile(connection: Connection, _new: Sequence[JSON], changed: Sequence[JSON]) -> None:
    for row in changed:
        connection.save_profile(**row)


NOTHING_FOLDED = Folded("", "")
KINDS = {
    TODO: Kind(
        fields=Todo._fields,
        visible={
            "due": "due",
            "notes": "notes",
            "priority": "priority",
            "repeat": "repeat",
            "tags": "tags",
            "todo": "todo",
            "url": "share",
            "url_until": "share_until",
            "status": "status",
            "list": "list_id",
            "steps": "steps",
            "position": "position",
        },
        later=frozenset({"list", "steps", "position"}),
        texts=("todo", "notes"),
        monotonic=frozenset({"version", "updated_at", "change_id"}),
        title=lambda todo: str(todo.todo),
        to_log=Todo.to_log,
        from_log=Todo.from_log,
        find=_find_todo,
        save=_save_todos,
        counted=("to-do", "to-dos"),
    ),
    PROFILE: Kind(
        fields=Profile._fields,
        visible={"time_zone": "time_zone", "time_zone_guessed": "time_zone_guessed", "week_start": "week_start"},
        later=frozenset({"week_start"}),
        texts=(),
        monotonic=frozenset({"change_id"}),
        title=lambda profile: profile.time_zone or "",
        to_log=_to_log,
        from_log=_profile_from_log,
        find=_find_profile,
        save=_save_profile,
        counted=("profile", "profiles"),
    ),
    LIST: Kind(
        fields=TodoList._fields,
        visible={"name": "name", "position": "position", "status": "status"},
        later=frozenset(),
        texts=(),
        monotonic=frozenset({"updated_at", "change_id"}),
        title=lambda listed: str(listed.name),
        to_log=_to_log,
        from_log=_list_from_log,
        find=_find_list,
        save=_save_lists,
        counted=("list", "lists"),
    ),
}
