"""What pages need: the addresses of shared to-dos, and of private calendars."""

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
    op.drop_index("accounts_by_calendar", "accounts")
    op.drop_column("accounts", "calendar")
    op.drop_index("todos_by_share", "todos")
    op.drop_column("todos", "share_until")
    op.drop_column("todos", "share")
