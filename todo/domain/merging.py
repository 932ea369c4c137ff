"""Merges an edit, field by field, with the changes made since the version that the editor saw."""

from collections.abc import Collection, Mapping
from typing import Any

from todo.domain.actions import fields_of, updated
from todo.domain.changes import answer_of
from todo.domain.changeset import Changeset
from todo.domain.entries import Diff, Entry
from todo.domain.kinds.todos import TODO
from todo.domain.todos import Todo
from todo.domain.users import Owner
from todo.errors import TodoNotFound, VersionConflict
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_CHANGES = 100  # of the to-do since the version that was seen; an edit that is further behind is a conflict
STORED_AS = {"list": "list_id"}  # the names of fields that are stored under another


class EditConflict(VersionConflict):
    """Others have set fields that this edit sets too.

    `now` is the current to-do, `merged` the to-do with the whole edit applied, and `changed_by` maps each field that
    both have set to the id of its newest change.
    """

    def __init__(self, now: Todo, merged: Todo, changed_by: Mapping[str, int]) -> None:
        super().__init__(now.version)
        self.now = now
        self.merged = merged
        self.changed_by = changed_by


def update(
    connection: Connection, owner: Owner, todo_id: int, version: int, fields: JSON, theirs: Collection[str] = ()
) -> JSON:
    """Sets the fields that differ from the version that the editor saw, and returns the to-do.

    Tags are merged one by one. A field in `theirs` is left as it is. Raises EditConflict if others have set another
    field too, VersionConflict if the log does not reach back to that version, TodoNotFound, and an update's errors.
    """
    changeset = Changeset(connection, owner)
    todo = changeset.get(todo_id)
    if todo is None or todo.status == "deleted":
        raise TodoNotFound
    seen, changed_by = _seen(changeset, todo, version)
    kept = {STORED_AS.get(name, name) for name in theirs}
    given = fields_of(changeset, fields)
    mine = {name: value for name, value in given.items() if value != getattr(seen, name) and name not in kept}
    if "tags" in mine:
        mine["tags"] = merge_tags(todo.tags, seen.tags, mine["tags"])
    both = [name for name in mine if getattr(todo, name) not in (getattr(seen, name), mine[name]) and name != "tags"]
    if both:
        names = {stored: name for name, stored in STORED_AS.items()}
        raise EditConflict(todo, todo._replace(**mine), {names.get(name, name): changed_by[name] for name in both})
    changeset.edit("update", updated(changeset, todo, {}, mine))
    changeset.commit()
    return answer_of(changeset, todo_id)


def merge_tags(now: tuple[str, ...], seen: tuple[str, ...], mine: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the current tags, with those that the editor added and without those that the editor removed."""
    removed = set(seen) - set(mine)
    return tuple(
        dict.fromkeys([*(tag for tag in now if tag not in removed), *(tag for tag in mine if tag not in seen)])
    )


def _seen(changeset: Changeset, todo: Todo, version: int) -> tuple[Todo, Mapping[str, int]]:
    """Returns the to-do at an earlier version, and by field the id of its newest change since then.

    Raises VersionConflict if the log does not reach back that far.
    """
    seen, changed_by = todo, dict[str, int]()
    for _ in range(MAX_CHANGES):
        if seen.version == version:
            return seen, changed_by
        which = {"user_id": changeset.user.id, "change_id": seen.change_id}
        row = changeset.connection.entry_of(**which, kind=TODO, record_id=todo.id)
        entry = Entry.from_row(row) if row else None
        if entry is None or not isinstance(entry.before, Diff):
            break
        for name in entry.before.values:
            changed_by.setdefault(name, seen.change_id)
        seen = entry.before.apply(entry.kind, seen)
    raise VersionConflict(todo.version)
