"""Lists: found by name, created, changed and deleted. For the inbox, which is not a record, see list_names.py."""

from collections.abc import Iterable, Sequence
from typing import Any

from todo.contract import API
from todo.domain.changeset import Changeset
from todo.domain.kinds.lists import ACTIVE, ARCHIVED, LIST, TodoList
from todo.domain.list_names import INBOX, INBOX_ID, closest, is_inbox, key_of
from todo.domain.open_counts import OpenCounts
from todo.domain.records import Key
from todo.domain.todo_edits import TodoEdits
from todo.domain.todos import Todo
from todo.domain.users import Owner, User
from todo.errors import InboxIsFixed, InvalidRequest, ListArchived, ListExists, ListNotFound, TooManyLists
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_LISTS = API.limit("lists")
MIN_GAP = 1e-6  # between the positions of two lists; below that all are numbered anew


def id_for(edits: TodoEdits, name: str | None, *, create: bool) -> int:
    """Returns the id of the list with this name. If there is none, creates it with `create`.

    Raises ListNotFound, ListArchived and TooManyLists.
    """
    if name is None or is_inbox(name):
        return INBOX_ID
    if create and named(edits, name) is None:
        return _create(edits, name).id
    return _open_id(_existing(edits, name, can_create=True))


def id_to_import(edits: TodoEdits, name: str | None) -> int:
    """Returns the id of the list with this name, even an archived one, and creates it if there is none.

    An export includes the to-dos of archived lists, so an import must accept them. Raises TooManyLists.
    """
    if name is None or is_inbox(name):
        return INBOX_ID
    found = named(edits, name) or _create(edits, name)
    return found.id


def named(edits: TodoEdits, name: str) -> TodoList | None:
    """Returns the list with this name, ignoring case and width, or None, also for the inbox."""
    return _with_name(edits.lists(), name)


def find_id(connection: Connection, user: User, name: str) -> int:
    """Returns the id of the list with this name, even an archived one. Raises ListNotFound."""
    if is_inbox(name):
        return INBOX_ID
    every = all_of(connection, user)
    found = _with_name(every, name)
    if found is None:
        raise _not_found(every, name)
    return found.id


def update(connection: Connection, owner: Owner, name: str, wanted: JSON) -> JSON:
    """Renames, archives, restores or moves a list, or creates it, and returns it.

    Raises InboxIsFixed, ListNotFound, ListExists and TooManyLists.
    """
    changeset = Changeset(connection, owner)
    if is_inbox(name):
        raise InboxIsFixed
    if wanted.get("create_list") and named(changeset, name) is None:
        listed = _create(changeset, name)
    else:
        listed = _existing(changeset, name, can_create=True)
    listed = _renamed(changeset, listed, wanted.get("name", listed.name))
    if "archived" in wanted:
        listed = listed._replace(status=ARCHIVED if wanted["archived"] else ACTIVE)
    key = Key(LIST, listed.id)
    before = changeset.record(key)
    changeset.put(_action(before, listed), key, listed)
    if "position" in wanted:
        _move(changeset, listed, wanted["position"])
    changed = {"change_id": changeset.change_id} if changeset.commit() else {}
    counts = OpenCounts.by_list(connection, changeset.user)
    shown = describe(changeset.lists(), counts)
    return next(item for item in shown if item["name"] == listed.name) | changed


def delete(connection: Connection, owner: Owner, name: str, move_to: str | None) -> JSON:
    """Deletes a list, after moving its to-dos to the trash or to another list.

    Raises ListNotFound, InboxIsFixed, InvalidRequest and ListArchived.
    """
    changeset = Changeset(connection, owner)
    if is_inbox(name):
        raise InboxIsFixed
    listed = _existing(changeset, name)
    target = None if move_to is None else _target(changeset, move_to)
    if target == listed.id:
        raise InvalidRequest.of("move_to", "must be another list")
    todos = changeset.todos_of_list(listed.id)
    for todo in todos:
        _take_out(changeset, todo, target)
    changeset.put("delete", Key(LIST, listed.id), None)
    changeset.commit()
    moved = {} if move_to is None else {"moved_to": _name_of(changeset, target)}
    return {"change_id": changeset.change_id, "name": listed.name, "todos": len(todos), **moved}


def describe(lists: Sequence[TodoList], counts: OpenCounts) -> list[JSON]:
    """Returns the inbox and the lists as JSON, in their order, with how many to-dos are open and overdue in each."""
    described: list[JSON] = [{"name": INBOX, **counts.of_list(INBOX_ID)}]
    for position, listed in enumerate(lists, start=1):
        archived = {"archived": True} if listed.is_archived else {}
        described.append({"name": listed.name, "position": position, **counts.of_list(listed.id), **archived})
    return described


def archived_ids(lists: Iterable[TodoList]) -> set[int]:
    """Returns the ids of the archived lists."""
    return {listed.id for listed in lists if listed.is_archived}


def can_be(edits: TodoEdits, listed: TodoList) -> bool:
    """Whether an undo can bring back a list, or its old name: the name is free, and there are not too many lists."""
    names = [key_of(other.name) for other in edits.lists()]
    return names.count(key_of(listed.name)) == 1 and len(names) <= MAX_LISTS


def all_of(connection: Connection, user: User) -> list[TodoList]:
    """Returns all lists but the inbox, in their order."""
    return [TodoList.from_row(row) for row in connection.live_lists(user_id=user.id)]


def _with_name(lists: Iterable[TodoList], name: str) -> TodoList | None:
    key = key_of(name)
    return next((listed for listed in lists if key_of(listed.name) == key), None)


def _existing(edits: TodoEdits, name: str, **told: Any) -> TodoList:
    """Returns the list with this name. Raises ListNotFound with the members `told`."""
    found = named(edits, name)
    if found is None:
        raise _not_found(edits.lists(), name, **told)
    return found


def _open_id(listed: TodoList) -> int:
    if listed.is_archived:
        raise ListArchived(hint=f"Restore it by update_list with archived: false, or use the list {INBOX}.")
    return listed.id


def _target(edits: TodoEdits, name: str) -> int:
    """Returns the id of the list that to-dos move to. Raises ListNotFound and ListArchived."""
    return INBOX_ID if is_inbox(name) else _open_id(_existing(edits, name, field="move_to"))


def _create(edits: TodoEdits, name: str) -> TodoList:
    lists = edits.lists()
    if len(lists) >= MAX_LISTS:
        raise TooManyLists
    return edits.add_list(name.strip(), lists[-1].position + 1 if lists else 1.0)


def _renamed(edits: TodoEdits, listed: TodoList, name: str) -> TodoList:
    """Returns the list with a new name. Raises ListExists if another one has it."""
    holder = named(edits, name)
    if is_inbox(name) or (holder and holder.id != listed.id):
        raise ListExists
    return listed._replace(name=name.strip())


def _action(before: Any, after: TodoList) -> str:
    """Returns what was done to a list, for the log."""
    if before.status == after.status:
        return "update"
    return "archive" if after.is_archived else "restore"


def _move(edits: TodoEdits, listed: TodoList, place: int) -> None:
    """Moves a list to a position, from 1 after the inbox; any position beyond the end is the last."""
    others = [other for other in edits.lists() if other.id != listed.id]
    if edits.lists().index(listed) == min(place, len(others) + 1) - 1:
        return
    before, behind = others[: place - 1], others[place - 1 :]
    low = before[-1].position if before else (behind[0].position - 2 if behind else 0)
    high = behind[0].position if behind else low + 2
    if high - low < MIN_GAP:
        for number, other in enumerate([*before, listed, *behind], start=1):
            edits.put("update", Key(LIST, other.id), other._replace(position=float(number)))
        return
    edits.put("update", Key(LIST, listed.id), listed._replace(position=(low + high) / 2))


def _take_out(edits: TodoEdits, todo: Todo, target: int | None) -> None:
    if target is None:
        edits.edit("delete", todo._replace(status="deleted", deleted_at=edits.now))
    else:
        edits.edit("update", todo._replace(list_id=target))


def _name_of(edits: TodoEdits, list_id: int | None) -> str:
    listed = edits.record(Key(LIST, list_id)) if list_id else None
    return listed.name if isinstance(listed, TodoList) else INBOX


def _not_found(
    lists: Sequence[TodoList], name: str, *, can_create: bool = False, field: str = ListNotFound.FIELD
) -> ListNotFound:
    names = [listed.name for listed in lists if not listed.is_archived]
    return ListNotFound([INBOX, *names], closest(name, names), can_create=can_create, field=field)
