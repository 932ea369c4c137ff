"""Bulk changes: one action for all to-dos that match a filter, as one change."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from todo.contract import API
from todo.domain import listing, users
from todo.domain.actions import fields_of, perform, updated, what_changes
from todo.domain.changeset import Changeset
from todo.domain.due_dates import YEARS
from todo.domain.entries import Entry
from todo.domain.excerpts import shortened
from todo.domain.kinds.todos import TODO
from todo.domain.todos import Folded, Todo
from todo.domain.users import DAY, Owner
from todo.errors import InvalidRequest, Refusal, TooManyMatching, UnexpectedCount
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_MATCHING = API.limit("matching_todos")
MAX_NAMED = API.limit("matching_named")
MAX_TITLE = 60  # characters of a to-do's text that identify it, so that ten are below 4 KiB
# What a request has besides the fields of update.
ABOUT = {"filter", "action", "expect", "dry_run"}
# The fields that change something, beside shift_days.
FIELDS = [
    name
    for name in API.schema("MatchingChange")["properties"]
    if name not in {*ABOUT, "shift_days", "create_list", "request_id"}
]
STATUSES = {"reopen": "done", "restore": "deleted"}  # that a filter without one has, by action


class Outdated(Exception):
    """The list has changed since the matching to-dos were found."""


class Matching(NamedTuple):
    """The to-dos that matched at one version of a list, up to MAX_MATCHING, or the reason to refuse the filter."""

    version: tuple[int, int]
    matched: int = 0
    ids: Sequence[int] = ()
    named: Sequence[JSON] = ()
    refusal: Refusal | None = None


def check(wanted: JSON) -> None:
    """Raises InvalidRequest for mistakes in a request that do not depend on the list's contents."""
    action, status = wanted["action"], wanted["filter"].get("status")
    given = wanted.keys() - ABOUT
    if not _filters(wanted):
        raise InvalidRequest.of("filter", f"is required for {action}, with a value in it, such as when: overdue")
    if status and (status == "deleted") != (action == "restore"):
        restored, others = "deleted, or left out, for restore", "open, done or all, unless action is restore"
        raise InvalidRequest.of("filter.status", f"must be {restored if action == 'restore' else others}")
    if action != "update" and given:
        raise InvalidRequest.of(min(given), f"does not apply to {action}; leave it out")
    if action == "update" and not given - {"create_list"}:
        fields = ", ".join(FIELDS)
        raise InvalidRequest.of("shift_days", f"is required for update, unless another field is given: {fields}")
    if "shift_days" in wanted and ("due" in wanted or "due" in wanted.get("clear", ())):
        raise InvalidRequest.of("shift_days", "cannot come with due, which says the new date; send one of the two")
    what_changes(wanted)
    if "expect" not in wanted and not wanted.get("dry_run"):
        cure = "call with dry_run: true first and send matched of the answer"
        raise InvalidRequest.of("expect", f"is required for any change, the number of to-dos that match; {cure}")


def preview(connection: Connection, owner: Owner, wanted: JSON) -> JSON:
    """Returns what would match, without changing anything. Raises ListNotFound and TooManyMatching."""
    found = find(connection, owner, wanted)
    _require(found, found.matched)
    return {"matched": found.matched, "changed": 0, "todos": found.named}


def find(connection: Connection, owner: Owner, wanted: JSON) -> Matching:
    """Returns the matching to-dos. It is a read of its own, because a search may take long and writes must not wait."""
    user = users.find(connection, owner)
    filters = _filters(wanted)
    status = filters.pop("status", None) or STATUSES.get(wanted["action"]) or listing.default_status(filters)
    try:
        conditions = {
            "user_id": user.id,
            "status": status,
            **listing.conditions_of(connection, user, user.local_now(), filters),
        }
    except Refusal as refusal:
        return Matching(user.version, refusal=refusal.at("filter"))
    variant = listing.filtered_variant(user, status, filters, conditions)
    rows = getattr(connection, f"matching_{variant}")(**conditions, limit=MAX_MATCHING + 1)
    matched = len(rows)
    if matched > MAX_MATCHING:
        matched = getattr(connection, f"total_{variant}")(**conditions)["total"]
    named = [{"id": row["id"], "todo": shortened(row["todo"], MAX_TITLE)} for row in rows[:MAX_NAMED]]
    return Matching(user.version, matched, [row["id"] for row in rows], named)


def change(connection: Connection, owner: Owner, wanted: JSON, *, found: Matching) -> JSON:
    """Changes the to-dos that were found, and returns their number. Raises Outdated, and what the action raises.

    Also raises ListNotFound, TooManyMatching, UnexpectedCount, QuotaExceeded and StorageFull.
    """
    changeset = Changeset(connection, owner)
    is_new = found.version[0] == 0 and not changeset.user.last_change_id
    if found.version != changeset.user.version and not is_new:
        raise Outdated
    _require(found, wanted["expect"])
    todos = _take(changeset, found.ids)
    if wanted["action"] == "update":
        _update(changeset, todos, wanted)
    else:
        for todo in todos:
            perform(changeset, {"action": wanted["action"], "id": todo.id})
    return _answer(changeset, found, changeset.commit())


def _filters(wanted: JSON) -> JSON:
    return {name: value for name, value in wanted["filter"].items() if value is not None}


def _require(found: Matching, expected: int) -> None:
    if found.refusal:
        raise found.refusal
    if found.matched > MAX_MATCHING:
        raise TooManyMatching(found.matched, list(found.named))
    if found.matched != expected:
        raise UnexpectedCount(found.matched, list(found.named))


def _take(changeset: Changeset, ids: Sequence[int]) -> list[Todo]:
    """Returns the to-dos, loaded in one go. Raises Outdated if one has been removed for good since."""
    which = {"user_id": changeset.user.id, "ids": ",".join(map(str, ids))}
    rows = changeset.connection.todos_by_ids(**which) if ids else []
    if len(rows) != len(ids):
        raise Outdated
    changeset.take_todos(rows)
    changeset.folded = {row["id"]: Folded(row["search_text"], row["tag_keys"]) for row in rows}
    return [todo for row in rows if (todo := changeset.get(row["id"]))]


def _update(changeset: Changeset, todos: Sequence[Todo], wanted: JSON) -> None:
    """Updates the to-dos as update_todo would. Raises InvalidRequest, which names the one that cannot be updated."""
    days = wanted.get("shift_days", 0)
    changed = what_changes({name: value for name, value in wanted.items() if name not in {*ABOUT, "shift_days"}})
    fields = fields_of(changeset, changed) if todos else {}
    for todo in todos:
        try:
            due = {"due": _shifted(todo.due, days)} if days and todo.due else {}
            edited = updated(changeset, todo, changed, fields | due)
        except InvalidRequest as refusal:
            for error in refusal.members["errors"]:
                error["message"] += f"; this is about the to-do with id {todo.id}"
            raise
        changeset.edit("update", edited)
        folded = changeset.folded.pop(todo.id).with_end_of(todo, edited)
        if folded and edited.notes == todo.notes:
            changeset.folded[todo.id] = folded


def _shifted(due: str, days: int) -> str:
    """Returns the due date so many days later, at the same time of day. Raises InvalidRequest."""
    day = datetime.fromisoformat(due[:DAY]) + timedelta(days=days)
    if day.year not in YEARS:
        raise InvalidRequest.of("shift_days", f"would make due a day outside of {YEARS.start} to {YEARS.stop - 1}")
    return f"{day:%Y-%m-%d}{due[DAY:]}"


def _answer(changeset: Changeset, found: Matching, entries: Sequence[Entry]) -> JSON:
    entries_of_todos = [entry for entry in entries if entry.key.kind == TODO]
    added = sum(entry.before is None for entry in entries_of_todos)
    answer: JSON = {"change_id": changeset.change_id} if entries else {}
    answer |= {"matched": found.matched, "changed": len(entries_of_todos) - added, "todos": found.named}
    return answer | ({"next_added": added} if added else {})
