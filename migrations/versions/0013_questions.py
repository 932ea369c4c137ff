"""Questions: when a to-do was done is in its JSON, search ignores accents, and users have a first day of the week.

The first row of a change of several records also says what kinds of action it has.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

# Byte order on both databases, as in 0001.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

BATCH = 500
ROW_BYTES = 100  # as in the service when this revision was written
PHRASES = "\ufdfa\ufdfb"
ACCENTS = re.compile("[\u0300-\u036f]+")

# In JSON no text holds a bare quotation mark, so that this can only be the field.
SHOW_DONE_AT = """
UPDATE todos
SET json = REPLACE(json, '"status":"done",', '"status":"done","done_at":"' || done_at || '",'),
    bytes = bytes + 2 * LENGTH('"done_at":"' || done_at || '",')
WHERE status = 'done' AND done_at IS NOT NULL
"""
HIDE_DONE_AT = """
UPDATE todos
SET json = REPLACE(json, '"done_at":"' || done_at || '",', ''),
    bytes = bytes - 2 * LENGTH('"done_at":"' || done_at || '",')
WHERE status = 'done' AND done_at IS NOT NULL
"""
NEXT_TEXTS = """
SELECT user_id, id, todo, notes, tags, steps, search_text FROM todos
WHERE (user_id, id) > (:user_id, :id) AND status <> 'removed' ORDER BY user_id, id LIMIT :limit
"""
FOLD = """
UPDATE todos SET search_text = :search_text, bytes = bytes + :growth WHERE user_id = :user_id AND id = :id
"""
TOTAL = """
UPDATE users SET
    bytes = (SELECT COALESCE(SUM(bytes), 0) FROM todos WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM changes WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM lists WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM answers WHERE user_id = users.id)
"""
# The kinds of action, in the order of the alphabet and with a space on both sides of each.
KINDS = {
    "sqlite": """
        SELECT ' ' || GROUP_CONCAT(action, ' ') || ' ' FROM (
            SELECT DISTINCT action FROM changes AS entries
            WHERE entries.user_id = changes.user_id AND entries.overflow IN (0, 1) AND entries.id = changes.id
              AND action IS NOT NULL
            ORDER BY action
        ) AS kinds
    """,
    "postgresql": """
        SELECT ' ' || STRING_AGG(DISTINCT action, ' ' ORDER BY action) || ' ' FROM changes AS entries
        WHERE entries.user_id = changes.user_id AND entries.overflow IN (0, 1) AND entries.id = changes.id
    """,
}
NOTE_ACTIONS = """
UPDATE changes SET actions = ({kinds})
WHERE overflow = 0 AND EXISTS (
    SELECT 1 FROM changes AS others
    WHERE others.user_id = changes.user_id AND others.overflow = 1 AND others.id = changes.id
)
"""
WEEK_SETTERS = """
SELECT DISTINCT changes.user_id, users.time_zone, users.time_zone_guessed
FROM changes JOIN users ON users.id = changes.user_id
WHERE kind = 'profile' AND after LIKE '%"week_start"%'
"""
PROFILE_ENTRIES = """
SELECT user_id, overflow, id, before, after FROM changes
WHERE user_id = :user_id AND kind = 'profile' ORDER BY id DESC
"""
SAVE_PROFILE_ENTRY = """
UPDATE changes SET before = :before, after = :after, bytes = :bytes
WHERE user_id = :user_id AND overflow = :overflow AND id = :id AND kind = 'profile'
"""


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column("users", sa.Column("week_start", Text))
    op.add_column("changes", sa.Column("actions", Text))
    connection.execute(sa.text(NOTE_ACTIONS.format(kinds=KINDS[connection.dialect.name])))
    connection.execute(sa.text(SHOW_DONE_AT))
    fold_anew(connection, without_accents)
    connection.execute(sa.text(TOTAL))


def fold_anew(connection: sa.Connection, fold_text: Callable[[str], str]) -> None:
    for rows in batches(connection):
        folded = [{**row, "search_text": fold_text(text_of(row)), "former": row["search_text"]} for row in rows]
        changed = [row for row in folded if row["search_text"] != row["former"]]
        for row in changed:
            row["growth"] = len(row["search_text"].encode()) - len(row["former"].encode())
        if changed:
            connection.execute(sa.text(FOLD), changed)


def batches(connection: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    """Yields all to-dos, BATCH at a time."""
    last = {"user_id": -1, "id": 0}
    while rows := connection.execute(sa.text(NEXT_TEXTS), {**last, "limit": BATCH}).mappings().all():
        yield [dict(row) for row in rows]
        last = {name: rows[-1][name] for name in last}


def text_of(row: dict[str, Any]) -> str:
    steps = [step["text"] for step in json.loads(row["steps"] or "[]")]
    return "\n".join((row["todo"], row["notes"] or "", *json.loads(row["tags"]), *steps))


def without_accents(text: str) -> str:
    bare = ACCENTS.sub("", unicodedata.normalize("NFD", fold(text)))
    return " ".join(unicodedata.normalize("NFC", bare).split())


def fold(text: str) -> str:
    kept = re.split(f"([{PHRASES}])", text)
    folded = [part if part in PHRASES else normal(normal(part).casefold()) for part in kept if part]
    return " ".join("".join(folded).split())


def normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def downgrade() -> None:
    connection = op.get_bind()
    connection.execute(sa.text(HIDE_DONE_AT))
    fold_anew(connection, fold)
    for user in connection.execute(sa.text(WEEK_SETTERS)).mappings().all():
        forget_week_start(connection, user)
    connection.execute(sa.text(TOTAL))
    op.drop_column("changes", "actions")
    op.drop_column("users", "week_start")


def forget_week_start(connection: sa.Connection, user: sa.RowMapping) -> None:
    """Leaves the time zone in the entries of a profile, working back from its current state."""
    later = {"time_zone": user["time_zone"], "time_zone_guessed": bool(user["time_zone_guessed"])}
    rows = connection.execute(sa.text(PROFILE_ENTRIES), {"user_id": user["user_id"]})
    for row in rows.mappings().all():
        before, after = json.loads(row["before"]), json.loads(row["after"])
        earlier = {name: before["values"].get(name, value) for name, value in later.items()}
        for side, profile in ((before, earlier), (after, later)):
            side["values"].pop("week_start", None)
            side["digest"] = blake2b(compact(list(profile.values())).encode(), digest_size=16).hexdigest()
        kept = {"before": compact(before), "after": compact(after)}
        size = ROW_BYTES + sum(len(side.encode()) for side in kept.values())
        connection.execute(sa.text(SAVE_PROFILE_ENTRY), {**row, **kept, "bytes": size})
        later = earlier


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
