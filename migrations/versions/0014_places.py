"""Places: a to-do that somebody has moved has a position among those with the same due date."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

IS_MOVED = sa.text("status = 'open' AND position IS NOT NULL")
ROW_BYTES = 100  # as in the service when this revision was written
LOGGED = """
SELECT user_id, overflow, id, record_id, before, after FROM changes
WHERE kind = 'todo' AND (before LIKE '%"position":%' OR after LIKE '%"position":%')
"""
SAVE_LOGGED = """
UPDATE changes SET before = :before, after = :after, bytes = :bytes
WHERE user_id = :user_id AND overflow = :overflow AND id = :id AND kind = 'todo' AND record_id = :record_id
"""
TOTAL = """
UPDATE users SET
    bytes = (SELECT COALESCE(SUM(bytes), 0) FROM todos WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM changes WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM lists WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM answers WHERE user_id = users.id)
"""


def upgrade() -> None:
    op.add_column("todos", sa.Column("position", sa.BigInteger))
    by_position = ["user_id", "due_key", "position", "id"]
    op.create_index("todos_by_position", "todos", by_position, sqlite_where=IS_MOVED, postgresql_where=IS_MOVED)


def downgrade() -> None:
    """Positions are lost, in the log too: a change to a to-do that had one cannot be undone any more."""
    connection = op.get_bind()
    for row in connection.execute(sa.text(LOGGED)).mappings().all():
        sides = {side: without_position(row[side]) for side in ("before", "after")}
        size = ROW_BYTES + sum(len(text.encode()) for text in sides.values() if text)
        connection.execute(sa.text(SAVE_LOGGED), {**row, **sides, "bytes": size})
    op.drop_index("todos_by_position", "todos")
    op.drop_column("todos", "position")
    op.execute(TOTAL)


def without_position(text: str | None) -> str | None:
    """Returns a to-do, or one side of an edit, without its position."""
    if text is None:
        return None
    fields: dict[str, Any] = json.loads(text)
    for each in (fields, fields.get("values", {})):
        each.pop("position", None)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
