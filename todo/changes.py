"""Changes: made in one transaction, listed, and taken back."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from todo import contract, users
from todo.actions import FIELDS, perform
from todo.drafts import PROFILE, Draft, Entry
from todo.errors import ChangeNotFound, NothingToUndo, Refusal, TodoNotFound, UndoConflict
from todo.paging import decode_cursor, encode_cursor
from todo.storage.statements import Connection
from todo.todos import UNSET_PRIORITY, Todo
from todo.users import STORED_TIME, Owner, User, today, utc_now

JSON = dict[str, Any]

MOST_CHARACTERS = contract.API.limit("response_characters") - 1000  # the rest is for what stands around a list
MOST_CONFLICTS = 50
DUPLICATE_TIME = timedelta(seconds=contract.API.limit("duplicate_seconds"))
SHOWN = (*sorted(FIELDS), "status")


def act(connection: Connection, owner: Owner, action: JSON) -> JSON:
    """Does one action and returns its to-do. Raises what the action raises, and QuotaExceeded."""
    draft = Draft(connection, owner)
    todo_id = perform(draft, action)
    draft.commit()
    return _todo(draft, todo_id).to_json(draft.user.local_now())


def add(connection: Connection, owner: Owner, action: JSON, fingerprint: str | None) -> JSON:
    """Returns the new to-do, or, marked as such, the one that the same caller added with the same words just before."""
    draft = Draft(connection, owner)
    twin = _twin(draft, fingerprint) if fingerprint else None
    if twin:
        return {**twin.to_json(draft.user.local_now()), "deduplicated": True}
    todo_id = perform(draft, action)
    draft.commit(fingerprint=fingerprint)
    return _todo(draft, todo_id).to_json(draft.user.local_now())


def delete_at(connection: Connection, owner: Owner, place: int) -> JSON:
    """Returns the open to-do at `place`, from 0 in the default order, moved to the trash. Raises TodoNotFound."""
    user = users.open_list(connection, owner)
    row = connection.open_todo_at(user_id=user.id, place=place)
    if row is None:
        raise TodoNotFound
    return act(connection, owner, {"action": "delete", "id": row["id"]})


def apply(connection: Connection, owner: Owner, actions: Sequence[JSON]) -> JSON:
    """Does all actions in order and returns their to-dos, or none: a refusal names the position of its action."""
    draft = Draft(connection, owner)
    todo_ids = []
    for position, action in enumerate(actions):
        try:
            todo_ids.append(perform(draft, action))
        except Refusal as refusal:
            raise refusal.at(f"actions.{position}") from None
    changed = {"change_id": draft.change_id} if draft.commit() else {}
    now = draft.user.local_now()
    return changed | _within_limit([_todo(draft, todo_id).to_listed(now) for todo_id in todo_ids])


def undo(connection: Connection, owner: Owner, change_id: int, *, force: bool) -> JSON:
    """Undoes a change by a new one and returns that. Raises ChangeNotFound, NothingToUndo and UndoConflict."""
    draft = Draft(connection, owner)
    if connection.change_by_id(user_id=draft.user.id, id=change_id) is None:
        raise ChangeNotFound
    conflicts = []
    for entry in _entries(connection, draft.user, change_id):
        if entry.action == "import":
            continue  # what was there before the log is nobody's change to take back
        if _has_moved_on(draft, entry):
            newest = connection.newest_change_of(user_id=draft.user.id, todo_id=entry.todo_id)["change_id"]
            conflicts.append({"id": entry.todo_id, "change_id": newest} if entry.todo_id else {"change_id": newest})
        elif entry.todo_id == PROFILE:
            draft.zone = entry.before
        else:
            draft.put("undo", entry.todo_id, entry.before)
    if conflicts and not force:
        raise UndoConflict(**_bounded("conflicts", conflicts))
    entries = draft.commit(undoes=change_id)
    if not entries:
        raise UndoConflict(**_bounded("conflicts", conflicts)) if conflicts else NothingToUndo
    skipped = _bounded("skipped", conflicts) if conflicts else {}
    told = _told(entries, MOST_CHARACTERS - _length(skipped))
    return {"change_id": draft.change_id, "undoes": change_id, **told, **skipped}


def page(
    connection: Connection,
    owner: Owner,
    actor: str | None,
    first_day: str | None,
    last_day: str | None,
    limit: int,
    cursor: str | None,
) -> JSON:
    """Returns one page of changes, newest first, by days of the owner. Raises InvalidRequest for a wrong cursor."""
    user = users.find(connection, owner)
    (before_id,) = decode_cursor(cursor, "changes", [2**31])
    rows = list(
        connection.changes_before(
            user_id=user.id,
            before_id=before_id,
            from_time=_start_of_day(user, first_day, 0) if first_day else "",
            to_time=_start_of_day(user, last_day, 1) if last_day else "~",
            actor_pattern=actor or "%",
            limit=limit + 1,
        )
    )
    changes: list[JSON] = []
    room = MOST_CHARACTERS
    for row in rows[:limit]:
        change = _change(user, row, _entries(connection, user, row["id"]))
        room -= _length(change)
        if room < 0:
            break
        changes.append(change)
    answer = {"changes": changes, "returned": len(changes), "today": today(user.local_now())}
    more = len(changes) < len(rows)
    return answer | ({"next_cursor": encode_cursor("changes", [changes[-1]["id"]])} if more else {})


def _twin(draft: Draft, fingerprint: str) -> Todo | None:
    """Returns the to-do that the same request added a moment ago, if nothing has happened to it since."""
    row = draft.connection.twin_of(
        user_id=draft.user.id,
        since=utc_now(-DUPLICATE_TIME),
        fingerprint=fingerprint,
    )
    if row is None:
        return None
    for entry in _entries(draft.connection, draft.user, row["id"]):
        todo = draft.get(entry.todo_id)
        if todo and todo.change_id == row["id"]:
            return todo
    return None


def _has_moved_on(draft: Draft, entry: Entry) -> bool:
    """Whether what the change left is there no more. What was changed and changed back since is where it was."""
    if entry.todo_id == PROFILE:
        return bool(draft.old_zone != entry.after)
    todo = draft.get(entry.todo_id)
    return (todo and _fields(todo)) != (entry.after and _fields(entry.after))


def _todo(draft: Draft, todo_id: int) -> Todo:
    todo = draft.get(todo_id)
    if todo is None:
        raise TodoNotFound
    return todo


def _entries(connection: Connection, user: User, change_id: int) -> list[Entry]:
    return [Entry.from_row(row) for row in connection.entries_of_change(user_id=user.id, change_id=change_id)]


def _start_of_day(user: User, day: str, days_later: int) -> str:
    """Returns when a day of the user starts, as times are stored."""
    date = datetime.fromisoformat(day).date() + timedelta(days=days_later)
    start = datetime.combine(date, time(), ZoneInfo(user.time_zone))
    return start.astimezone(ZoneInfo("UTC")).strftime(STORED_TIME)


def _change(user: User, row: Any, entries: list[Entry]) -> JSON:
    """Returns a change as a caller sees it, in the user's local time and within what one answer may hold."""
    at = datetime.strptime(row["at"], STORED_TIME).replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(user.time_zone))
    change: JSON = {"id": row["id"], "at": f"{at:%Y-%m-%dT%H:%M:%S}", "actor": row["actor"]}
    if row["client"]:
        change["client"] = row["client"]
    change["summary"] = row["summary"]
    if row["undoes"]:
        change["undoes"] = row["undoes"]
    return change | _told(entries, MOST_CHARACTERS - _length(change))


def _told(entries: list[Entry], room: int) -> JSON:
    """Returns what happened to each to-do and to the time zone, and how many to-dos there was no room for."""
    told: JSON = {"todos": []}
    left_out = 0
    for entry in entries:
        if entry.todo_id == PROFILE:
            sides = (("before", entry.before), ("after", entry.after))
            told["time_zone"] = {name: zone.time_zone or users.FALLBACK_ZONE for name, zone in sides}
            continue
        happened = _happened(entry)
        room -= _length(happened) + 40
        if room < 0:
            left_out += 1
        else:
            told["todos"].append(happened)
    return told | ({"left_out": left_out} if left_out else {})


def _happened(entry: Entry) -> JSON:
    before, after = (_fields(side) if side else None for side in (entry.before, entry.after))
    told: JSON = {"id": entry.todo_id, "todo": (entry.after or entry.before).todo, "action": entry.action}
    if before is None or after is None:
        present = {name: value for name, value in (before or after or {}).items() if value is not None}
        return told | {"before" if after is None else "after": present}
    differing = [name for name in SHOWN if before[name] != after[name]]
    return told | {"before": {n: before[n] for n in differing}, "after": {n: after[n] for n in differing}}


def _fields(todo: Todo) -> JSON:
    """Returns the fields that a person cares about, None where unset."""
    unset = {UNSET_PRIORITY, ()}
    values = {name: getattr(todo, name) for name in SHOWN}
    return {
        name: None if value in unset else list(value) if name == "tags" else value for name, value in values.items()
    }


def _within_limit(shown: list[JSON]) -> JSON:
    """Returns the to-dos without their notes and tags, and says so, where the answer would be too long with them."""
    if _length(shown) <= MOST_CHARACTERS:
        return {"todos": shown}
    left_out = ["notes", "tags"]
    return {
        "todos": [{name: value for name, value in todo.items() if name not in left_out} for todo in shown],
        "left_out": left_out,
    }


def _bounded(name: str, conflicts: list[JSON]) -> JSON:
    """Returns the first conflicts under `name`, and how many more there are."""
    more = len(conflicts) - MOST_CONFLICTS
    return {name: conflicts[:MOST_CONFLICTS]} | ({f"{name}_left_out": more} if more > 0 else {})


def _length(value: Any) -> int:
    return len(orjson.dumps(value).decode())
