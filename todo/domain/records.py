"""Records of any kind: what a list holds and its log tracks. The kinds themselves are in kinds/."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import orjson

from todo.domain.excerpts import ELLIPSIS
from todo.domain.todos import Folded
from todo.domain.users import User
from todo.storage.statements import Connection

if TYPE_CHECKING:
    from todo.domain.changeset import Changeset

JSON = dict[str, Any]
Record = Any  # a NamedTuple of some kind

STAMPS = {"version", "updated_at", "change_id"}  # what a change sets of itself, in the records that have it


class Key(NamedTuple):
    """Identifies a record of a list, by kind and id."""

    kind: str
    id: int


class Stored(NamedTuple):
    """A record as the database has it; None if it was never added or has been removed."""

    record: Record | None = None
    has_row: bool = False
    version: int = 0
    change_id: int = 0  # of its newest change; 0 if there is none
    bytes: int = 0
    folded: Folded | None = None  # of a to-do


class Trashed(NamedTuple):
    """Rows to be removed for good, with `id` and `change_id`. The first `deleted` ones count as deleted to-dos."""

    rows: Sequence[Any]
    deleted: int = 0
    is_cut: bool = False  # whether there may be more


class Kind(ABC):
    """A kind of record, as the log, undo, the trash, the quota and the pages need it.

    A record is a NamedTuple. Of its fields, `id` counts 1, 2, 3 ... within one owner's list, and those in STAMPS are
    set by each change. A change is stored as what differs in `fields`; people see the `visible` ones of them.
    """

    name: ClassVar[str]  # in the log; must not change once there are entries
    place: ClassVar[int]  # the order of the kinds within a change
    record: ClassVar[type[Any]]
    nouns: ClassVar[tuple[str, str]]  # singular and plural
    visible: ClassVar[Mapping[str, str]]  # the fields that people see: name in JSON to field of the record
    later: ClassVar[frozenset[str]] = frozenset()  # visible fields that older log entries do not have
    silent: ClassVar[frozenset[str]] = frozenset()  # visible fields that descriptions of a change leave out
    display: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}  # functions that format values, by name in JSON
    texts: ClassVar[frozenset[str]] = frozenset()  # fields of long text: the log keeps only the part that differs
    sequences: ClassVar[frozenset[str]] = frozenset()  # fields with tuples, likewise
    settings: ClassVar[Mapping[str, str]] = {}  # for a record of settings: what people call its fields
    group: ClassVar[str | None] = None  # the heading under which the day counts changes, instead of by action
    never_cut: ClassVar[bool] = False  # whether an answer about a change always lists all of them
    listed_as: ClassVar[str] = ""  # the key of their list in answers about a change, and in exports
    id_name: ClassVar[str | None] = None  # the key of their id in the conflicts of an undo

    @cached_property
    def fields(self) -> tuple[str, ...]:
        return tuple(self.record._fields)

    @cached_property
    def monotonic(self) -> frozenset[str]:
        """The fields that an undo never reverts."""
        return frozenset(STAMPS.intersection(self.fields))

    # In the log.

    @abstractmethod
    def title(self, record: Any) -> str:
        """Returns the text that identifies a record in the log."""

    def named(self, record_id: int, title: str) -> JSON:
        """Returns what identifies a record in an answer about a change."""
        return {"id": record_id, self.name: title}

    def shown(self, name: str, value: Any) -> Any:
        """Returns the value of a visible field, in part if that is what the log has; None is unset."""
        if value is None:
            return None
        if name in self.display:
            return self.display[name](value)
        if isinstance(value, (list, tuple)):
            start, end, part = value
            return ELLIPSIS * bool(start) + part + ELLIPSIS * bool(end)
        return value

    def with_addresses(self, fields: JSON, public_url: str) -> JSON:  # noqa: ARG002
        """Returns visible fields as `shown` has them, with a path of the service made a whole address."""
        return fields

    def to_log(self, record: Any) -> str:
        """Returns the snapshot of a record, as JSON."""
        return orjson.dumps(record._asdict()).decode()

    def from_log(self, kept: str) -> Any:
        return self.record(**orjson.loads(kept))

    # In the database.

    @abstractmethod
    def find(self, connection: Connection, user: User, record_id: int) -> Stored:
        """Returns the record with this id as it is stored."""

    @abstractmethod
    def all_of(self, connection: Connection, user: User) -> Iterable[Any]:
        """Returns all records, by id."""

    @abstractmethod
    def row(self, changeset: "Changeset", before: Any, after: Any, stored: Stored) -> JSON:
        """Returns the row to store for a record, without its owner, and updates the counts of records.

        Without `after` the record is removed: its row stays until the log no longer mentions it.
        """

    def check(self, changeset: "Changeset", new: int) -> None:  # noqa: B027
        """Raises QuotaExceeded if `new` more records would be too many. Nothing is stored yet."""

    @abstractmethod
    def save(self, changeset: "Changeset", new: Sequence[JSON], changed: Sequence[JSON]) -> None:
        """Inserts the new rows, and updates the changed ones."""

    def last_id(self, connection: Connection, user: User) -> int:
        """Returns the last id that was used."""
        raise NotImplementedError

    def of_change(self, connection: Connection, user: User, change_id: int) -> Mapping[int, Stored]:  # noqa: ARG002
        """Returns the records of a change by id, if loading them together is worth it."""
        return {}

    # In the trash, and beyond.

    def expired(self, connection: Connection, user: User, before: str, limit: int) -> Sequence[Any]:  # noqa: ARG002
        """Returns rows that have been in the trash since `before`, with `id` and `change_id`."""
        return ()

    def trashed(self, connection: Connection, user: User, until_id: int, limit: int) -> Trashed:  # noqa: ARG002
        """Returns rows that were in the trash at a change."""
        return Trashed(())

    def remove(self, connection: Connection, user: User, record_id: int) -> int:
        """Removes a row for good and returns its bytes."""
        raise NotImplementedError

    def save_newest(self, connection: Connection, user: User, record_id: int, change_id: int) -> None:
        """Stores the newest change of a record in the trash that the log still has."""
        raise NotImplementedError

    def remove_all(self, connection: Connection, user_id: int) -> None:  # noqa: B027
        """Removes all rows of a user."""

    def export(self, connection: Connection, user: User) -> list[JSON] | None:  # noqa: ARG002
        """Returns all records as JSON for an account export, under `listed_as`; None if another part exports them."""
        return None
