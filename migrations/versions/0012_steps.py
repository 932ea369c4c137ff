"""Steps: the checklist inside a to-do."""

import json
import re
import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

# Byte order on both databases, as in 0001.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

ROW_BYTES = 100  # as in the service when this revision was written
LOGGED = """
SELECT user_id, overflow, id, record_id, before, after FROM changes
WHERE kind = 'todo' AND (before LIKE '%"steps":%' OR after LIKE '%"steps":%')
"""
SAVE_LOGGED = """
UPDATE changes SET before = :before, after = :after, bytes = :bytes
WHERE user_id = :user_id AND overflow = :overflow AND id = :id AND kind = 'todo' AND record_id = :record_id
"""
WITH_STEPS = "SELECT user_id, id, todo, notes, tags, json FROM todos WHERE steps <> ''"
SAVE = """
UPDATE todos SET json = :json, search_text = :search_text, bytes = :bytes WHERE user_id = :user_id AND id = :id
"""
TOTAL = """
UPDATE users SET
    bytes = (SELECT COALESCE(SUM(bytes), 0) FROM todos WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM changes WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM lists WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM answers WHERE user_id = users.id)
"""
UNFOLDED = re.compile("([\ufdfa\ufdfb])")


def upgrade() -> None:
    op.add_column("todos", sa.Column("steps", Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Steps are lost, in the log too; a change to a to-do that had some no longer matches it and cannot be undone."""
    connection = op.get_bind()
    for row in connection.execute(sa.text(LOGGED)).mappings().all():
        sides = {side: without_steps(row[side]) for side in ("before", "after")}
        connection.execute(sa.text(SAVE_LOGGED), {**row, **sides, "bytes": size_of(*sides.values())})
    for row in connection.execute(sa.text(WITH_STEPS)).mappings().all():
        shown = without_steps(row["json"])
        text = fold("\n".join((row["todo"], row["notes"] or "", *json.loads(row["tags"]))))
        changed = {"json": shown, "search_text": text, "bytes": size_of(shown, shown, text)}
        connection.execute(sa.text(SAVE), {**row, **changed})
    op.drop_column("todos", "steps")
    op.execute(TOTAL)


def without_steps(text: str | None) -> str | None:
    """Returns a to-do, or one side of an edit, without its steps."""
    if text is None:
        return None
    fields: dict[str, Any] = json.loads(text)
    for each in (fields, fields.get("values", {})):
        each.pop("steps", None)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def size_of(*texts: str | None) -> int:
    return ROW_BYTES + sum(len(text.encode()) for text in texts if text)


def fold(text: str) -> str:
    pieces = UNFOLDED.split(text)
    pieces[::2] = [normal(normal(piece).casefold()) for piece in pieces[::2]]
    return " ".join("".join(pieces).split())


def normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
