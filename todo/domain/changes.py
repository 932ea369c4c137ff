"""Changes to a list: each made in one transaction, and listed. For undo see undo.py."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from todo.contract import API
from todo.domain import additions, recent_adds, users
from todo.domain.actions import perform, tell_notes
from todo.domain.actors import ActorFilter
from todo.domain.changeset import Changeset
from todo.domain.entries import MAX_TITLE, Diff, Entry
from todo.domain.excerpts import shortened
from todo.domain.kinds.profiles import PROFILE
from todo.domain.kinds.todos import TODO
from todo.domain.list_names import INBOX_ID, names_of
from todo.domain.paging import decode_cursor, encode_cursor
from todo.domain.todos import Todo
from todo.domain.users import Owner, User, today
from todo.errors import Refusal, TodoNotFound
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_SHOWN = 1500  # entries of a change that are read to be shown; fewer fit in a response
MAX_CHARACTERS = API.limit("response_characters") - 1000  # the rest is for the JSON around the list
ALWAYS_TOLD: list[str] = API.schema("Todo")["required"]


def act(connection: Connection, owner: Owner, action: JSON) -> JSON:
    """Performs one action and returns its to-do. Raises the action's errors, QuotaExceeded and StorageFull."""
    changeset = Changeset(connection, owner)
    todo_id = perform(changeset, action)
    changeset.commit()
    return answer_of(changeset, todo_id)


def add(connection: Connection, owner: Owner, action: JSON, fingerprint: str | None) -> JSON:
    """Adds a to-do and returns it. If the same request was just made, returns its to-do, with `deduplicated`."""
    plain = additions.add(connection, owner, action, fingerprint)
    return plain or add_by_changeset(connection, owner, action, fingerprint)


def add_by_changeset(connection: Connection, owner: Owner, action: JSON, fingerprint: str | None) -> JSON:
    """Adds a to-do, or returns a duplicate, as `add` does."""
    changeset = Changeset(connection, owner)
    duplicate = _find_duplicate(changeset, fingerprint) if fingerprint else None
    if duplicate:
        tell_notes(changeset, duplicate, action)
        return {**answer_of(changeset, duplicate.id), "deduplicated": True}
    todo_id = perform(changeset, action)
    changeset.commit(fingerprint=fingerprint)
    return answer_of(changeset, todo_id)


def delete_at(connection: Connection, owner: Owner, place: int) -> JSON:
    """Deletes the open to-do at `place`, from 0 in the default order, and returns it. Raises TodoNotFound."""
    user = users.lock(connection, owner)
    row = connection.open_todo_at(user_id=user.id, place=place)
    if row is None:
        raise TodoNotFound
    return act(connection, owner, {"action": "delete", "id": row["id"]})


def apply(connection: Connection, owner: Owner, actions: Sequence[JSON]) -> JSON:
    """Performs all actions in order, or none, and returns their to-dos. Errors name the position of the action."""
    changeset = Changeset(connection, owner)
    todo_ids = []
    for position, action in enumerate(actions):
        try:
            todo_ids.append(perform(changeset, action))
        except Refusal as refusal:
            raise refusal.at(f"actions.{position}") from None
    changed = {"change_id": changeset.change_id} if changeset.commit() else {}
    todos = [_todo(changeset, todo_id) for todo_id in todo_ids]
    lists = names_of(connection, changeset.user, (todo.list_id for todo in todos))
    last = {todo_id: position for position, todo_id in enumerate(todo_ids)}
    return changed | _within_limit(
        [
            todo.to_listed(changeset.user, lists, connection.public_url)
            # What an answer says beyond the fields stands once, with the last action about the to-do.
            | (changeset.answers.about(todo.id) if last[todo.id] == position else {})
            for position, todo in enumerate(todos)
        ]
    )


def action_conditions(action: str | None) -> JSON:
    """Returns the SQL parameters of a filter for changes by kind of action."""
    return {"any_action": action is None, "action": action or "", "actions_pattern": f"% {action} %"}


def page(
    connection: Connection,
    owner: Owner,
    filters: JSON,
    limit: int,
    cursor: str | None,
    *,
    in_full: bool = True,
) -> JSON:
    """Returns one page of changes, newest first, in full or their summaries. Raises InvalidRequest for a bad cursor.

    `filters` has those that are set: `actor`, `action`, and the owner's local days `from_day` and `to_day`.
    """
    user = users.find(connection, owner)
    (before_id,) = decode_cursor(cursor, "changes", [2**31])
    rows = list(
        connection.changes_before(
            user_id=user.id,
            before_id=before_id,
            from_time=user.day(filters["from_day"])[0] if "from_day" in filters else "",
            to_time=user.day(filters["to_day"])[1] if "to_day" in filters else "~",
            **ActorFilter(filters.get("actor")).conditions,
            **action_conditions(filters.get("action")),
            limit=limit + 1,
        )
    )
    changes: list[JSON] = []
    room = MAX_CHARACTERS
    for row in rows[:limit]:
        change = _change(connection, user, row) if in_full else _brief(user, row)
        room -= length(change)
        if room < 0:
            break
        changes.append(change)
    answer = {"changes": changes, "returned": len(changes), "today": today(user.local_now())}
    more = len(changes) < len(rows)
    return answer | ({"next_cursor": encode_cursor("changes", changes[-1]["id"])} if more else {})


def _find_duplicate(changeset: Changeset, fingerprint: str) -> Todo | None:
    """Returns the to-do that the same request added just before, if it is unchanged since."""
    add = recent_adds.find(changeset.recent_adds, fingerprint)
    todo = changeset.get(add.todo_id) if add else None
    return todo if add and todo and todo.change_id == add.change_id else None


def answer_of(changeset: Changeset, todo_id: int) -> JSON:
    """Returns the to-do after the change as JSON, with the extra fields of the answer."""
    todo = _todo(changeset, todo_id)
    lists = names_of(changeset.connection, changeset.user, [todo.list_id])
    return todo.to_json(changeset.user, lists, changeset.connection.public_url) | changeset.answers.about(todo_id)


def _todo(changeset: Changeset, todo_id: int) -> Todo:
    todo = changeset.get(todo_id)
    if todo is None:
        raise TodoNotFound
    return todo


def _brief(user: User, row: Any) -> JSON:
    """Returns a change as JSON without its to-dos, in the user's local time."""
    at = datetime.fromisoformat(row["at"]).astimezone(ZoneInfo(user.time_zone))
    told = {name: row[name] for name in ("actor", "summary")}
    return {"id": row["id"], "at": f"{at:%Y-%m-%dT%H:%M:%S}", **told}


def _change(connection: Connection, user: User, row: Any) -> JSON:
    """Returns a change as JSON, in the user's local time and within the response limit."""
    change = _brief(user, row)
    if row["client"]:
        change["client"] = row["client"]
    if row["undoes"]:
        change["undoes"] = row["undoes"]
    which = {"user_id": user.id, "change_id": row["id"]}
    rows = connection.first_entries_of_change(**which, limit=MAX_SHOWN)
    more = connection.count_entries_of_change(**which)["total"] - MAX_SHOWN if len(rows) == MAX_SHOWN else 0
    entries = [Entry.from_row(entry) for entry in rows]
    return change | entries_json(connection, user, entries, MAX_CHARACTERS - length(change), left_out=more)


def entries_json(connection: Connection, user: User, entries: list[Entry], room: int, *, left_out: int = 0) -> JSON:
    """Returns the entries as JSON within `room` characters, and the number left out, to which `left_out` is added."""
    answer: JSON = {"todos": []}
    names = names_of(connection, user, list_ids_in(entries))
    for entry in entries:
        if entry.key.kind == PROFILE:
            answer |= _profile_json(entry)
            continue
        if room < 0 and not entry.kind.never_cut:
            left_out += 1
            continue
        described = _entry_json(entry, names, connection.public_url)
        room -= length(described) + 40
        if room < 0 and not entry.kind.never_cut:
            left_out += 1
        else:
            answer.setdefault(entry.kind.listed_as, []).append(described)
    return answer | ({"left_out": left_out} if left_out else {})


def list_ids_in(entries: Iterable[Entry]) -> set[int]:
    """Returns the ids of the lists that the to-dos of the entries were in, before or after."""
    sides = [side for entry in entries if entry.key.kind == TODO for side in (entry.before, entry.after)]
    found = (side.values.get("list_id") if isinstance(side, Diff) else side.list_id for side in sides if side)
    return {list_id for list_id in found if list_id is not None}


def _profile_json(entry: Entry) -> JSON:
    """Returns what differs in the profile, by name, before and after; an unset first day of the week is absent."""
    sides = {"before": entry.before.values, "after": entry.after.values}
    described: JSON = {}
    if "time_zone_guessed" in entry.after.values or "time_zone" in entry.after.values:
        zones = {name: values.get("time_zone", entry.title) for name, values in sides.items()}
        described["time_zone"] = {name: zone or users.FALLBACK_ZONE for name, zone in zones.items()}
    if "week_start" in entry.after.values:
        described["week_start"] = {name: values["week_start"] for name, values in sides.items() if values["week_start"]}
    return described


def _entry_json(entry: Entry, names: Mapping[int, str], public_url: str) -> JSON:
    described: JSON = {"action": entry.action, **entry.kind.named(entry.key.id, entry.title)}
    if entry.before is None or entry.after is None:
        fields = entry.visible(entry.before or entry.after)
        unset = (None, INBOX_ID) if entry.key.kind == TODO else (None,)
        present = {name: value for name, value in fields.items() if value not in unset}
        present = _shown(entry, present, names, public_url)
        return described | {"before" if entry.after is None else "after": present}
    differing = list(entry.differences())
    return described | {
        "before": _shown(entry, {name: before for name, before, _ in differing}, names, public_url),
        "after": _shown(entry, {name: after for name, _, after in differing}, names, public_url),
    }


def _shown(entry: Entry, fields: JSON, names: Mapping[int, str], public_url: str) -> JSON:
    """Returns the visible fields with the name of the list in place of its id, without those that are never shown."""
    told = {name: value for name, value in fields.items() if name not in entry.kind.silent}
    shown = entry.kind.with_addresses(told, public_url)
    return {**shown, "list": names[shown["list"]]} if entry.key.kind == TODO and "list" in shown else shown


def _within_limit(listed: list[JSON]) -> JSON:
    """Returns the to-dos; if they exceed the response limit, without their long fields, named in `left_out`.

    If that is not enough, each keeps only its required fields and the beginning of its text.
    """
    if length(listed) <= MAX_CHARACTERS:
        return {"todos": listed}
    left_out = ["notes", "tags", "steps"]
    shorter = [{name: value for name, value in todo.items() if name not in left_out} for todo in listed]
    if length(shorter) > MAX_CHARACTERS:
        left_out = ["todo", *sorted({name for todo in listed for name in todo} - {*ALWAYS_TOLD})]
        told = [{name: todo[name] for name in ALWAYS_TOLD} for todo in listed]
        shorter = [{**todo, "todo": shortened(todo["todo"], MAX_TITLE)} for todo in told]
    return {"todos": shorter, "left_out": left_out}


def length(value: Any) -> int:
    return len(orjson.dumps(value).decode())
