"""To-dos: the record, its JSON, and listing. For changes see changes.py."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from todo.contract import API
from todo.domain import users
from todo.domain.folding import escape_like, fold
from todo.domain.paging import NO_DUE, Page
from todo.domain.quota import ROW_BYTES
from todo.domain.users import DAY, Owner, User, today, weekday
from todo.errors import TodoNotFound
from todo.storage.statements import Connection

JSON = dict[str, Any]

PRIORITIES = API.enum("Priority")  # from least to most urgent
UNSET_PRIORITY = PRIORITIES[0]
REMOVED = "removed"  # the status of a row whose to-do an undo has removed; see records.py
MAX_SHORT = 100  # to-dos that a list has ever had, up to which its first page is read without an index


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

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Todo":
        stored = {name: row[name] for name in PLAIN_COLUMNS}
        return cls(**stored, priority=_priority(row["urgency"]), tags=tuple(orjson.loads(row["tags"])))

    @classmethod
    def from_log(cls, kept: str) -> "Todo":
        """Returns the to-do that `to_log` wrote."""
        fields = orjson.loads(kept)
        return cls(**{**fields, "tags": tuple(fields.get("tags", ()))})

    @property
    def url(self) -> str | None:
        """Returns the path of its public page, or None; responses make it an absolute URL."""
        return share_path(self.share) if self.share else None

    @property
    def url_until(self) -> str | None:
        return self.share_until

    def to_log(self) -> str:
        """Returns the log's JSON: the fields that are set."""
        kept = {
            name: value for name, value in zip(self._fields, self, strict=True) if value is not None and value != ()
        }
        return orjson.dumps(kept).decode()

    def to_row(self, folded: "Folded | None" = None) -> JSON:
        """Returns the columns: the fields, the sort and search keys, and the JSON that lists return."""
        folded = folded or Folded.of(self)
        listed = orjson.dumps(self._listed())
        row: JSON = self._asdict()
        row |= {
            "due_key": self.due or NO_DUE,
            "urgency": _urgency(self.priority),
            "tags": orjson.dumps(self.tags).decode(),
            "tag_keys": folded.tag_keys,
            "search_text": folded.search_text,
            "json": listed.decode(),
            # Every field in the JSON is also stored in a column.
            "bytes": ROW_BYTES + 2 * len(listed) + len(folded.search_text.encode()),
        }
        del row["priority"]  # stored as urgency
        return row

    def to_json(self, now: str) -> JSON:
        """Returns the to-do as JSON at `now`, the owner's local time to the minute."""
        return self.to_listed(now) | {"created_at": self.created_at, "updated_at": self.updated_at}

    def to_listed(self, now: str) -> JSON:
        """Returns the to-do as in a list, without its timestamps, which would double an assistant's tokens."""
        fields = self._listed()
        if self.due:
            # Due on a date without a time, it is overdue from the next day on.
            fields["overdue"] = self.status == "open" and self.due < now[: len(self.due)]
        return fields

    def _listed(self) -> JSON:
        """Returns the to-do as in a list, not overdue. Unset fields are absent."""
        fields: JSON = {"id": self.id, "todo": self.todo}
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
        if self.url:
            fields["url"] = self.url
        if self.url_until:
            fields["url_until"] = self.url_until
        for name in ("status", "version", "change_id"):
            fields[name] = getattr(self, name)
        return fields


class Folded(NamedTuple):
    """The search columns of a to-do. For a long text, folding is the slowest part of a write."""

    search_text: str
    tag_keys: str

    @classmethod
    def of(cls, todo: Todo) -> "Folded":
        text = fold("\n".join((todo.todo, todo.notes or "", *todo.tags)))
        return cls(text, "".join(f"\n{fold(tag)}\n" for tag in todo.tags))


def share_path(share: str) -> str:
    """Returns the path of the public page of the to-do with this share secret."""
    return f"/s/{share}"


PLAIN_COLUMNS = [name for name in Todo._fields if name not in ("priority", "tags")]


def page(
    connection: Connection, owner: Owner, status: str, filters: JSON, sort: str, limit: int, cursor: str | None
) -> orjson.Fragment:
    """Returns one page as JSON; `filters` has the filters that are set. Raises InvalidRequest for a bad cursor.

    A page without filters is cached until the list or the minute changes, as `overdue` depends on the time.
    """
    user = users.find(connection, owner)
    now = user.local_now()
    key = (user.version, now, status, sort, limit, cursor)
    text = None if filters else connection.cache.get(key)
    if text is None:
        text = orjson.dumps(_page(connection, user, now, status, filters, Page(sort, limit, cursor))).decode()
        if not filters:
            connection.cache.put(key, text)
    return orjson.Fragment(text)


def _page(connection: Connection, user: User, now: str, status: str, filters: JSON, wanted: Page) -> JSON:
    which = "all" if status == "all" else "one"
    conditions = {"user_id": user.id, "status": status, "now": now, "today": now[:DAY]}
    if filters:
        conditions |= _conditions(**filters)
        total = getattr(connection, f"total_{which}_filtered")(**conditions)["total"]
    else:
        total = user.open_count + user.done_count if status == "all" else user.counts[status]
        if which == "one" and wanted.is_first and user.last_todo_id <= MAX_SHORT:
            found = connection.first_todos(**conditions, limit=wanted.limit)
            text = found["todos"] or ""
            if wanted.fits(text):
                next_cursor = wanted.next_cursor(found["last_id"]) if found["returned"] < total else None
                return _page_of(text, found["returned"], total, now, next_cursor)
    rows, next_cursor = wanted.cut(_rows(connection, which, conditions, wanted, "_filtered" if filters else ""))
    return _page_of(",".join([row["json"] for row in rows]), len(rows), total, now, next_cursor)


def _rows(connection: Connection, which: str, conditions: JSON, wanted: Page, suffix: str) -> list[Any]:
    """Returns the rows of a page, and the next one if there is one."""
    rows: list[Any] = []
    for run, after in wanted.runs():
        find_run = getattr(connection, f"list_{which}_{run}{suffix}")
        rows += find_run(**conditions, **after, limit=wanted.limit + 1 - len(rows))
        if len(rows) > wanted.limit:
            break
    return rows


def _page_of(todos: str, returned: int, total: int, now: str, next_cursor: str | None = None) -> JSON:
    page = {"todos": orjson.Fragment(f"[{todos}]"), "returned": returned, "total": total, "today": today(now)}
    return page | ({"next_cursor": next_cursor} if next_cursor else {})


def get(connection: Connection, owner: Owner, todo_id: int) -> JSON:
    """Returns the to-do as JSON. Raises TodoNotFound, also for one in the trash."""
    user = users.find(connection, owner)
    todo = find(connection, user, todo_id)
    if todo is None or todo.status == "deleted":
        raise TodoNotFound
    return todo.to_json(user.local_now())


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
        cleaned["due"] = given["due"][: len("2026-11-27T18:00")]
    if "priority" in given:
        cleaned["priority"] = given["priority"] or UNSET_PRIORITY
    if "tags" in given:
        unique: dict[str, str] = {}
        for tag in given["tags"] or ():
            unique.setdefault(fold(tag), tag.strip())
        cleaned["tags"] = tuple(unique.values())
    return cleaned


def _conditions(
    q: str | None = None,
    tag: str | None = None,
    due_from: str | None = None,
    due_to: str | None = None,
    priority: str | None = None,
) -> JSON:
    """Returns the parameters of todo_filters.sql; an absent filter matches everything."""
    no_later = due_to and (f"{due_to}~" if len(due_to) == len("2026-11-27") else due_to)
    has_due_filter = due_from or due_to
    return {
        **patterns(q, tag),
        "due_from": due_from or "",
        "due_to": no_later or ("9998" if has_due_filter else NO_DUE),
        "urgency_from": _urgency(priority) if priority else 0,
        "urgency_to": _urgency(priority or UNSET_PRIORITY),
    }


def patterns(q: str | None, tag: str | None) -> JSON:
    """Returns the LIKE patterns for text and tags; an absent filter matches everything."""
    return {
        "search_pattern": f"%{escape_like(fold(q))}%" if q else "%",
        "tag_pattern": f"%\n{escape_like(fold(tag))}\n%" if tag else "%",
    }


def _urgency(priority: str) -> int:
    """Returns the sort key of a priority, 0 for the most urgent."""
    return len(PRIORITIES) - 1 - PRIORITIES.index(priority)


def _priority(urgency: int) -> str:
    return PRIORITIES[len(PRIORITIES) - 1 - urgency]
