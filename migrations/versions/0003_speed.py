"""To-dos store their JSON, users store counts by status, and an index finds retries by fingerprint."""

import json
from datetime import date
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# Byte order on both databases, as in 0001.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

COUNTS = ("open_count", "done_count", "deleted_count")
COUNT = """
UPDATE users SET
    open_count = (SELECT COUNT(*) FROM todos WHERE user_id = users.id AND status = 'open'),
    done_count = (SELECT COUNT(*) FROM todos WHERE user_id = users.id AND status = 'done'),
    deleted_count = (SELECT COUNT(*) FROM todos WHERE user_id = users.id AND status = 'deleted')
"""
PRIORITIES = ("high", "medium", "low", "none")  # by urgency, as stored when this revision was written


def upgrade() -> None:
    for name in COUNTS:
        op.add_column("users", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.add_column("users", sa.Column("swept_on", Text, nullable=False, server_default=""))
    op.drop_column("users", "todo_count")
    op.add_column("todos", sa.Column("json", Text, nullable=False, server_default=""))
    has_fingerprint = sa.text("fingerprint IS NOT NULL")
    op.create_index(
        "changes_by_fingerprint",
        "changes",
        ["user_id", "fingerprint", "at", "id"],
        sqlite_where=has_fingerprint,
        postgresql_where=has_fingerprint,
    )
    connection = op.get_bind()
    connection.execute(sa.text(COUNT))
    for user_id in connection.execute(sa.text("SELECT id FROM users")).scalars().all():
        show_list(connection, user_id)


def show_list(connection: sa.Connection, user_id: int) -> None:
    todos = connection.execute(sa.text("SELECT * FROM todos WHERE user_id = :id"), {"id": user_id}).mappings().all()
    rows = [{"user_id": user_id, "id": todo["id"], "json": shown(todo)} for todo in todos]
    if rows:
        connection.execute(sa.text("UPDATE todos SET json = :json WHERE user_id = :user_id AND id = :id"), rows)


def shown(todo: sa.RowMapping) -> str:
    """Returns a to-do as the JSON of a list, not overdue."""
    due, tags, priority = todo["due"], json.loads(todo["tags"]), PRIORITIES[todo["urgency"]]
    members: dict[str, Any] = {"id": todo["id"], "todo": todo["todo"], "notes": todo["notes"], "due": due}
    if due:
        members |= {"due_weekday": f"{date.fromisoformat(due[:10]):%A}", "overdue": False}
    members |= {"priority": priority if priority != "none" else None, "tags": tags or None, "repeat": todo["repeat"]}
    members |= {name: todo[name] for name in ("status", "version", "change_id")}
    present = {name: value for name, value in members.items() if value is not None}
    return json.dumps(present, ensure_ascii=False, separators=(",", ":"))


def downgrade() -> None:
    op.drop_index("changes_by_fingerprint", "changes")
    op.drop_column("todos", "json")
    op.add_column("users", sa.Column("todo_count", sa.Integer, nullable=False, server_default="0"))
    op.execute("UPDATE users SET todo_count = open_count + done_count")
    for name in (*COUNTS, "swept_on"):
        op.drop_column("users", name)
