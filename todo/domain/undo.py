"""Undo: reverts one change, or many changes of one actor, by a new change."""

from collections.abc import Collection, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from todo.contract import SITE
from todo.domain import lists, undone
from todo.domain.actors import ActorFilter
from todo.domain.changes import MAX_CHARACTERS, entries_json, length
from todo.domain.changeset import Changeset
from todo.domain.conversations import Span
from todo.domain.entries import Entry
from todo.domain.kinds import KINDS
from todo.domain.kinds.lists import LIST, TodoList
from todo.domain.records import Key
from todo.domain.todo_edits import TodoEdits
from todo.domain.users import Owner, User
from todo.errors import ChangeNotFound, NothingToUndo, UndoConflict
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_CONFLICTS = 50
MAX_CHANGES = SITE.limit("undone_changes")
MAX_ENTRIES = SITE.limit("undone_entries")
REVERTED = "reverted"


def undo(connection: Connection, owner: Owner, change_id: int, *, force: bool) -> JSON:
    """Reverts a change by a new one and returns that. Raises ChangeNotFound, NothingToUndo and UndoConflict."""
    changeset = Changeset(connection, owner)
    if connection.change_by_id(user_id=changeset.user.id, id=change_id) is None:
        raise ChangeNotFound
    conflicts = []
    for entry in changeset.entries_of(change_id):
        if entry.action == "import":
            continue  # to-dos older than the log, which no change added
        if _has_changed_since(changeset, entry):
            conflicts.append(_conflict(entry.key, changeset.newest_change_of(entry.key)))
        else:
            _revert(changeset, entry)
    conflicts += _keep_lists(changeset).values()
    if conflicts and not force:
        raise UndoConflict(**_bounded("conflicts", conflicts))
    entries = changeset.commit(undoes=change_id, summary=f"Undid change {change_id}.")
    if not entries:
        raise UndoConflict(**_bounded("conflicts", conflicts)) if conflicts else NothingToUndo
    if not conflicts:
        undone.note(connection, changeset.user, [change_id], changeset.change_id)
    skipped = _bounded("skipped", conflicts) if conflicts else {}
    described = entries_json(connection, changeset.user, entries, MAX_CHARACTERS - length(skipped))
    return {"change_id": changeset.change_id, "undoes": change_id, **described, **skipped}


class Undoing(NamedTuple):
    """A change that the preview offers to undo."""

    row: Any  # of the log
    entries: list[Entry]
    is_chosen: bool
    is_undone: bool  # already


class UndoPreview(NamedTuple):
    """The outcome of undoing many changes: the changes, the conflicts, and the resulting entries."""

    changes: list[Undoing]
    span: Span
    conflicts: list[JSON]
    more: bool  # whether older changes remain, beyond the limits of one undo
    entries: Sequence[Entry] = ()

    @property
    def staying(self) -> str:
        """A digest of the conflicts, whose records stay as they are; "" if there are none."""
        if not self.conflicts:
            return ""
        return blake2b(orjson.dumps(self.conflicts, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def preview(
    connection: Connection, owner: Owner, user: User, by: ActorFilter, span: Span, chosen: Collection[int] | None = None
) -> UndoPreview:
    """Returns what undoing an actor's changes, or those `chosen` of them, would do, without writing."""
    edits = TodoEdits(connection, owner, user)
    undoing, _ = _revert_changes(edits, by, span, chosen)
    return undoing._replace(entries=edits.entries())


def undo_all(
    connection: Connection, owner: Owner, by: ActorFilter, span: Span, chosen: Collection[int], staying: str
) -> int:
    """Reverts the chosen ones of an actor's changes in a preview's range; returns the id of the new change.

    `staying` comes from the preview. Raises ChangeNotFound, NothingToUndo if nothing is left to revert, and
    UndoConflict if there are conflicts that the preview did not show.
    """
    changeset = Changeset(connection, owner)
    undoing, reverted = _revert_changes(changeset, by, span, chosen)
    if not set(chosen) <= {change.row["id"] for change in undoing.changes}:
        raise ChangeNotFound
    if undoing.conflicts and undoing.staying != staying:
        raise UndoConflict(**_bounded("conflicts", undoing.conflicts))
    if not changeset.commit(summary=f"Undid {len(reverted)} change{'s' if len(reverted) > 1 else ''}."):
        raise NothingToUndo
    undone.note(connection, changeset.user, reverted, changeset.change_id)
    return changeset.change_id


def _revert_changes(
    edits: TodoEdits, by: ActorFilter, span: Span, chosen: Collection[int] | None
) -> tuple[UndoPreview, list[int]]:
    """Reverts the chosen ones of an actor's changes, or all if None, newest first. Also returns the reverted ids.

    Looks at up to MAX_CHANGES with up to MAX_ENTRIES. A record that is already as it was before counts as reverted.
    """
    bounds = {"user_id": edits.user.id, **span._asdict(), **by.conditions}
    rows = list(edits.connection.changes_between(**bounds, limit=MAX_CHANGES + 1))
    undos = undone.undone(edits.connection, edits.user, rows)
    reverting = Reverting(edits)
    changes: list[Undoing] = []
    entry_count = seen = 0
    for row in rows[:MAX_CHANGES]:
        entries = [entry for entry in edits.entries_of(row["id"]) if entry.action != "import"]
        entry_count += len(entries)
        if changes and entry_count > MAX_ENTRIES:
            break
        seen += 1
        if entries:
            is_chosen = chosen is None or row["id"] in chosen
            changes.append(Undoing(row, entries, is_chosen, row["id"] in undos))
            if is_chosen:
                reverting.change(row["id"], entries)
    conflicts = reverting.conflicts | _keep_lists(edits)
    since_id = rows[seen - 1]["id"] if seen else span.since_id
    found = UndoPreview(changes, Span(since_id, span.until_id), list(conflicts.values()), len(rows) > seen)
    return found, reverting.reverted


class Reverting:
    """Changes that are being reverted, newest first."""

    def __init__(self, edits: TodoEdits) -> None:
        self.edits = edits
        self.conflicts: dict[Key, JSON] = {}
        self.reverted: list[int] = []  # changes that are reverted in full
        self._newest: dict[Key, int] = {}  # the newest change of a record that has not been reverted

    def change(self, change_id: int, entries: Sequence[Entry]) -> None:
        """Reverts what a change did, except where something newer is in the way."""
        done = [self._entry(change_id, entry) for entry in entries]
        if all(done) and any(step == REVERTED for step in done):
            self.reverted.append(change_id)

    def _entry(self, change_id: int, entry: Entry) -> str:
        """Returns the outcome for an entry, "" if something newer is in the way."""
        if _is_at(self.edits, entry, entry.before):
            return "as it was"
        newest = self._newest.get(entry.key) or self.edits.newest_change_of(entry.key)
        if _has_changed_since(self.edits, entry):
            self.conflicts.setdefault(entry.key, _conflict(entry.key, newest))
            return ""
        _revert(self.edits, entry)
        if newest == change_id:
            self._newest[entry.key] = entry.previous
        return REVERTED


def _has_changed_since(edits: TodoEdits, entry: Entry) -> bool:
    """Whether the record has changed since. A change that was changed back does not count."""
    return not _is_at(edits, entry, entry.after)


def _is_at(edits: TodoEdits, entry: Entry, side: Any) -> bool:
    """Whether the record matches the state before or after its entry."""
    return entry.digest(edits.record(entry.key)) == entry.digest(side)


def _revert(edits: TodoEdits, entry: Entry) -> None:
    """Reverts the record to its state before the change."""
    edits.put("undo", entry.key, entry.reverted(edits.record(entry.key)))


def _keep_lists(edits: TodoEdits) -> dict[Key, JSON]:
    """Discards the reverts of lists that cannot be reverted, and returns the conflicts, by list.

    A list that has to-dos cannot be removed, and one whose name is now taken cannot come back.
    """
    conflicts: dict[Key, JSON] = {}
    for key in edits.edited(LIST):
        if edits.record(key) is None and (todos := edits.todos_of_list(key.id)):
            conflicts[key] = _take_back(edits, key, max(todo.change_id for todo in todos))
    # A list that keeps its name prevents another from getting it back, perhaps one that was checked before.
    nameless = True
    while nameless:
        nameless = False
        for key in edits.edited(LIST):
            listed = edits.record(key)
            if key not in conflicts and isinstance(listed, TodoList) and not lists.can_be(edits, listed):
                conflicts[key] = _take_back(edits, key, edits.newest_change_of(key))
                nameless = True
    return conflicts


def _take_back(edits: TodoEdits, key: Key, change_id: int) -> JSON:
    """Discards the revert of a list and returns the conflict."""
    edits.take_back(key)
    return {"change_id": change_id}


def _conflict(key: Key, change_id: int) -> JSON:
    """Returns the conflict that blocks an undo: the record and its change that is in the way."""
    id_name = KINDS[key.kind].id_name
    return {**({id_name: key.id} if id_name else {}), "change_id": change_id}


def _bounded(name: str, conflicts: list[JSON]) -> JSON:
    """Returns the first MAX_CONFLICTS under `name`, and how many were left out."""
    more = len(conflicts) - MAX_CONFLICTS
    return {name: conflicts[:MAX_CONFLICTS]} | ({f"{name}_left_out": more} if more > 0 else {})
