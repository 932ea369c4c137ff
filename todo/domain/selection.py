"""Changes to the to-dos that are selected on the list page: one change, with one undo."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from todo.domain.actions import perform
from todo.domain.changeset import Changeset
from todo.domain.todos import Todo
from todo.domain.users import DAY, Owner, User
from todo.domain.weeks import week_of
from todo.errors import InvalidRequest, TodoNotFound
from todo.storage.statements import Connection

JSON = dict[str, Any]

NEXT_DAYS: dict[str, Callable[[date, str], date]] = {
    "today": lambda today, _: today,
    "tomorrow": lambda today, _: today + timedelta(days=1),
    "next_week": lambda today, week_start: week_of(today, week_start)[0] + timedelta(weeks=1),
}
NEEDS = {"day": "day", "priority": "priority", "move": "list", "tag": "tag"}


def change(connection: Connection, owner: Owner, todo_ids: Sequence[int], wanted: JSON) -> JSON:
    """Performs one action on all of the to-dos, and returns the change and their number.

    `wanted` has the `action` and its parameter: day, priority, list or tag. To-dos in the trash are left out. Raises
    InvalidRequest, TodoNotFound if none is left, and the errors of the action.
    """
    needed = NEEDS.get(wanted["action"])
    if needed and needed not in wanted:
        raise InvalidRequest.of(needed, "is missing")
    changeset = Changeset(connection, owner)
    found = [todo for number in dict.fromkeys(todo_ids) if (todo := changeset.get(number)) and todo.status != "deleted"]
    if not found:
        raise TodoNotFound
    for todo in found:
        perform(changeset, _action(changeset.user, todo, wanted))
    return {"todos": len(found)} | ({"change_id": changeset.change_id} if changeset.commit() else {})


def _action(user: User, todo: Todo, wanted: JSON) -> JSON:
    """Returns the action on one of the to-dos, as change_todos takes it."""
    match wanted["action"]:
        case "complete" | "reopen" | "delete" as plain:
            return {"action": plain, "id": todo.id}
        case "no_date":
            fields: JSON = {"due": None}
        case "priority":
            fields = {"priority": wanted["priority"]}
        case "move":
            fields = {"list": wanted["list"]}
        case "tag":
            fields = {"add_tags": [wanted["tag"]]}
        case _:
            fields = {"due": _day(user, wanted) + (todo.due or "")[DAY:]}
    return {"action": "update", "id": todo.id, **fields}


def _day(user: User, wanted: JSON) -> str:
    if wanted["action"] == "day":
        return str(wanted["day"])
    today = date.fromisoformat(user.local_now()[:DAY])
    return NEXT_DAYS[wanted["action"]](today, user.week_start).isoformat()
