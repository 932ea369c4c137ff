"""To-dos: the record and its JSON. For lists of them see listing.py, for changes changes.py."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from todo.contract import API
from todo.domain import steps, tags, users
from todo.domain.due_dates import MINUTE
from todo.domain.folding import fold, fold_for_search
from todo.domain.list_names import INBOX_ID, names_of
from todo.domain.paging import NO_DUE
from todo.domain.quota import ROW_BYTES
from todo.domain.steps import Steps
from todo.domain.users import Owner, User, weekday
from todo.errors import TodoNotFound
from todo.storage.statements import Connection

JSON = dict[str, Any]

PRIORITIES = API.enum("Priority")  # from least to most urgent
UNSET_PRIORITY = PRIORITIES[0]
# In JSON, where quotation marks in texts are escaped, these can only be the fields.
URL_KEY = '"url":'
URL_PATH = URL_KEY + '"/'
DONE_AT_KEY = '"done_at":'
DONE_AT = re.compile(DONE_AT_KEY + '"([^"]+)"')
NO_TAGS = "[]"
REMOVED = "removed"  # the status of a row whose to-do an undo has removed; see records.py


class Todo(NamedTuple):
    """A to-do as stored. `due` is in its owner's local time; `..._at` are UTC, to the second."""

    id: int
    todo: str
    created_at: str
    updated_at: str
    notes: str | None = None
    due: str | None = None
    priority: str = UNSET_PRIORITY
    tags: tuple[str, ...] = ()
    repeat: str | None = None
    series: int | None = None  # numbered within the list
    series_start: str | None = None
    occurrence: str | None = None
    status: str = "open"
    done_at: str | None = None
    deleted_at: str | None = None
    share: str | None = None  # the secret of its public link
    share_until: str | None = None  # the last local day of the link
    version: int = 0
    change_id: int = 0
    list_id: int = INBOX_ID
    steps: Steps = ()
    position: int | None = None  # of a moved to-do, among those with the same due date; see places.py

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Todo":
        stored = {name: row[name] for name in PLAIN_COLUMNS}
        steps = tuple(orjson.loads(row["steps"])) if row["steps"] else ()
        return cls(**stored, priority=_priority(row["urgency"]), tags=tuple(orjson.loads(row["tags"])), steps=steps)

    @classmethod
    def from_log(cls, kept: str) -> "Todo":
        """Returns the to-do that `to_log` wrote."""
        fields = orjson.loads(kept)
        return cls(**{**fields, "tags": tuple(fields.get("tags", ())), "steps": tuple(fields.get("steps", ()))})

    @property
    def texts(self) -> tuple[Any, ...]:
        """Returns the values that the search columns are made of; checking a step changes them too."""
        return self.todo, self.notes, self.tags, self.steps

    @property
    def path(self) -> str | None:
        """Returns the path of its public page, or None."""
        return share_path(self.share) if self.share else None

    @property
    def url_until(self) -> str | None:
        return self.share_until

    def to_log(self) -> str:
        """Returns the log's JSON: the fields that differ from their defaults."""
        fields = zip(self._fields, self, DEFAULTS, strict=True)
        return orjson.dumps({name: value for name, value, default in fields if value != default}).decode()

    def to_row(self, folded: "Folded | None" = None) -> JSON:
        """Returns the columns: the fields, the sort and search keys, and the JSON that lists return."""
        folded = folded or Folded.of(self)
        listed = orjson.dumps(self._listed())
        row: JSON = self._asdict()
        row |= {
            "due_key": self.due or NO_DUE,
            "urgency": urgency_of(self.priority),
            "tags": orjson.dumps(self.tags).decode() if self.tags else NO_TAGS,
            "steps": orjson.dumps(self.steps).decode() if self.steps else "",
            "tag_keys": folded.tag_keys,
            "search_text": folded.search_text,
            "json": listed.decode(),
            # Every field in the JSON is also stored in a column.
            "bytes": ROW_BYTES + 2 * len(listed) + len(folded.search_text.encode()),
        }
        del row["priority"]  # stored as urgency
        return row

    def to_json(self, user: User, lists: Mapping[int, str], public_url: str) -> JSON:
        """Returns the to-do as JSON, at its owner's local time. `lists` has the names of lists by id."""
        times = {"created_at": self.created_at, "updated_at": self.updated_at}
        return self.to_listed(user, lists, public_url) | {"list": lists[self.list_id], **times}

    def to_listed(self, user: User, lists: Mapping[int, str], public_url: str) -> JSON:
        """Returns the to-do as in a list: the timestamps and the inbox, which would double its tokens, are left out."""
        fields = self._listed()
        if self.list_id:
            fields["list"] = lists[self.list_id]
        if self.due:
            # A to-do due on a date without a time is overdue from the next day on.
            fields["overdue"] = self.status == "open" and self.due < user.local_now()[: len(self.due)]
        if "done_at" in fields:
            fields["done_at"] = user.local_minute(fields["done_at"])
        if self.path:
            fields["url"] = public_url + self.path
        return fields

    def _listed(self) -> JSON:
        """Returns the to-do as in its row: not overdue, `done_at` in UTC, the path of `url`, the id of its list."""
        fields: JSON = {"id": self.id, "todo": self.todo}
        if self.list_id:
            fields["list"] = self.list_id
        if self.notes:
            fields["notes"] = self.notes
        if self.due:
            fields["due"] = self.due
            fields["due_weekday"] = weekday(self.due)
            fields["overdue"] = False
        if self.priority != UNSET_PRIORITY:
            fields["priority"] = self.priority
        if self.tags:
            fields["tags"] = list(self.tags)
        if self.repeat:
            fields["repeat"] = self.repeat
        if self.steps:
            fields["steps"] = self.steps
        if self.path:
            fields["url"] = self.path
        if self.url_until:
            fields["url_until"] = self.url_until
        fields["status"] = self.status
        if self.status == "done" and self.done_at:
            fields["done_at"] = self.done_at
        fields["version"] = self.version
        fields["change_id"] = self.change_id
        return fields


# What the log leaves out: no default may change once there are entries.
DEFAULTS = [Todo._field_defaults.get(name) for name in Todo._fields]


class Folded(NamedTuple):
    """The search columns of a to-do. For a long text, folding is the slowest part of a write."""

    search_text: str
    tag_keys: str

    @classmethod
    def of(cls, todo: Todo) -> "Folded":
        return cls(fold_for_search("\n".join([todo.todo, todo.notes or "", *_end(todo)])), _tag_keys(todo))

    def with_end_of(self, before: Todo, after: Todo) -> "Folded | None":
        """Returns the columns after a change of only tags or steps; None if these are not the columns from before it.

        Words fold independently, and tags and steps come last, so only the end has to be folded again.
        """
        old, new = (fold_for_search("\n".join(_end(todo))) for todo in (before, after))
        start = self.search_text.removesuffix(f" {old}") if old else self.search_text
        if old and start == self.search_text:
            return None
        return Folded(f"{start} {new}" if new else start, _tag_keys(after))


def _tag_keys(todo: Todo) -> str:
    return "".join([f"\n{fold(tag)}\n" for tag in todo.tags])


def _end(todo: Todo) -> list[str]:
    """Returns the lines of the search text behind the notes."""
    return [*todo.tags, *[step["text"] for step in todo.steps]]


def share_path(share: str) -> str:
    """Returns the path of the public page of the to-do with this share secret."""
    return f"/s/{share}"


PLAIN_COLUMNS = [name for name in Todo._fields if name not in ("priority", "tags", "steps")]


def get(connection: Connection, owner: Owner, todo_id: int) -> JSON:
    """Returns the to-do as JSON. Raises TodoNotFound, also for one in the trash."""
    user = users.find(connection, owner)
    todo = find(connection, user, todo_id)
    if todo is None or todo.status == "deleted":
        raise TodoNotFound
    return todo.to_json(user, names_of(connection, user, [todo.list_id]), connection.public_url)


def shown(rows: str, user: User, public_url: str) -> str:
    """Returns the JSON of rows as lists show it: with the complete `url`, and `done_at` in local time, to the
    minute."""
    rows = rows.replace(URL_PATH, f'{URL_KEY}"{public_url}/')
    if DONE_AT_KEY not in rows:
        return rows
    return DONE_AT.sub(lambda found: f'{DONE_AT_KEY}"{user.local_minute(found[1])}"', rows)


def find(connection: Connection, user: User, todo_id: int) -> Todo | None:
    """Returns the to-do, even from the trash, or None."""
    row = connection.todo_by_id(user_id=user.id, id=todo_id)
    return Todo.from_row(row) if row and row["status"] != REMOVED else None


def clean(given: JSON) -> JSON:
    """Returns the fields normalized: text trimmed, due to the minute, tags unique, null as unset."""
    cleaned = dict(given)
    if "todo" in given:
        cleaned["todo"] = given["todo"].strip()
    if "notes" in given:
        cleaned["notes"] = (given["notes"] or "").strip() or None
    if given.get("due"):
        cleaned["due"] = given["due"][:MINUTE]
    if "priority" in given:
        cleaned["priority"] = given["priority"] or UNSET_PRIORITY
    if "tags" in given:
        cleaned["tags"] = tags.cleaned(given["tags"] or ())
    if "steps" in given:
        cleaned["steps"] = steps.cleaned(given["steps"] or ())
    return cleaned


def urgency_of(priority: str) -> int:
    """Returns the sort key of a priority, 0 for the most urgent."""
    return len(PRIORITIES) - 1 - PRIORITIES.index(priority)


def _priority(urgency: int) -> str:
    return PRIORITIES[len(PRIORITIES) - 1 - urgency]
