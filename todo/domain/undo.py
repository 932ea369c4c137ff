"""Undo: reverts one change, or everything an actor did since a time, by a new change."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from todo.contract import SITE
from todo.domain import lists, users
from todo.domain.changes import MAX_CHARACTERS, ActorFilter, entries_json, length
from todo.domain.changeset import Changeset
from todo.domain.edits import Edits
from todo.domain.entries import Entry
from todo.domain.records import LIST, TODO, Key, TodoList
from todo.domain.users import Owner
from todo.errors import ChangeNotFound, NothingToUndo, UndoConflict
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_CONFLICTS = 50
MAX_CHANGES = SITE.limit("undone_changes")
MAX_ENTRIES = SITE.limit("undone_entries")


def undo(connection: Connection, owner: Owner, change_id: int, *, force: bool) -> JSON:
    """Reverts a change by a new one and returns that. Raises ChangeNotFound, NothingToUndo and UndoConflict."""
    changeset = Changeset(connection, owner)
    if connection.change_by_id(user_id=changeset.user.id, id=change_id) is None:
        raise ChangeNotFound
    conflicts = []
    for entry in changeset.entries_of(change_id):
        if entry.action == "import":
            continue  # to-dos older than the log; nobody's change to revert
        if _has_changed_since(changeset, entry):
            conflicts.append(_conflict(changeset, entry))
        else:
            _revert(changeset, entry)
    conflicts += _keep_lists(changeset).values()
    if conflicts and not force:
        raise UndoConflict(**_bounded("conflicts", conflicts))
    entries = changeset.commit(undoes=change_id, summary=f"Undid change {change_id}.")
    if not entries:
        raise UndoConflict(**_bounded("conflicts", conflicts)) if conflicts else NothingToUndo
    skipped = _bounded("skipped", conflicts) if conflicts else {}
    described = entries_json(connection, changeset.user, entries, MAX_CHARACTERS - length(skipped))
    return {"change_id": changeset.change_id, "undoes": change_id, **described, **skipped}


class UndoPreview(NamedTuple):
    """The outcome of undoing many changes: which ones, the conflicts, and the resulting entries."""

    changes: int
    since_id: int
    until_id: int
    conflicts: list[JSON]
    more: bool  # whether older changes remain, beyond the limits of one undo
    entries: Sequence[Entry] = ()


def preview(connection: Connection, owner: Owner, by: ActorFilter, since: str) -> UndoPreview:
    """Returns what undoing everything by an actor since a local time would do, without writing."""
    user = users.find(connection, owner)
    first = connection.first_change_since(user_id=user.id, since=user.stored(datetime.fromisoformat(since)))["id"]
    until_id = user.last_change_id
    edits = Edits(connection, owner, user)
    undoing = _revert_changes(edits, by, first or until_id + 1, until_id)
    return undoing._replace(entries=edits.entries())


def undo_all(connection: Connection, owner: Owner, by: ActorFilter, since_id: int, until_id: int) -> int:
    """Reverts an actor's changes in the range that a preview returned; returns the id of the new change.

    To-dos that others have changed since are skipped. Raises NothingToUndo if nothing is left to revert.
    """
    changeset = Changeset(connection, owner)
    changes = _revert_changes(changeset, by, since_id, until_id).changes
    if not changeset.commit(summary=f"Undid {changes} change{'s' if changes > 1 else ''}."):
        raise NothingToUndo
    return changeset.change_id


def _revert_changes(edits: Edits, by: ActorFilter, since_id: int, until_id: int) -> UndoPreview:
    """Reverts changes, newest first, up to MAX_CHANGES and MAX_ENTRIES.

    A to-do that is already as it was before counts as reverted.
    """
    bounds = {"user_id": edits.user.id, "since_id": since_id, "until_id": until_id}
    rows = edits.connection.changes_between(**bounds, **by.conditions, limit=MAX_CHANGES + 1)
    conflicts: dict[Key, JSON] = {}
    changes = entry_count = 0
    for row in rows[:MAX_CHANGES]:
        entries = edits.entries_of(row["id"])
        entry_count += len(entries)
        if changes and entry_count > MAX_ENTRIES:
            break
        changes, since_id = changes + 1, row["id"]
        for entry in entries:
            if entry.action == "import" or _is_at(edits, entry, entry.before):
                continue
            if _has_changed_since(edits, entry):
                conflicts[entry.key] = _conflict(edits, entry)
            else:
                _revert(edits, entry)
    conflicts |= _keep_lists(edits)
    return UndoPreview(changes, since_id, until_id, list(conflicts.values()), len(rows) > changes)


def _has_changed_since(edits: Edits, entry: Entry) -> bool:
    """Whether the record has changed since. Changed and changed back is unchanged."""
    return not _is_at(edits, entry, entry.after)


def _is_at(edits: Edits, entry: Entry, side: Any) -> bool:
    """Whether the record matches one side of its entry."""
    return entry.digest(edits.record(entry.key)) == entry.digest(side)


def _revert(edits: Edits, entry: Entry) -> None:
    """Reverts the record to its state before the change."""
    edits.put("undo", entry.key, entry.reverted(edits.record(entry.key)))


def _keep_lists(edits: Edits) -> dict[Key, JSON]:
    """Puts lists back as they are stored that cannot be reverted, and returns the conflicts, by list.

    A list that still holds to-dos cannot go, and one whose name another list has by now cannot come back.
    """
    conflicts: dict[Key, JSON] = {}
    for key in edits.edited(LIST):
        if edits.record(key) is None and (todos := edits.todos_of_list(key.id)):
            conflicts[key] = _take_back(edits, key, max(todo.change_id for todo in todos))
    # A list that keeps its name keeps another one from getting that name back, which may be one looked at before.
    nameless = True
    while nameless:
        nameless = False
        for key in edits.edited(LIST):
            listed = edits.record(key)
            if key not in conflicts and isinstance(listed, TodoList) and not lists.can_be(edits, listed):
                conflicts[key] = _take_back(edits, key, edits.newest_change_of(key))
                nameless = True
    return conflicts


def _take_back(edits: Edits, key: Key, change_id: int) -> JSON:
    """Leaves a list as it is stored and returns the conflict."""
    edits.take_back(key)
    return {"change_id": change_id}


def _conflict(edits: Edits, entry: Entry) -> JSON:
    """Returns the conflict that blocks an undo: the record and its newest change."""
    newest = {"change_id": edits.newest_change_of(entry.key)}
    return {"id": entry.key.id, **newest} if entry.key.kind == TODO else newest


def _bounded(name: str, conflicts: list[JSON]) -> JSON:
    """Returns the first MAX_CONFLICTS under `name`, and how many were left out."""
    more = len(conflicts) - MAX_CONFLICTS
    return {name: conflicts[:MAX_CONFLICTS]} | ({f"{name}_left_out": more} if more > 0 else {})
