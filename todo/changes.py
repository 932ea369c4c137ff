"""Changes: made in one transaction, listed, and taken back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson

from todo import contract, users
from todo.actions import FIELDS, perform
from todo.drafts import PROFILE, Draft, Entry, Zone
from todo.errors import ChangeNotFound, NothingToUndo, Refusal, TodoNotFound, UndoConflict
from todo.paging import decode_cursor, encode_cursor
from todo.storage.statements import Connection
from todo.todos import UNSET_PRIORITY, Todo
from todo.users import STORED_TIME, Owner, User, today, utc_now

JSON = dict[str, Any]

MOST_CHARACTERS = contract.API.limit("response_characters") - 1000  # the rest is for what stands around a list
MOST_CONFLICTS = 50
MOST_UNDONE = contract.SITE.limit("undone_changes")
DUPLICATE_TIME = timedelta(seconds=contract.API.limit("duplicate_seconds"))
SHOWN = (*sorted(FIELDS), "url", "url_until", "status")


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
    user = users.lock(connection, owner)
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
    for entry in entries_of(connection, draft.user, change_id):
        if entry.action == "import":
            continue  # what was there before the log is nobody's change to take back
        if _has_moved_on(draft, entry):
            conflicts.append(_conflict(draft, entry))
        else:
            _put_back(draft, entry)
    if conflicts and not force:
        raise UndoConflict(**_bounded("conflicts", conflicts))
    entries = draft.commit(undoes=change_id, summary=f"Undid change {change_id}.")
    if not entries:
        raise UndoConflict(**_bounded("conflicts", conflicts)) if conflicts else NothingToUndo
    skipped = _bounded("skipped", conflicts) if conflicts else {}
    told = _told(entries, MOST_CHARACTERS - _length(skipped))
    return {"change_id": draft.change_id, "undoes": change_id, **told, **skipped}


class By(NamedTuple):
    """Whose changes: those of one kind of actor, of one assistant by its name, or of everybody."""

    actor: str | None = None
    client: str | None = None

    @property
    def conditions(self) -> JSON:
        """Returns what the statements compare with. ChatGPT is known by its name or by its conversations' ids."""
        # No name has a line break in it.
        pattern = "%" if self.client is None else "openai %" if self.client == "ChatGPT" else "\n"
        return {"actor_pattern": self.actor or "%", "client": self.client or "", "client_pattern": pattern}


class Undoing(NamedTuple):
    """What undoing many changes comes to: how many, what to-dos were and will be, and what has changed since."""

    changes: int
    entries: list[Entry]
    conflicts: list[JSON]
    until_id: int  # the newest change that there was
    more: bool  # whether there are older ones that are too many to be undone at once
    change_id: int | None = None


def undo_all(
    connection: Connection, owner: Owner, by: By, since: str, until_id: int | None = None, *, commit: bool
) -> Undoing:
    """Undoes all changes by someone since a local time, the newest first, as one new change. Raises NothingToUndo.

    Without `commit` it is a preview. `until_id` leaves out what came after the preview. What others have changed since
    stays as it is; what is as it was before counts as undone.
    """
    draft = Draft(connection, owner)
    until_id = min(until_id or draft.user.last_change_id, draft.user.last_change_id)
    rows = list(
        connection.changes_before(
            user_id=draft.user.id,
            before_id=until_id + 1,
            from_time=_stored(draft.user, datetime.fromisoformat(since)),
            to_time="~",
            limit=MOST_UNDONE + 1,
            **by.conditions,
        )
    )
    conflicts: dict[int, JSON] = {}
    for row in rows[:MOST_UNDONE]:
        for entry in entries_of(connection, draft.user, row["id"]):
            if entry.action == "import" or _is_at(draft, entry.todo_id, entry.before):
                continue
            if _has_moved_on(draft, entry):
                conflicts[entry.todo_id] = _conflict(draft, entry)
            else:
                _put_back(draft, entry)
    changes = len(rows[:MOST_UNDONE])
    summary = f"Undid {changes} change{'s' if changes > 1 else ''}."
    entries = draft.commit(summary=summary) if commit else draft.entries()
    if commit and not entries:
        raise NothingToUndo
    more, change_id = len(rows) > MOST_UNDONE, draft.change_id if commit else None
    return Undoing(changes, entries, list(conflicts.values()), until_id, more, change_id)


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
            from_time=day_of(user, first_day)[0] if first_day else "",
            to_time=day_of(user, last_day)[1] if last_day else "~",
            **By(actor).conditions,
            limit=limit + 1,
        )
    )
    changes: list[JSON] = []
    room = MOST_CHARACTERS
    for row in rows[:limit]:
        change = _change(user, row, entries_of(connection, user, row["id"]))
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
    for entry in entries_of(draft.connection, draft.user, row["id"]):
        todo = draft.get(entry.todo_id)
        if todo and todo.change_id == row["id"]:
            return todo
    return None


def _has_moved_on(draft: Draft, entry: Entry) -> bool:
    """Whether what the change left is there no more. What was changed and changed back since is where it was."""
    return not _is_at(draft, entry.todo_id, entry.after)


def _is_at(draft: Draft, todo_id: int, side: Todo | Zone | None) -> bool:
    """Whether the to-do, or the time zone, is what a side of an entry says."""
    if todo_id == PROFILE:
        return bool(draft.zone == side)
    todo = draft.get(todo_id)
    assert not isinstance(side, Zone)
    return (todo and _fields(todo)) == (side and _fields(side))


def _put_back(draft: Draft, entry: Entry) -> None:
    """Makes it what it was before the change."""
    if entry.todo_id == PROFILE:
        draft.zone, draft.zone_action = entry.before, "undo"
    else:
        draft.put("undo", entry.todo_id, entry.before)


def _conflict(draft: Draft, entry: Entry) -> JSON:
    """Returns what is in the way of undoing an entry: the newest change of its to-do."""
    newest = draft.connection.newest_change_of(user_id=draft.user.id, todo_id=entry.todo_id)["change_id"]
    return {"id": entry.todo_id, "change_id": newest} if entry.todo_id else {"change_id": newest}


def _todo(draft: Draft, todo_id: int) -> Todo:
    todo = draft.get(todo_id)
    if todo is None:
        raise TodoNotFound
    return todo


def entries_of(connection: Connection, user: User, change_id: int) -> list[Entry]:
    """Returns what a change did to each to-do."""
    return [Entry.from_row(row) for row in connection.entries_of_change(user_id=user.id, change_id=change_id)]


def day_of(user: User, day: str) -> tuple[str, str]:
    """Returns when a day of the user starts and when the next one does, as times are stored."""
    start = datetime.fromisoformat(day)
    return _stored(user, start), _stored(user, start + timedelta(days=1))


def _stored(user: User, local: datetime) -> str:
    """Returns a local time of the user as times are stored."""
    return local.replace(tzinfo=ZoneInfo(user.time_zone)).astimezone(ZoneInfo("UTC")).strftime(STORED_TIME)


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


def differing(entry: Entry) -> list[tuple[str, Any, Any]]:
    """Returns the fields of a to-do that differ, each with its value before and after; None is unset."""
    before, after = (_fields(side) if side else {} for side in (entry.before, entry.after))
    pairs = [(name, before.get(name), after.get(name)) for name in SHOWN]
    return [(name, was, shall_be) for name, was, shall_be in pairs if was != shall_be]


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
