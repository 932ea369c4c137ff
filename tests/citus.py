"""Test databases on the Citus cluster whose coordinator is at CITUS_URL; without one, none is made."""

import os

import psycopg
from psycopg.conninfo import conninfo_to_dict

URL = os.environ.get("CITUS_URL", "")
NODES = "SELECT nodename, nodeport FROM pg_dist_node ORDER BY groupid"
# Until the connection closes: a node that joins alters the roles of all databases, and two at once fail.
ONE_AT_A_TIME = "SELECT pg_advisory_lock(8120946274)"
# On each node. Few shards, as every table of every test database has so many; and locks are waited for on the nodes.
SETTINGS = ("citus.shard_count = 4", "lock_timeout = '2s'")

_made: set[str] = set()


def join_nodes(server: psycopg.Connection, name: str) -> None:
    """Makes the new database `name` of the coordinator one of the whole cluster."""
    coordinator, *workers = server.execute(NODES).fetchall()
    server.execute(ONE_AT_A_TIME)
    _made.add(name)
    for node in workers:
        _execute(node, f"CREATE DATABASE {name}")
    for node in (coordinator, *workers):
        for setting in SETTINGS:
            _execute(node, f"ALTER DATABASE {name} SET {setting}")
        _execute(node, "CREATE EXTENSION citus", name)
    _execute(coordinator, "SELECT citus_set_coordinator_host(%s, %s)", name, coordinator)
    for node in workers:
        _execute(coordinator, "SELECT citus_add_node(%s, %s)", name, node)


def drop(url: str) -> None:
    """Drops a database that no test will use again: a cluster keeps a process for each, on each node."""
    name = str(conninfo_to_dict(url)["dbname"]) if _made else ""  # SQLite's address is none that it could read
    if name in _made:
        with psycopg.connect(URL) as server:
            nodes = server.execute(NODES).fetchall()
        # What a test has broken off between the two phases of a commit would keep the database from being dropped.
        _execute(nodes[0], "SELECT recover_prepared_transactions()", name)
        for node in nodes:
            _drop(node, name)
        _made.remove(name)


def drop_all() -> None:
    """Drops every database that is left."""
    for name in list(_made):
        drop(f"postgresql:///{name}")


def _drop(node: tuple[str, int], name: str, tries: int = 3) -> None:
    """Drops a database of one node. Each try gives Citus's own processes five seconds to end; it may start more."""
    try:
        _execute(node, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    except psycopg.errors.ObjectInUse:
        if tries == 1:
            raise
        _drop(node, name, tries - 1)


def _execute(node: tuple[str, int], statement: str, database: str = "", values: tuple[str, int] | None = None) -> None:
    """Runs a statement on one node, with the user and the password of CITUS_URL."""
    host, port = node
    where = {"host": host, "port": port} | ({"dbname": database} if database else {})
    with psycopg.connect(URL, **where, autocommit=True) as connection:
        connection.execute(statement, values)
