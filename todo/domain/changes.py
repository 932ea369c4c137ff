"""Changes to a list: made in one transaction each, and listed. For undo see undo.py."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson

from todo.contract import API
from todo.domain import recent_adds, steps, users
from todo.domain.actions import perform
from todo.domain.changeset import Changeset
from todo.domain.entries import Diff, Entry
from todo.domain.list_names import INBOX_ID, names_of
from todo.domain.paging import decode_cursor, encode_cursor
from todo.domain.records import LIST, PROFILE, TODO
from todo.domain.todos import Todo
from todo.domain.users import STORED_TIME, Owner, User, today
from todo.errors import Refusal, TodoNotFound
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_CHARACTERS = API.limit("response_characters") - 1000  # the rest is for the JSON around the list


def act(connection: Connection, owner: Owner, action: JSON) -> JSON:
    """Performs one action and returns its to-do. Raises the action's errors, QuotaExceeded and StorageFull."""
    changeset = Changeset(connection, owner)
    todo_id = perform(changeset, action)
    changeset.commit()
    return _todo_json(changeset, todo_id) | _told(action, _todo(changeset, todo_id))


def add(connection: Connection, owner: Owner, action: JSON, fingerprint: str | None) -> JSON:
    """Adds a to-do and returns it. If the same request was made just before, returns that to-do, `deduplicated`."""
    changeset = Changeset(connection, owner)
    duplicate = _find_duplicate(changeset, fingerprint) if fingerprint else None
    if duplicate:
        return {**_todo_json(changeset, duplicate.id), "deduplicated": True}
    todo_id = perform(changeset, action)
    changeset.commit(fingerprint=fingerprint)
    return _todo_json(changeset, todo_id)


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
    now = changeset.user.local_now()
    todos = [_todo(changeset, todo_id) for todo_id in todo_ids]
    lists = names_of(connection, changeset.user, (todo.list_id for todo in todos))
    return changed | _within_limit(
        [todo.to_listed(now, lists) | _told(action, todo) for todo, action in zip(todos, actions, strict=True)]
    )


class ActorFilter(NamedTuple):
    """A filter for changes: by kind of actor, by one assistant's name, or none."""

    actor: str | None = None
    client: str | None = None

    @property
    def conditions(self) -> JSON:
        """Returns the SQL parameters. ChatGPT's changes carry its name or an id of its conversations."""
        # No client name contains a line break.
        pattern = "%" if self.client is None else "openai %" if self.client == "ChatGPT" else "\n"
        return {"actor_pattern": self.actor or "%", "client": self.client or "", "client_pattern": pattern}


def page(
    connection: Connection,
    owner: Owner,
    actor: str | None,
    first_day: str | None,
    last_day: str | None,
    limit: int,
    cursor: str | None,
) -> JSON:
    """Returns one page of changes, newest first, by the owner's local days. Raises InvalidRequest for a bad cursor."""
    user = users.find(connection, owner)
    (before_id,) = decode_cursor(cursor, "changes", [2**31])
    rows = list(
        connection.changes_before(
            user_id=user.id,
            before_id=before_id,
            from_time=day_of(user, first_day)[0] if first_day else "",
            to_time=day_of(user, last_day)[1] if last_day else "~",
            **ActorFilter(actor).conditions,
            limit=limit + 1,
        )
    )
    changes: list[JSON] = []
    room = MAX_CHARACTERS
    for row in rows[:limit]:
        change = _change(connection, user, row)
        room -= length(change)
        if room < 0:
            break
        changes.append(change)
    answer = {"changes": changes, "returned": len(changes), "today": today(user.local_now())}
    more = len(changes) < len(rows)
    return answer | ({"next_cursor": encode_cursor("changes", [changes[-1]["id"]])} if more else {})


def _told(action: JSON, todo: Todo) -> JSON:
    """Returns what the answer to an action says beside the to-do."""
    still_open = steps.count_open(todo.steps) if action["action"] == "complete" else 0
    return {"open_steps": still_open} if still_open else {}


def _find_duplicate(changeset: Changeset, fingerprint: str) -> Todo | None:
    """Returns the to-do that the same request added just before, if it is unchanged since."""
    add = recent_adds.find(changeset.recent_adds, fingerprint)
    todo = changeset.get(add.todo_id) if add else None
    return todo if add and todo and todo.change_id == add.change_id else None


def _todo(changeset: Changeset, todo_id: int) -> Todo:
    todo = changeset.get(todo_id)
    if todo is None:
        raise TodoNotFound
    return todo


def _todo_json(changeset: Changeset, todo_id: int) -> JSON:
    todo = _todo(changeset, todo_id)
    lists = names_of(changeset.connection, changeset.user, [todo.list_id])
    return todo.to_json(changeset.user.local_now(), lists)


def entries_of(connection: Connection, user: User, change_id: int) -> list[Entry]:
    """Returns the log entries of a change, one for each to-do."""
    return [Entry.from_row(row) for row in connection.entries_of_change(user_id=user.id, change_id=change_id)]


def day_of(user: User, day: str) -> tuple[str, str]:
    """Returns the start of the user's local day and of the next, as stored: UTC, to the second."""
    start = datetime.fromisoformat(day)
    return to_utc(user, start), to_utc(user, start + timedelta(days=1))


def to_utc(user: User, local: datetime) -> str:
    """Returns the user's local time as stored: UTC, to the second."""
    return local.replace(tzinfo=ZoneInfo(user.time_zone)).astimezone(ZoneInfo("UTC")).strftime(STORED_TIME)


def _change(connection: Connection, user: User, row: Any) -> JSON:
    """Returns a change as JSON, in the user's local time and within the response limit."""
    at = datetime.strptime(row["at"], STORED_TIME).replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(user.time_zone))
    change: JSON = {"id": row["id"], "at": f"{at:%Y-%m-%dT%H:%M:%S}", "actor": row["actor"]}
    if row["client"]:
        change["client"] = row["client"]
    change["summary"] = row["summary"]
    if row["undoes"]:
        change["undoes"] = row["undoes"]
    entries = entries_of(connection, user, row["id"])
    return change | entries_json(connection, user, entries, MAX_CHARACTERS - length(change))


def entries_json(connection: Connection, user: User, entries: list[Entry], room: int) -> JSON:
    """Returns the entries as JSON, within `room` characters, and how many to-dos were left out."""
    answer: JSON = {"todos": []}
    left_out = 0
    names = names_of(connection, user, list_ids_in(entries))
    for entry in entries:
        if entry.key.kind == PROFILE:
            sides = (("before", entry.before), ("after", entry.after))
            zones = {name: side.values.get("time_zone", entry.title) for name, side in sides}
            answer["time_zone"] = {name: zone or users.FALLBACK_ZONE for name, zone in zones.items()}
            continue
        described = _entry_json(entry, names)
        room -= length(described) + 40
        if entry.key.kind == LIST:
            answer.setdefault("lists", []).append(described)
        elif room < 0:
            left_out += 1
        else:
            answer["todos"].append(described)
    return answer | ({"left_out": left_out} if left_out else {})


def list_ids_in(entries: Iterable[Entry]) -> set[int]:
    """Returns the ids of the lists that to-dos were in, before or after."""
    sides = [side for entry in entries if entry.key.kind == TODO for side in (entry.before, entry.after)]
    found = (side.values.get("list_id") if isinstance(side, Diff) else side.list_id for side in sides if side)
    return {list_id for list_id in found if list_id is not None}


def _entry_json(entry: Entry, names: Mapping[int, str]) -> JSON:
    described: JSON = {"action": entry.action}
    described |= {"name": entry.title} if entry.key.kind == LIST else {"id": entry.key.id, "todo": entry.title}
    if entry.before is None or entry.after is None:
        fields = entry.visible(entry.before or entry.after)
        present = _shown({name: value for name, value in fields.items() if value not in (None, INBOX_ID)}, names)
        return described | {"before" if entry.after is None else "after": present}
    differing = list(entry.differences())
    return described | {
        "before": _shown({name: before for name, before, _ in differing}, names),
        "after": _shown({name: after for name, _, after in differing}, names),
    }


def _shown(fields: JSON, names: Mapping[int, str]) -> JSON:
    """Returns visible fields with the name of the list in place of its id, and without the place among lists."""
    shown = {name: value for name, value in fields.items() if name != "position"}
    return {**shown, "list": names[shown["list"]]} if "list" in shown else shown


def _within_limit(listed: list[JSON]) -> JSON:
    """Returns the to-dos; if they exceed the response limit, without what may be long, named in `left_out`."""
    if length(listed) <= MAX_CHARACTERS:
        return {"todos": listed}
    left_out = ["notes", "tags", "steps"]
    return {
        "todos": [{name: value for name, value in todo.items() if name not in left_out} for todo in listed],
        "left_out": left_out,
    }


def length(value: Any) -> int:
    return len(orjson.dumps(value).decode())
