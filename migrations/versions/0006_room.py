"""The log stores differences only, users store their size in bytes, and series are numbered."""

import json
import re
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

# As in the service when this revision was written.
ROW_BYTES = 100
SEEN = ("due", "notes", "priority", "repeat", "tags", "todo", "share", "share_until", "status")
DEFAULTS: dict[str, Any] = {"priority": "none", "tags": []}
TEXTS = ("todo", "notes")
CONTEXT, LEAST_SAVED, MAX_TITLE = 20, 40, 100
BATCH = 500
PHRASES = "\ufdfa\ufdfb"

NEXT_CHANGES = """
SELECT user_id, change_id, todo_id, before, after FROM entries
WHERE (user_id, change_id, todo_id) > (:user_id, :change_id, :todo_id)
  AND todo_id > 0 AND before IS NOT NULL AND after IS NOT NULL
ORDER BY user_id, change_id, todo_id LIMIT :limit
"""
SAVE = """
UPDATE entries SET before = :before, after = :after
WHERE user_id = :user_id AND change_id = :change_id AND todo_id = :todo_id
"""
FOLD = "UPDATE todos SET search_text = :search_text, tag_keys = :tag_keys WHERE user_id = :user_id AND id = :id"
TOTAL = """
UPDATE users SET
    last_series = last_todo_id,
    bytes = (SELECT COALESCE(SUM(bytes), 0) FROM todos WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM entries WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM answers WHERE user_id = users.id)
          + (SELECT COUNT(*) FROM changes WHERE user_id = users.id) * :row_bytes
"""


def upgrade() -> None:
    op.add_column("users", sa.Column("last_series", sa.Integer, nullable=False, server_default="0"))
    op.add_column("users", sa.Column("bytes", sa.BigInteger, nullable=False, server_default="0"))
    for table in ("todos", "entries", "answers"):
        op.add_column(table, sa.Column("bytes", sa.Integer, nullable=False, server_default="0"))
    connection = op.get_bind()
    for rows in batches(connection):
        connection.execute(sa.text(SAVE), [keep_what_differs(row) for row in rows])
    fold_anew(connection)
    count(connection, "todos", "json", "json", "search_text")
    count(connection, "entries", "before", "after")
    count(connection, "answers", "request_id", "answer")
    connection.execute(sa.text(TOTAL), {"row_bytes": ROW_BYTES})


def fold_anew(connection: sa.Connection) -> None:
    """Refolds texts with two ligatures that search no longer expands: one became up to 18 characters."""
    long = " OR ".join(f"{column} LIKE '%{phrase}%'" for column in ("todo", "notes", "tags") for phrase in PHRASES)
    rows = connection.execute(sa.text(f"SELECT user_id, id, todo, notes, tags FROM todos WHERE {long}"))  # noqa: S608
    for row in rows.mappings().all():
        tags = json.loads(row["tags"])
        folded = {
            "search_text": fold("\n".join((row["todo"], row["notes"] or "", *tags))),
            "tag_keys": "".join(f"\n{fold(tag)}\n" for tag in tags),
        }
        connection.execute(sa.text(FOLD), {"user_id": row["user_id"], "id": row["id"], **folded})


def fold(text: str) -> str:
    kept = re.split(f"([{PHRASES}])", text)
    folded = [part if part in PHRASES else normal(normal(part).casefold()) for part in kept if part]
    return " ".join("".join(folded).split())


def normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def count(connection: sa.Connection, table: str, *columns: str) -> None:
    size = "OCTET_LENGTH({})" if connection.dialect.name == "postgresql" else "LENGTH(CAST({} AS BLOB))"
    sizes = " + ".join(f"COALESCE({size.format(column)}, 0)" for column in columns)
    statement = f"UPDATE {table} SET bytes = :row_bytes + {sizes}"  # noqa: S608
    connection.execute(sa.text(statement), {"row_bytes": ROW_BYTES})


def batches(connection: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    """Yields the entries to rewrite, BATCH at a time."""
    last = {"user_id": -1, "change_id": 0, "todo_id": 0}
    while rows := connection.execute(sa.text(NEXT_CHANGES), {**last, "limit": BATCH}).mappings().all():
        yield [dict(row) for row in rows]
        last = {name: rows[-1][name] for name in last}


def keep_what_differs(row: dict[str, Any]) -> dict[str, Any]:
    before, after = json.loads(row["before"]), json.loads(row["after"])
    olds, news = {}, {}
    for name in {**before, **after}:
        old, new = (side.get(name, DEFAULTS.get(name)) for side in (before, after))
        if old != new:
            olds[name], news[name] = cut(old, new) if name in TEXTS and old and new else (old, new)
    title = after["todo"] if len(after["todo"]) <= MAX_TITLE else after["todo"][:MAX_TITLE] + "…"
    old_side = {"digest": digest(before), "values": olds, "title": ""}
    new_side = {"digest": digest(after), "values": news, "title": title}
    return {**row, "before": compact(old_side), "after": compact(new_side)}


def digest(todo: dict[str, Any]) -> str:
    seen = [todo.get(name, DEFAULTS.get(name)) for name in SEEN]
    return blake2b(compact(seen).encode(), digest_size=16).hexdigest()


def cut(old: str, new: str) -> tuple[Any, Any]:
    same = common(old, new)
    start = max(0, same - CONTEXT)
    end = max(0, common(old[same:][::-1], new[same:][::-1]) - CONTEXT)
    if start + end < LEAST_SAVED:
        return old, new
    return [start, end, old[start : len(old) - end]], [start, end, new[start : len(new) - end]]


def common(one: str, other: str) -> int:
    return next(
        (n for n, pair in enumerate(zip(one, other, strict=False)) if len({*pair}) > 1), min(map(len, (one, other)))
    )


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def downgrade() -> None:
    """Restores full entries, working back from each to-do's current state."""
    connection = op.get_bind()
    users = connection.execute(sa.text("SELECT id FROM users")).scalars().all()
    for user_id in users:
        make_whole(connection, user_id)
    for table in ("todos", "entries", "answers"):
        op.drop_column(table, "bytes")
    op.drop_column("users", "bytes")
    op.drop_column("users", "last_series")


def make_whole(connection: sa.Connection, user_id: int) -> None:
    todo_ids = connection.execute(
        sa.text("SELECT DISTINCT todo_id FROM entries WHERE user_id = :user_id AND todo_id > 0"), {"user_id": user_id}
    )
    for todo_id in todo_ids.scalars().all():
        which = {"user_id": user_id, "todo_id": todo_id}
        rows = connection.execute(
            sa.text("SELECT * FROM entries WHERE user_id = :user_id AND todo_id = :todo_id ORDER BY change_id DESC"),
            which,
        )
        later = present(connection, which)
        for row in [dict(row) for row in rows.mappings()]:
            if row["before"] and row["after"]:
                earlier = put_back(later, json.loads(row["before"])["values"])
                connection.execute(sa.text(SAVE), {**row, "before": compact(earlier), "after": compact(later)})
                later = earlier
            else:
                later = json.loads(row["before"] or row["after"])


def present(connection: sa.Connection, which: dict[str, Any]) -> dict[str, Any]:
    row = (
        connection.execute(sa.text("SELECT * FROM todos WHERE user_id = :user_id AND id = :todo_id"), which)
        .mappings()
        .first()
    )
    if row is None:
        return {}
    derived = ("user_id", "due_key", "urgency", "tag_keys", "search_text", "json", "bytes")
    kept = {name: value for name, value in row.items() if name not in derived and value is not None}
    priority = ("high", "medium", "low", "none")[row["urgency"]]
    return {**kept, "priority": priority, "tags": json.loads(row["tags"])}


def put_back(todo: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    whole = dict(todo)
    for name, value in values.items():
        if name in TEXTS and isinstance(value, list):
            start, end, part = value
            whole[name] = todo[name][:start] + part + todo[name][len(todo[name]) - end :]
        else:
            whole[name] = value
    return {name: value for name, value in whole.items() if value is not None}
