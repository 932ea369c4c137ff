"""Only to-dos that are not open are in the index of the last changes, so that adding a to-do writes one index less."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

BY_UPDATE = ["user_id", "status", "updated_at", "id"]
IS_CLOSED = sa.text("status <> 'open'")


def upgrade() -> None:
    op.drop_index("todos_by_update", "todos")
    op.create_index("todos_by_update", "todos", BY_UPDATE, sqlite_where=IS_CLOSED, postgresql_where=IS_CLOSED)


def downgrade() -> None:
    op.drop_index("todos_by_update", "todos")
    op.create_index("todos_by_update", "todos", BY_UPDATE)
