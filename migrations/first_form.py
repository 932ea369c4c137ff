"""Mends databases of 22 November 2026, before migrations run: what was changed that day without a migration."""

import json

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

TIMES = {"created_at", "updated_at"}


def add_series(connection: sa.Connection) -> None:
    """Adds the column todos.series and its index where 0002 has run without them. What repeats begins a series."""
    inspector = sa.inspect(connection)
    columns = {column["name"] for column in inspector.get_columns("todos")} if inspector.has_table("todos") else set()
    if "occurrence" not in columns or "series" in columns:
        return
    op = Operations(MigrationContext.configure(connection))
    op.add_column("todos", sa.Column("series", sa.Integer))
    op.execute("UPDATE todos SET series = id WHERE repeat IS NOT NULL")
    repeats = sa.text("series IS NOT NULL")
    columns_of_index = ["user_id", "series", "occurrence"]
    op.create_index("todos_by_series", "todos", columns_of_index, sqlite_where=repeats, postgresql_where=repeats)


def drop_times(connection: sa.Connection, revision: str | None) -> None:
    """Takes the times out of what lists show of to-dos: the code of revisions 0003 and 0004 wrote them there."""
    if revision not in ("0003", "0004"):
        return
    shown = connection.execute(sa.text("SELECT user_id, id, json FROM todos")).mappings().all()
    update = sa.text("UPDATE todos SET json = :json WHERE user_id = :user_id AND id = :id")
    for row in shown:
        kept = {name: value for name, value in json.loads(row["json"]).items() if name not in TIMES}
        text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
        connection.execute(update, {**row, "json": text})
