"""One log table in place of two: one row for a plain change, one for each record of a larger one."""

import json
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# Byte order on both databases, as in 0001.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

ROW_BYTES = 100  # as in the service when this revision was written
IS_DATED, IS_URGENT = sa.text("due_key < '9999'"), sa.text("urgency < 3")

# A change that an emptied trash or a cleared log has left without entries is a row of its own.
LOG = """
INSERT INTO changes (user_id, overflow, id, kind, record_id, at, actor, client, grant_id, summary, undoes, action,
                     before, after, previous, bytes)
SELECT headers.user_id, 0, headers.id,
       CASE WHEN logged.todo_id IS NULL THEN '' WHEN logged.todo_id = 0 THEN 'profile' ELSE 'todo' END,
       COALESCE(logged.todo_id, 0), headers.at, headers.actor, headers.client, headers.grant_id, headers.summary,
       headers.undoes, logged.action, logged.before, logged.after, COALESCE(logged.previous, 0),
       COALESCE(logged.bytes, :row_bytes)
FROM headers LEFT JOIN logged
ON logged.user_id = headers.user_id AND logged.change_id = headers.id AND logged.place = 1
"""
OVERFLOW = """
INSERT INTO changes (user_id, overflow, id, kind, record_id, action, before, after, previous, bytes)
SELECT user_id, 1, change_id, 'todo', todo_id, action, before, after, COALESCE(previous, 0), bytes
FROM logged WHERE place > 1
"""
# Each entry with its place in its change, and the change of the same record before it.
LOGGED = """
CREATE TEMPORARY TABLE logged AS
SELECT entries.*, ROW_NUMBER() OVER (PARTITION BY user_id, change_id ORDER BY todo_id) AS place,
       LAG(change_id) OVER (PARTITION BY user_id, todo_id ORDER BY change_id) AS previous
FROM entries
"""
PROFILE_CHANGES = """
UPDATE users SET profile_change_id = COALESCE((
    SELECT MAX(change_id) FROM entries WHERE entries.user_id = users.id AND todo_id = 0
), 0)
"""
REMOVED = """
SELECT logged.user_id, logged.todo_id AS id, logged.change_id, logged.before FROM logged
WHERE todo_id > 0 AND after IS NULL
  AND NOT EXISTS (SELECT 1 FROM todos WHERE todos.user_id = logged.user_id AND todos.id = logged.todo_id)
  AND NOT EXISTS (
    SELECT 1 FROM entries
    WHERE entries.user_id = logged.user_id AND entries.todo_id = logged.todo_id AND entries.change_id > logged.change_id
  )
"""
KEEP_REMOVED = """
INSERT INTO todos (user_id, id, todo, due_key, urgency, tags, tag_keys, search_text, status, version, created_at,
                   updated_at, change_id, json, bytes)
VALUES (:user_id, :id, '', '9999', 3, '[]', '', '', 'removed', :version, :created_at, :updated_at, :change_id, '',
        :row_bytes)
"""
TOTAL = """
UPDATE users SET
    bytes = (SELECT COALESCE(SUM(bytes), 0) FROM todos WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM changes WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM answers WHERE user_id = users.id)
"""
FORMER_INDEXES = {"changes_by_fingerprint": ["fingerprint", "at", "id"], "changes_by_grant": ["grant_id", "id"]}
FORMER_TOTAL = """
UPDATE users SET
    bytes = (SELECT COALESCE(SUM(bytes), 0) FROM todos WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM entries WHERE user_id = users.id)
          + (SELECT COALESCE(SUM(bytes), 0) FROM answers WHERE user_id = users.id)
          + (SELECT COUNT(*) FROM changes WHERE user_id = users.id) * :row_bytes
"""
SAVE_PROFILE_ENTRY = """
UPDATE changes SET before = :before, after = :after, bytes = :bytes
WHERE user_id = :user_id AND id = :id AND kind = 'profile'
"""


def upgrade() -> None:
    connection = op.get_bind()
    op.add_column("users", sa.Column("profile_change_id", sa.Integer, nullable=False, server_default="0"))
    op.add_column("users", sa.Column("recent_adds", Text, nullable=False, server_default=""))
    replace_indexes(IS_DATED, IS_URGENT)
    op.drop_index("changes_by_grant", "changes")
    op.drop_index("changes_by_fingerprint", "changes")
    op.rename_table("changes", "headers")
    create_log()
    op.execute(PROFILE_CHANGES)
    op.execute(LOGGED)
    op.execute("CREATE INDEX logged_by_place ON logged (user_id, change_id, place)")
    for statement in (LOG, OVERFLOW):
        connection.execute(sa.text(statement), {"row_bytes": ROW_BYTES} if statement == LOG else {})
    keep_removed(connection)
    note_profiles(connection)
    for table in ("logged", "entries", "headers"):
        op.drop_table(table)
    connection.execute(sa.text(TOTAL))


def replace_indexes(dated: Any, urgent: Any) -> None:
    """An undated to-do is in no index of dates, one without a priority in none of priorities."""
    op.drop_index("todos_by_due", "todos")
    op.drop_index("todos_by_urgency", "todos")
    by_due = ["user_id", "status", "due_key", "id"]
    op.create_index("todos_by_due", "todos", by_due, sqlite_where=dated, postgresql_where=dated)
    by_urgency = ["user_id", "status", "urgency", "due_key", "id"]
    op.create_index("todos_by_urgency", "todos", by_urgency, sqlite_where=urgent, postgresql_where=urgent)


def create_log() -> None:
    op.create_table(
        "changes",
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), nullable=False),
        # 0 for the first row of a change, which also says who, when and what; 1 for its other rows, which stand apart
        # so that a page of changes need not step over them.
        sa.Column("overflow", sa.SmallInteger, nullable=False),
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("record_id", sa.Integer, nullable=False),
        sa.Column("at", Text),
        sa.Column("actor", Text),
        sa.Column("client", Text),
        sa.Column("grant_id", Text),
        sa.Column("summary", Text),
        sa.Column("undoes", sa.Integer),
        sa.Column("action", Text),
        sa.Column("before", Text),
        sa.Column("after", Text),
        sa.Column("previous", sa.Integer, nullable=False, server_default="0"),
        sa.Column("bytes", sa.Integer, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("user_id", "overflow", "id", "kind", "record_id", name="changes_key"),
        sqlite_with_rowid=False,
    )


def keep_removed(connection: sa.Connection) -> None:
    """Gives each to-do that an undo has removed a row without its texts, which knows its version and newest change."""
    removed = connection.execute(sa.text(REMOVED)).mappings().all()
    rows = [{**row, **stamps(json.loads(row["before"])), "row_bytes": ROW_BYTES} for row in removed]
    if rows:
        connection.execute(sa.text(KEEP_REMOVED), rows)


def stamps(todo: dict[str, Any]) -> dict[str, Any]:
    return {name: todo[name] for name in ("version", "created_at", "updated_at")}


def note_profiles(connection: sa.Connection) -> None:
    """Rewrites the entries about time zones like those about to-dos: a digest, and the fields that differ."""
    for row in connection.execute(sa.text("SELECT * FROM changes WHERE kind = 'profile'")).mappings().all():
        before = {**json.loads(row["before"]), "change_id": row["previous"]}
        after = {**json.loads(row["after"]), "change_id": row["id"]}
        differing = [name for name in after if before[name] != after[name]]
        kept = {}
        for name, side, title in (("before", before, ""), ("after", after, after["time_zone"] or "")):
            values = {field: side[field] for field in differing}
            kept[name] = compact({"digest": digest(side), "values": values, "title": title})
        connection.execute(sa.text(SAVE_PROFILE_ENTRY), {**row, **kept, "bytes": size_of(kept)})


def size_of(sides: dict[str, str]) -> int:
    return ROW_BYTES + sum(len(side.encode()) for side in sides.values())


def digest(profile: dict[str, Any]) -> str:
    seen = [profile["time_zone"], profile["time_zone_guessed"]]
    return blake2b(compact(seen).encode(), digest_size=16).hexdigest()


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def downgrade() -> None:
    connection = op.get_bind()
    op.execute("DELETE FROM todos WHERE status = 'removed'")
    replace_indexes(None, None)
    op.rename_table("changes", "log")
    make_zones_whole(connection)
    create_former_tables()
    connection.execute(
        sa.text(
            "INSERT INTO changes (user_id, id, at, actor, client, grant_id, summary, undoes)"
            " SELECT user_id, id, at, actor, client, grant_id, summary, undoes FROM log WHERE overflow = 0"
        )
    )
    connection.execute(
        sa.text(
            "INSERT INTO entries (user_id, change_id, todo_id, action, before, after, bytes)"
            " SELECT user_id, id, record_id, action, before, after, bytes FROM log WHERE kind <> ''"
        )
    )
    op.drop_table("log")
    op.drop_column("users", "recent_adds")
    op.drop_column("users", "profile_change_id")
    connection.execute(sa.text(FORMER_TOTAL), {"row_bytes": ROW_BYTES})


def make_zones_whole(connection: sa.Connection) -> None:
    """Restores whole entries about time zones, working back from each profile's current state."""
    rows = connection.execute(
        sa.text(
            "SELECT log.user_id, log.id, log.before, users.time_zone, users.time_zone_guessed FROM log"
            " JOIN users ON users.id = log.user_id WHERE kind = 'profile' ORDER BY log.user_id, log.id DESC"
        )
    )
    later: dict[str, Any] = {}
    user_id = None
    for row in rows.mappings().all():
        if row["user_id"] != user_id:
            user_id = row["user_id"]
            later = {"time_zone": row["time_zone"], "time_zone_guessed": bool(row["time_zone_guessed"])}
        values = json.loads(row["before"])["values"]
        earlier = {name: values.get(name, value) for name, value in later.items()}
        kept = {"before": compact(earlier), "after": compact(later)}
        connection.execute(
            sa.text(SAVE_PROFILE_ENTRY.replace("UPDATE changes", "UPDATE log")), {**row, **kept, "bytes": size_of(kept)}
        )
        later = earlier


def create_former_tables() -> None:
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
        sa.Column("grant_id", Text),
        sqlite_with_rowid=False,
    )
    for index, columns in FORMER_INDEXES.items():
        is_set = sa.text(f"{columns[0]} IS NOT NULL")
        op.create_index(index, "changes", ["user_id", *columns], sqlite_where=is_set, postgresql_where=is_set)
    op.create_table(
        "entries",
        sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), primary_key=True, autoincrement=False),
        sa.Column("change_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("todo_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("action", Text, nullable=False),
        sa.Column("before", Text),
        sa.Column("after", Text),
        sa.Column("bytes", sa.Integer, nullable=False, server_default="0"),
        sqlite_with_rowid=False,
    )
    op.create_index("entries_by_todo", "entries", ["user_id", "todo_id", "change_id"])
