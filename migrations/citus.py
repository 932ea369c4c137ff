"""Splits the tables over the nodes of a Citus cluster; on SQLite and on any other PostgreSQL, nothing happens.

Each statement names the key of the rows that it touches, so the node that has them answers alone, and the service need
not know. `tests/todo/storage/test_one_shard.py` holds every constraint and every statement to that.
"""

from sqlalchemy import Connection

# The tables of each group and the column that splits each; rows with one key are on one node, in all tables of a group.
# A table that others refer to comes before them.
OWNER = {
    "users": "id",
    "lists": "user_id",
    "todos": "user_id",
    "changes": "user_id",
    "answers": "user_id",
    "accounts": "user_id",
    "sessions": "user_id",
    "resets": "user_id",
    "passkeys": "user_id",
    "grants": "user_id",
    "codes": "user_id",
    "tokens": "user_id",
    "old_addresses_of_users": "user_id",
}
USERNAME = {"usernames": "username", "claims": "username"}
ADDRESS = {"old_addresses": "address"}
BUCKET = {"clients": "bucket", "assertions": "bucket", "attempts": "bucket", "challenges": "bucket"}
GROUPS = (OWNER, USERNAME, ADDRESS, BUCKET)
# Copied to all nodes, so that the service can start at any of them.
EVERYWHERE = "alembic_version"

HAS_CITUS = "SELECT 1 FROM pg_extension WHERE extname = 'citus'"
EXISTING = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
KNOWN = "SELECT logicalrelid::text FROM pg_dist_partition"
SPLIT = "SELECT create_distributed_table(%(table)s, %(column)s, colocate_with => %(with)s)"
COPY = "SELECT create_reference_table(%(table)s)"
JOIN = "SELECT undistribute_table(%(table)s, cascade_via_foreign_keys => true)"
# What the coordinator had of a table before it was split stays on its disk otherwise.
CLEAR = "SELECT truncate_local_data_after_distributing_table(%(table)s)"


def split_new_tables(connection: Connection) -> None:
    """Splits what a revision has created, if the tables before it are split: the next may use both in a statement."""
    if has_citus(connection) and _known(connection) - {EVERYWHERE}:
        split_tables(connection)


def split_tables(connection: Connection) -> None:
    """Splits every table that is not split yet."""
    if not has_citus(connection):
        return
    known = _known(connection)
    unknown = set(connection.exec_driver_sql(EXISTING).scalars()) - known
    new = [(table, group) for group in GROUPS for table in group if table in unknown]
    for table, group in new:
        first = next(iter(group))
        _call(connection, SPLIT, table, column=group[table], **{"with": "none" if table == first else first})
    if EVERYWHERE not in known:
        _call(connection, COPY, EVERYWHERE)
    for table, _ in new:
        _call(connection, CLEAR, table)


def join_tables(connection: Connection) -> None:
    """Brings all rows back to the coordinator, for a revision whose keys cannot be split."""
    if has_citus(connection):
        while tables := sorted(_known(connection) - {EVERYWHERE}):
            _call(connection, JOIN, tables[0])


def has_citus(connection: Connection) -> bool:
    """Whether the database is one of a Citus cluster."""
    return connection.dialect.name == "postgresql" and connection.exec_driver_sql(HAS_CITUS).scalar() is not None


def _known(connection: Connection) -> set[str]:
    return set(connection.exec_driver_sql(KNOWN).scalars())


def _call(connection: Connection, statement: str, table: str, **values: str) -> None:
    connection.exec_driver_sql(statement, {"table": table, **values})
