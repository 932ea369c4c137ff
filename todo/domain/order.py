"""The order of to-dos: moving one among those with the same due date, or to another list."""

from bisect import bisect
from typing import Any

from todo.domain import lists, places
from todo.domain.changeset import Changeset
from todo.domain.paging import NO_DUE
from todo.domain.places import place_of
from todo.domain.todos import Todo
from todo.domain.users import Owner
from todo.errors import InvalidRequest, TodoNotFound
from todo.storage.statements import Connection

JSON = dict[str, Any]

WAYS = ("before", "after", "to", "list")
SUMMARY = "Moved 1 to-do."


def move(connection: Connection, owner: Owner, todo_id: int, where: JSON) -> JSON:
    """Moves a to-do and returns its `change_id`, or {} if it is there already.

    `where` has one of: the id that it goes `before` or `after`, `to` (top or bottom), or the name of a `list`. Raises
    InvalidRequest, TodoNotFound, ListNotFound and ListArchived.
    """
    if len(where) != 1:
        raise InvalidRequest.of("to", f"must come as one of {', '.join(WAYS)}")
    changeset = Changeset(connection, owner)
    todo = changeset.get(todo_id)
    if todo is None or todo.status == "deleted":
        raise TodoNotFound
    if "list" in where:
        list_id = lists.id_for(changeset, where["list"], create=False)
        changeset.edit("update", todo._replace(list_id=list_id))
    else:
        _put(changeset, todo, where)
    return {"change_id": changeset.change_id} if changeset.commit(summary=SUMMARY) else {}


def _put(changeset: Changeset, todo: Todo, where: JSON) -> None:
    """Puts the to-do in its place. Raises InvalidRequest."""
    if todo.status != "open":
        raise InvalidRequest.of("id", "is done; open it again to move it")
    rows = changeset.connection.places_of_due(user_id=changeset.user.id, due_key=todo.due or NO_DUE)
    placed = sorted(
        (places.default_of(row["id"], todo.due) if row["position"] is None else row["position"], row["id"])
        for row in rows
        if row["id"] != todo.id
    )
    at = _index([todo_id for _, todo_id in placed], where)
    if at == bisect(placed, (place_of(todo), todo.id)):
        return
    ends = places.ends_of(todo.due, changeset.user.last_todo_id)
    new = places.insert([place for place, _ in placed], at, ends)
    ids = [*(todo_id for _, todo_id in placed[:at]), todo.id, *(todo_id for _, todo_id in placed[at:])]
    _take(changeset, [ids[index] for index in new])
    for index, place in new.items():
        found = changeset.get(ids[index])
        assert found
        changeset.edit("update", found._replace(position=place))


def _index(ids: list[int], where: JSON) -> int:
    """Returns how many of these to-dos come before the one that is moved. Raises InvalidRequest."""
    if "to" in where:
        return 0 if where["to"] == "top" else len(ids)
    ((way, neighbour),) = where.items()
    if neighbour not in ids:
        raise InvalidRequest.of(way, "is not there any more, or is due at another time")
    return ids.index(neighbour) + (way == "after")


def _take(changeset: Changeset, ids: list[int]) -> None:
    """Loads several to-dos in one go."""
    if len(ids) > 1:
        which = {"user_id": changeset.user.id, "ids": ",".join(map(str, ids))}
        changeset.take_todos(changeset.connection.todos_by_ids(**which))
