"""To-dos: the rules, as plain functions of a connection, an owner and values."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from todo import contract, users
from todo.errors import TodoNotFound, VersionConflict
from todo.paging import Page
from todo.storage.engine import Connection
from todo.users import Owner, User, utc_now

JSON = dict[str, Any]

PRIORITIES = contract.API.enum("Priority")  # from least to most urgent
UNSET_PRIORITY = PRIORITIES[0]
NO_DUE = "9999"  # sorts after every due date


@dataclass(frozen=True)
class Todo:
    """A to-do as it is stored; `due` is local to its owner, the times are UTC."""

    id: int
    todo: str
    notes: str | None
    due: str | None
    priority: str
    tags: tuple[str, ...]
    status: str
    version: int
    created_at: str
    updated_at: str
    done_at: str | None = None
    deleted_at: str | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Todo":
        return cls(
            id=row["id"],
            todo=row["todo"],
            notes=row["notes"],
            due=row["due"],
            priority=_priority(row["urgency"]),
            tags=tuple(json.loads(row["tags"])),
            status=row["status"],
            version=row["version"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            done_at=row["done_at"],
            deleted_at=row["deleted_at"],
        )

    def to_row(self) -> JSON:
        """Returns the columns: the fields, and what lists sort and search by."""
        return {
            **{name: value for name, value in vars(self).items() if name not in ("priority", "tags")},
            "due_key": self.due or NO_DUE,
            "urgency": _urgency(self.priority),
            "tags": json.dumps(self.tags, ensure_ascii=False),
            "tag_keys": "".join(f"\n{fold(tag)}\n" for tag in self.tags),
            "search_text": fold("\n".join((self.todo, self.notes or "", *self.tags))),
        }

    def to_json(self, now: datetime) -> JSON:
        """Returns what a caller sees at `now`, the owner's local time: what is unset is absent."""
        shown: JSON = {"id": self.id, "todo": self.todo}
        if self.notes:
            shown["notes"] = self.notes
        if self.due:
            shown["due"] = self.due
            shown["due_weekday"] = f"{date.fromisoformat(self.due[:10]):%A}"
            shown["overdue"] = self.status == "open" and self.due < f"{now:%Y-%m-%dT%H:%M}"[: len(self.due)]
        if self.priority != UNSET_PRIORITY:
            shown["priority"] = self.priority
        if self.tags:
            shown["tags"] = list(self.tags)
        return shown | {
            "status": self.status,
            "version": self.version,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


def page(connection: Connection, owner: Owner, filters: JSON, sort: str, limit: int, cursor: str | None) -> JSON:
    """Returns one page, by the filters of list_todos. Raises InvalidRequest for a cursor that is not of this list."""
    user = users.find(connection, owner)
    wanted = Page(sort, limit, cursor)
    which = "all" if filters["status"] == "all" else "one"
    conditions = {"user_id": user.id, **_conditions(**filters)}
    rows = getattr(connection, f"list_{which}_{sort}")(**conditions, **wanted.after, limit=limit + 1)
    total = getattr(connection, f"total_{which}")(**conditions)["total"]
    now = user.local_now()
    rows, next_cursor = wanted.cut(list(rows))
    todos = [Todo.from_row(row).to_json(now) for row in rows]
    answer = {"todos": todos, "returned": len(todos), "total": total, "today": f"{now:%A %Y-%m-%d}"}
    return answer | ({"next_cursor": next_cursor} if next_cursor else {})


def add(connection: Connection, owner: Owner, fields: JSON) -> JSON:
    """Returns the new to-do."""
    user = users.open_list(connection, owner)
    now = utc_now()
    todo = Todo(
        id=connection.next_todo_id(user_id=user.id)["last_todo_id"],
        **{"notes": None, "due": None, "priority": UNSET_PRIORITY, "tags": (), **_clean(fields)},
        status="open",
        version=1,
        created_at=now,
        updated_at=now,
    )
    connection.insert_todo(user_id=user.id, **todo.to_row())
    return todo.to_json(user.local_now())


def get(connection: Connection, owner: Owner, todo_id: int) -> JSON:
    """Returns the to-do. Raises TodoNotFound."""
    user = users.find(connection, owner)
    return _find(connection, user, todo_id).to_json(user.local_now())


def update(connection: Connection, owner: Owner, todo_id: int, fields: JSON) -> JSON:
    """Returns the to-do with `fields` changed; null clears. Raises TodoNotFound and VersionConflict."""
    changes = {name: value for name, value in fields.items() if name != "if_version"}
    return _change(connection, owner, todo_id, fields, **_clean(changes))


def complete(connection: Connection, owner: Owner, todo_id: int, precondition: JSON) -> JSON:
    """Returns the to-do, done. Raises TodoNotFound and VersionConflict."""
    return _change(connection, owner, todo_id, precondition, status="done")


def reopen(connection: Connection, owner: Owner, todo_id: int, precondition: JSON) -> JSON:
    """Returns the to-do, open. Raises TodoNotFound and VersionConflict."""
    return _change(connection, owner, todo_id, precondition, status="open")


def delete(connection: Connection, owner: Owner, todo_id: int, precondition: JSON) -> JSON:
    """Returns the to-do, moved to the trash. Raises TodoNotFound and VersionConflict."""
    return _change(connection, owner, todo_id, precondition, status="deleted")


def delete_at(connection: Connection, owner: Owner, place: int) -> JSON:
    """Returns the open to-do at `place`, from 0 in the default order, moved to the trash. Raises TodoNotFound."""
    user = users.open_list(connection, owner)
    row = connection.open_todo_at(user_id=user.id, place=place)
    if row is None:
        raise TodoNotFound
    return delete(connection, owner, row["id"], {})


def _find(connection: Connection, user: User, todo_id: int) -> Todo:
    row = connection.todo_by_id(user_id=user.id, id=todo_id)
    if row is None or row["status"] == "deleted":
        raise TodoNotFound
    return Todo.from_row(row)


def _change(connection: Connection, owner: Owner, todo_id: int, precondition: JSON, **changes: Any) -> JSON:
    """Applies `changes` if the precondition holds; what changes nothing leaves the version as it is."""
    user = users.open_list(connection, owner)
    before = _find(connection, user, todo_id)
    if precondition.get("if_version", before.version) != before.version:
        raise VersionConflict(before.version)
    after = replace(before, **changes)
    if after != before:
        after = _next_version(after, utc_now())
        connection.save_todo(user_id=user.id, **after.to_row())
    return after.to_json(user.local_now())


def _next_version(todo: Todo, now: str) -> Todo:
    """Returns the to-do one version on, with the times that its status calls for."""
    done_at = {"open": None, "done": todo.done_at or now, "deleted": todo.done_at}[todo.status]
    deleted_at = now if todo.status == "deleted" else None
    return replace(todo, version=todo.version + 1, updated_at=now, done_at=done_at, deleted_at=deleted_at)


def _clean(fields: JSON) -> JSON:
    """Returns the fields as they are stored: trimmed, minutes without seconds, tags once each, null as unset."""
    clean = dict(fields)
    if "todo" in fields:
        clean["todo"] = fields["todo"].strip()
    if "notes" in fields:
        clean["notes"] = (fields["notes"] or "").strip() or None
    if fields.get("due"):
        clean["due"] = fields["due"][: len("2026-11-27T18:00")]
    if "priority" in fields:
        clean["priority"] = fields["priority"] or UNSET_PRIORITY
    if "tags" in fields:
        unique: dict[str, str] = {}
        for tag in fields["tags"] or ():
            unique.setdefault(fold(tag), tag.strip())
        clean["tags"] = tuple(unique.values())
    return clean


def _conditions(
    status: str,
    q: str | None,
    tag: str | None,
    due_from: str | None,
    due_to: str | None,
    priority: str | None,
) -> JSON:
    """Returns what the statements in todo_filters.sql compare with; a filter left out lets everything through."""
    no_later = due_to and (f"{due_to}~" if len(due_to) == len("2026-11-27") else due_to)
    has_due_filter = due_from or due_to
    return {
        "status": status,
        "search_pattern": f"%{_literal(fold(q))}%" if q else "%",
        "tag_pattern": f"%\n{_literal(fold(tag))}\n%" if tag else "%",
        "due_from": due_from or "",
        "due_to": no_later or ("9998" if has_due_filter else NO_DUE),
        "urgency_from": _urgency(priority) if priority else 0,
        "urgency_to": _urgency(priority or UNSET_PRIORITY),
    }


def _urgency(priority: str) -> int:
    """Returns the place of a priority in a list that starts with the most urgent."""
    return len(PRIORITIES) - 1 - PRIORITIES.index(priority)


def _priority(urgency: int) -> str:
    return PRIORITIES[len(PRIORITIES) - 1 - urgency]


def fold(text: str) -> str:
    """Returns what search compares: case and width folded away, in any alphabet, white space made one space."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def _literal(text: str) -> str:
    """Returns `text` so that LIKE takes it for itself."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
