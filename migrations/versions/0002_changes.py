"""The change log, stored answers for retries, and repeating to-dos."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# Byte order on both databases, as in 0001.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

PRIORITIES = ("high", "medium", "low", "none")  # by urgency, as stored when this revision was written


def upgrade() -> None:
    op.add_column("users", sa.Column("last_change_id", sa.Integer, nullable=False, server_default="0"))
    op.add_column("users", sa.Column("todo_count", sa.Integer, nullable=False, server_default="0"))
    op.add_column("todos", sa.Column("change_id", sa.Integer, nullable=False, server_default="0"))
    op.add_column("todos", sa.Column("series", sa.Integer))
    for name in ("repeat", "series_start", "occurrence"):
        op.add_column("todos", sa.Column(name, Text))
    repeats = sa.text("series IS NOT NULL")
    op.create_index(
        "todos_by_series",
        "todos",
        ["user_id", "series", "occurrence"],
        sqlite_where=repeats,
        postgresql_where=repeats,
    )
    op.create_table(
        "changes",
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", Text, nullable=False),
        sa.Column("actor", Text, nullable=False),
        sa.Column("client", Text, nullable=False),
        sa.Column("summary", Text, nullable=False),
        sa.Column("undoes", sa.Integer),
        sa.Column("fingerprint", Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "entries",
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
        sa.Column("change_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("todo_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("action", Text, nullable=False),
        sa.Column("before", Text),
        sa.Column("after", Text),
        sqlite_with_rowid=False,
    )
    op.create_index("entries_by_todo", "entries", ["user_id", "todo_id", "change_id"])
    op.create_table(
        "answers",
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
        sa.Column("request_id", Text, primary_key=True),
        sa.Column("fingerprint", Text, nullable=False),
        sa.Column("answer", Text, nullable=False),
        sa.Column("expires_at", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("answers_by_expiry", "answers", ["user_id", "expires_at"])
    import_todos(op.get_bind())


def import_todos(connection: sa.Connection) -> None:
    """Writes one change for each existing list, so that replaying its log yields its to-dos."""
    users = connection.execute(sa.text("SELECT id FROM users")).scalars().all()
    for user_id in users:
        todos = connection.execute(
            sa.text("SELECT * FROM todos WHERE user_id = :user_id ORDER BY id"), {"user_id": user_id}
        ).mappings()
        entries = [
            {"user_id": user_id, "todo_id": todo["id"], "after": json.dumps(snapshot(todo), ensure_ascii=False)}
            for todo in todos
        ]
        if entries:
            import_list(connection, user_id, entries)


def import_list(connection: sa.Connection, user_id: int, entries: list[dict[str, Any]]) -> None:
    summary = f"Kept {len(entries)} to-dos from before there was a log."
    connection.execute(
        sa.text(
            "INSERT INTO changes (user_id, id, at, actor, client, summary)"
            " SELECT id, 1, created_at, 'operator', 'migration', :summary FROM users WHERE id = :user_id"
        ),
        {"user_id": user_id, "summary": summary},
    )
    connection.execute(
        sa.text(
            "INSERT INTO entries (user_id, change_id, todo_id, action, after)"
            " VALUES (:user_id, 1, :todo_id, 'import', :after)"
        ),
        entries,
    )
    connection.execute(sa.text("UPDATE todos SET change_id = 1 WHERE user_id = :user_id"), {"user_id": user_id})
    connection.execute(
        sa.text(
            "UPDATE users SET last_change_id = 1, todo_count = (SELECT COUNT(*) FROM todos"
            " WHERE user_id = users.id AND status <> 'deleted') WHERE id = :user_id"
        ),
        {"user_id": user_id},
    )


def snapshot(todo: sa.RowMapping) -> dict[str, Any]:
    """Returns a to-do as the log stores it."""
    kept = ("id", "todo", "notes", "due", "status", "version", "created_at", "updated_at", "done_at", "deleted_at")
    return {
        **{name: todo[name] for name in kept},
        "priority": PRIORITIES[todo["urgency"]],
        "tags": json.loads(todo["tags"]),
        "repeat": None,
        "series": None,
        "series_start": None,
        "occurrence": None,
        "change_id": 1,
    }


def downgrade() -> None:
    for table in ("answers", "entries", "changes"):
        op.drop_table(table)
    op.drop_index("todos_by_series", "todos")
    for name in ("change_id", "repeat", "series", "series_start", "occurrence"):
        op.drop_column("todos", name)
    for name in ("last_change_id", "todo_count"):
        op.drop_column("users", name)
