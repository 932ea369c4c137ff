"""Users and to-dos."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Byte order on both databases, so that cursors and due dates compare the same whatever the server's locale.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), primary_key=True),
        sa.Column("username", Text, nullable=False, unique=True),
        sa.Column("time_zone", Text),
        sa.Column("time_zone_guessed", sa.Boolean, nullable=False),
        sa.Column("last_todo_id", sa.Integer, nullable=False),
        sa.Column("created_at", Text, nullable=False),
    )
    op.create_table(
        "todos",
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("todo", Text, nullable=False),
        sa.Column("notes", Text),
        sa.Column("due", Text),
        sa.Column("due_key", Text, nullable=False),
        sa.Column("urgency", sa.SmallInteger, nullable=False),
        sa.Column("tags", Text, nullable=False),
        sa.Column("tag_keys", Text, nullable=False),
        sa.Column("search_text", Text, nullable=False),
        sa.Column("status", Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("updated_at", Text, nullable=False),
        sa.Column("done_at", Text),
        sa.Column("deleted_at", Text),
        sqlite_with_rowid=False,
    )
    # One index for each sort order of list_todos, ending with the id so that keyset paging can start at any row.
    op.create_index("todos_by_id", "todos", ["user_id", "status", "id"])
    op.create_index("todos_by_due", "todos", ["user_id", "status", "due_key", "id"])
    op.create_index("todos_by_urgency", "todos", ["user_id", "status", "urgency", "due_key", "id"])
    op.create_index("todos_by_update", "todos", ["user_id", "status", "updated_at", "id"])


def downgrade() -> None:
    op.drop_table("todos")
    op.drop_table("users")
