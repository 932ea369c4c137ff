"""Secret links of shared to-dos and of private calendars."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# Byte order on both databases, as in 0001.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("todos", sa.Column("share", Text))
    op.add_column("todos", sa.Column("share_until", Text))
    shared = sa.text("share IS NOT NULL")
    op.create_index("todos_by_share", "todos", ["share"], unique=True, sqlite_where=shared, postgresql_where=shared)
    op.add_column("accounts", sa.Column("calendar", Text))
    subscribed = sa.text("calendar IS NOT NULL")
    op.create_index(
        "accounts_by_calendar",
        "accounts",
        ["calendar"],
        unique=True,
        sqlite_where=subscribed,
        postgresql_where=subscribed,
    )


def downgrade() -> None:
    connection = op.get_bind()
    shared = connection.execute(sa.text("SELECT user_id, id, json FROM todos WHERE share IS NOT NULL")).mappings().all()
    for row in shared:
        shown = without(row["json"], "url", "url_until")
        connection.execute(
            sa.text("UPDATE todos SET json = :json WHERE user_id = :user_id AND id = :id"), {**row, "json": shown}
        )
    logged = """
        SELECT user_id, change_id, todo_id, before, after FROM entries
        WHERE before LIKE '%"share"%' OR after LIKE '%"share"%'
    """
    for row in connection.execute(sa.text(logged)).mappings().all():
        sides = {side: without(row[side], "share", "share_until") for side in ("before", "after")}
        connection.execute(
            sa.text(
                "UPDATE entries SET before = :before, after = :after"
                " WHERE user_id = :user_id AND change_id = :change_id AND todo_id = :todo_id"
            ),
            {**row, **sides},
        )
    op.drop_index("accounts_by_calendar", "accounts")
    op.drop_column("accounts", "calendar")
    op.drop_index("todos_by_share", "todos")
    op.drop_column("todos", "share_until")
    op.drop_column("todos", "share")


def without(text: Any, *names: str) -> str | None:
    """Returns a JSON object without these members; None for None."""
    if text is None:
        return None
    kept = {name: value for name, value in json.loads(text).items() if name not in names}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
