"""To-dos as a kind of record. For the record itself see domain/todos.py."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from todo.contract import API
from todo.domain.list_names import names_of
from todo.domain.places import age_of
from todo.domain.quota import ROW_BYTES
from todo.domain.records import Kind, Stored, Trashed
from todo.domain.todos import REMOVED, UNSET_PRIORITY, Folded, Todo, share_path
from todo.domain.users import User
from todo.errors import QuotaExceeded
from todo.storage.statements import Connection

if TYPE_CHECKING:
    from todo.domain.changeset import Changeset

JSON = dict[str, Any]

TODO = "todo"
MAX_TODOS = API.limit("todos")
NOTHING_FOLDED = Folded("", "")


def are_too_many(counts: Mapping[str, int], more: int) -> bool:
    """Whether `more` to-dos would exceed the limit of a list with these counts. The trash does not count."""
    return counts["open"] + counts["done"] + more > MAX_TODOS


def _removed_row(todo: Todo, change_id: int, now: str) -> JSON:
    """Returns the row that a removed to-do leaves, without its texts, so that its version numbers continue."""
    left = Todo(todo.id, "", todo.created_at, now, status=REMOVED, version=todo.version, change_id=change_id)
    return {**left.to_row(NOTHING_FOLDED), "json": "", "bytes": ROW_BYTES}


def _shown_steps(value: Any) -> Any:
    """Returns the steps, or those that differ: [] if none differ, None if there are none at all."""
    start, end, part = value if value and isinstance(value[0], int) else (0, 0, value)
    return list(part) or ([] if start or end else None)


class TodoKind(Kind):
    name = TODO
    place = 1
    record = Todo
    nouns = ("to-do", "to-dos")
    visible: ClassVar = {
        "due": "due",
        "notes": "notes",
        "priority": "priority",
        "repeat": "repeat",
        "tags": "tags",
        "todo": "todo",
        "url": "share",
        "url_until": "share_until",
        "status": "status",
        "list": "list_id",
        "steps": "steps",
        "position": "position",
    }
    later = frozenset({"list", "steps", "position"})
    silent = frozenset({"position"})
    display: ClassVar = {
        "priority": lambda value: None if value == UNSET_PRIORITY else value,
        "tags": lambda value: list(value) or None,
        "url": share_path,
        "steps": _shown_steps,
    }
    texts = frozenset({"todo", "notes"})
    sequences = frozenset({"steps"})
    listed_as = "todos"
    id_name = "id"

    def title(self, record: Todo) -> str:
        return record.todo

    def with_addresses(self, fields: JSON, public_url: str) -> JSON:
        return {**fields, "url": public_url + fields["url"]} if fields.get("url") else fields

    def to_log(self, record: Todo) -> str:
        return record.to_log()

    def from_log(self, kept: str) -> Todo:
        return Todo.from_log(kept)

    def stored(self, row: Any) -> Stored:
        """Returns the to-do in a row, or an empty Stored without a row."""
        if row is None:
            return Stored()
        todo = Todo.from_row(row) if row["status"] != REMOVED else None
        folded = Folded(row["search_text"], row["tag_keys"]) if todo else None
        return Stored(todo, True, row["version"], row["change_id"], row["bytes"], folded)

    def find(self, connection: Connection, user: User, record_id: int) -> Stored:
        return self.stored(connection.todo_by_id(user_id=user.id, id=record_id))

    def all_of(self, connection: Connection, user: User) -> Iterable[Any]:
        return map(Todo.from_row, connection.all_todos(user_id=user.id))

    def row(self, changeset: "Changeset", before: Any, after: Any, stored: Stored) -> JSON:
        """Returns the row, and counts its status."""
        counts = changeset.counts
        if before:
            counts[before.status] -= 1
        if after:
            counts[after.status] += 1
            folded = stored.folded if before and after.texts == before.texts else None
            row: JSON = after.to_row(folded or changeset.folded.get(after.id))
            return row
        return _removed_row(before, changeset.change_id, changeset.now)

    def check(self, changeset: "Changeset", new: int) -> None:  # noqa: ARG002
        counts = changeset.counts
        kept = counts["open"] + counts["done"]
        if kept > MAX_TODOS and kept > changeset.user.open_count + changeset.user.done_count:
            raise QuotaExceeded

    def save(self, changeset: "Changeset", new: Sequence[JSON], changed: Sequence[JSON]) -> None:
        changeset.connection.insert_todos(new)
        changeset.connection.save_todos(changed)

    def last_id(self, connection: Connection, user: User) -> int:  # noqa: ARG002
        return user.last_todo_id

    def of_change(self, connection: Connection, user: User, change_id: int) -> Mapping[int, Stored]:
        rows = connection.todos_of_change(user_id=user.id, change_id=change_id)
        return {row["id"]: self.stored(row) for row in rows}

    def expired(self, connection: Connection, user: User, before: str, limit: int) -> Sequence[Any]:
        return list(connection.expired_in_trash(user_id=user.id, deleted_before=before, limit=limit))

    def trashed(self, connection: Connection, user: User, until_id: int, limit: int) -> Trashed:
        which = {"user_id": user.id, "until_id": until_id, "limit": limit}
        deleted, removed = (list(connection.todos_of_status(**which, status=each)) for each in ("deleted", REMOVED))
        return Trashed([*deleted, *removed], len(deleted), limit in (len(deleted), len(removed)))

    def remove(self, connection: Connection, user: User, record_id: int) -> int:
        return int(connection.remove_todo(user_id=user.id, id=record_id)["bytes"])

    def save_newest(self, connection: Connection, user: User, record_id: int, change_id: int) -> None:
        connection.save_newest_change(user_id=user.id, id=record_id, change_id=change_id)

    def remove_all(self, connection: Connection, user_id: int) -> None:
        connection.delete_todos_of_user(user_id=user_id)

    def export(self, connection: Connection, user: User) -> list[JSON]:
        todos = sorted(self.all_of(connection, user), key=age_of)
        names = names_of(connection, user, {todo.list_id for todo in todos})
        return [todo.to_json(user, names, connection.public_url) for todo in todos]


KIND = TodoKind()
