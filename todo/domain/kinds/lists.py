"""Lists of to-dos as a kind of record. For their rules see domain/lists.py."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from todo.domain.list_names import key_of
from todo.domain.quota import bytes_of
from todo.domain.records import Kind, Stored, Trashed
from todo.domain.todos import REMOVED
from todo.domain.users import User
from todo.storage.statements import Connection

if TYPE_CHECKING:
    from todo.domain.changeset import Changeset

JSON = dict[str, Any]

LIST = "list"
ACTIVE, ARCHIVED = "active", "archived"  # the status of a list


class TodoList(NamedTuple):
    """A list of to-dos. The inbox is not stored, as it has nothing but its name."""

    id: int
    name: str
    position: float  # between those of its neighbours
    status: str = ACTIVE
    updated_at: str = ""
    change_id: int = 0

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "TodoList":
        return cls(**{name: row[name] for name in cls._fields})

    @property
    def is_archived(self) -> bool:
        return self.status == ARCHIVED


class ListKind(Kind):
    name = LIST
    place = 2
    record = TodoList
    nouns = ("list", "lists")
    visible: ClassVar = {"name": "name", "position": "position", "status": "status"}
    silent = frozenset({"position"})
    group = "lists or settings"
    never_cut = True
    listed_as = "lists"

    def title(self, record: TodoList) -> str:
        return record.name

    def named(self, record_id: int, title: str) -> JSON:  # noqa: ARG002
        return {"name": title}

    def stored(self, row: Any) -> Stored:
        """Returns the list in a row, or an empty Stored without a row."""
        if row is None:
            return Stored()
        listed = TodoList.from_row(row) if row["status"] != REMOVED else None
        return Stored(listed, has_row=True, change_id=row["change_id"], bytes=row["bytes"])

    def find(self, connection: Connection, user: User, record_id: int) -> Stored:
        return self.stored(connection.list_by_id(user_id=user.id, id=record_id))

    def all_of(self, connection: Connection, user: User) -> Iterable[Any]:
        return sorted(map(TodoList.from_row, connection.live_lists(user_id=user.id)))

    def row(self, changeset: "Changeset", before: Any, after: Any, stored: Stored) -> JSON:  # noqa: ARG002
        """Returns the row. A removed list keeps its name, which the log still shows."""
        gone = {"status": REMOVED, "change_id": changeset.change_id, "updated_at": changeset.now}
        listed = after or before._replace(**gone)
        return {**listed._asdict(), "name_key": key_of(listed.name), "bytes": bytes_of(listed.name, listed.name)}

    def save(self, changeset: "Changeset", new: Sequence[JSON], changed: Sequence[JSON]) -> None:
        changeset.connection.insert_lists(new)
        changeset.connection.save_lists(changed)
        archived = sum(listed.is_archived for listed in changeset.lists())
        last = {"last_list_id": changeset.last_id(LIST), "archived_lists": archived}
        changeset.connection.save_list_counters(user_id=changeset.user.id, **last)

    def last_id(self, connection: Connection, user: User) -> int:  # noqa: ARG002
        return user.last_list_id

    def expired(self, connection: Connection, user: User, before: str, limit: int) -> Sequence[Any]:
        which = {"user_id": user.id, "until_id": user.last_change_id, "removed_before": before}
        return list(connection.removed_lists(**which, limit=limit))

    def trashed(self, connection: Connection, user: User, until_id: int, limit: int) -> Trashed:
        which = {"user_id": user.id, "until_id": until_id, "removed_before": "~"}  # at any time
        rows = list(connection.removed_lists(**which, limit=limit))
        return Trashed(rows, is_cut=len(rows) == limit)

    def remove(self, connection: Connection, user: User, record_id: int) -> int:
        return int(connection.remove_list(user_id=user.id, id=record_id)["bytes"])

    def save_newest(self, connection: Connection, user: User, record_id: int, change_id: int) -> None:
        connection.save_newest_change_of_list(user_id=user.id, id=record_id, change_id=change_id)

    def remove_all(self, connection: Connection, user_id: int) -> None:
        connection.delete_lists_of_user(user_id=user_id)


KIND = ListKind()
