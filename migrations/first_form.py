"""Mends databases that the first form of migration 0002 made, on the day before it was replaced in place."""

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext


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
