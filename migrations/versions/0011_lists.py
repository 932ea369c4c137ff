"""Lists: each to-do is in one, which is the inbox (0) for all that are here."""

import json
import re
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

# Byte order on both databases, as in 0001.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IS_LIVE = sa.text("status <> 'removed'")
COUNTERS = ("last_list_id", "archived_lists")

# Before lists existed a change of them said nothing: the first row of a change stays, the others go.
EMPTY_ENTRIES = """
UPDATE changes SET kind = '', record_id = 0, action = NULL, before = NULL, after = NULL, bytes = :row_bytes
WHERE overflow = 0 AND kind = 'list'
"""
REMOVE_ENTRIES = "DELETE FROM changes WHERE overflow = 1 AND kind = 'list'"
LOGGED = """
SELECT user_id, overflow, id, record_id, before, after FROM changes
WHERE kind = 'todo' AND (before LIKE '%"list_id":%' OR after LIKE '%"list_id":%')
"""
SAVE_LOGGED = """
UPDATE changes SET before = :before, after = :after, bytes = :bytes
WHERE user_id = :user_id AND overflow = :overflow AND id = :id AND kind = 'todo' AND record_id = :record_id
"""
LISTED = "SELECT user_id, id, json, bytes FROM todos WHERE list_id > 0 AND status <> 'removed'"
SAVE_LISTED = "UPDATE todos SET json = :json, bytes = :bytes WHERE user_id = :user_id AND id = :id"
LIST_IN_JSON = re.compile(r'"list":[0-9]+,')  # in JSON no text holds a bare quotation mark
TOTAL = """
UPDATE users SET
    bytes = (SELECT COALESCE(SUM(bytes), 0) FROM todos WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM changes WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM answers WHERE user_id = users.id)
"""
ROW_BYTES = 100  # as in the service when this revision was written


def upgrade() -> None:
    op.create_table(
        "lists",
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("name_key", Text, nullable=False),
        sa.Column("position", sa.Double, nullable=False),
        sa.Column("status", Text, nullable=False),
        sa.Column("updated_at", Text, nullable=False),
        sa.Column("change_id", sa.Integer, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name="lists_key"),
        sqlite_with_rowid=False,
    )
    by_position = ["user_id", "position", "id"]
    op.create_index("lists_by_position", "lists", by_position, sqlite_where=IS_LIVE, postgresql_where=IS_LIVE)
    for name in COUNTERS:
        op.add_column("users", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.add_column("todos", sa.Column("list_id", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    """Every to-do is in the one list again; the log forgets which it was in."""
    connection = op.get_bind()
    connection.execute(sa.text(EMPTY_ENTRIES), {"row_bytes": ROW_BYTES})
    op.execute(REMOVE_ENTRIES)
    forget_in_log(connection)
    forget_in_todos(connection)
    op.drop_column("todos", "list_id")
    for name in COUNTERS:
        op.drop_column("users", name)
    op.drop_table("lists")
    op.execute(TOTAL)


def forget_in_log(connection: sa.Connection) -> None:
    for row in connection.execute(sa.text(LOGGED)).mappings().all():
        sides = {side: without_list(row[side]) for side in ("before", "after")}
        size = ROW_BYTES + sum(len(text.encode()) for text in sides.values() if text)
        connection.execute(sa.text(SAVE_LOGGED), {**row, **sides, "bytes": size})


def without_list(logged: str | None) -> str | None:
    """Returns a to-do of the log, or one side of an edit, without its list."""
    if logged is None:
        return None
    fields: dict[str, Any] = json.loads(logged)
    for each in (fields, fields.get("values", {})):
        each.pop("list_id", None)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def forget_in_todos(connection: sa.Connection) -> None:
    for row in connection.execute(sa.text(LISTED)).mappings().all():
        text = LIST_IN_JSON.sub("", row["json"], count=1)
        saved = 2 * (len(row["json"]) - len(text))
        connection.execute(sa.text(SAVE_LISTED), {**row, "json": text, "bytes": row["bytes"] - saved})
