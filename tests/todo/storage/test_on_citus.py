"""What only a real cluster can tell: only `make test-citus` collects this file."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine

from migrations.citus import GROUPS, split_tables
from tests.conftest import migrate, new_postgresql_database
from tests.contract.test_old_databases import KEPT, copy_to_postgresql, revision_of, seen_in
from tests.replay import assert_log_gives_the_list
from todo.storage.engine import newest_revision
from todo.storage.statements import parsed

STATEMENTS = {name: query.sql for name, query in parsed("psycopg").items()}
LITERALS = defaultdict(lambda: "'1'")  # of no type, so PostgreSQL takes each as the number or the text that it needs
PLACES = "SELECT table_name::text, colocation_id FROM citus_tables WHERE citus_table_type = 'distributed'"
FIRST = "0010"  # the first revision whose tables can be split
OLD = {
    revision: text
    for text in (file.read_text("utf-8") for file in KEPT)
    if FIRST <= (revision := revision_of(text)) < newest_revision()
}


@pytest.fixture(scope="module")
def url(postgresql: str) -> str:
    url = new_postgresql_database(postgresql)
    migrate(url)
    return url


@pytest.fixture(scope="module")
def cluster(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def test_each_group_is_split_alike(cluster: psycopg.Connection) -> None:
    assert_each_group_is_split_alike(cluster)


def assert_each_group_is_split_alike(cluster: psycopg.Connection) -> None:
    places = dict(cluster.execute(PLACES).fetchall())
    assert places.keys() == {table for group in GROUPS for table in group}
    of_groups = [{places[table] for table in group} for group in GROUPS]
    assert [len(group) for group in of_groups] == [1] * len(GROUPS)
    assert len(set.union(*of_groups)) == len(GROUPS)


def test_migrating_again_moves_nothing(cluster: psycopg.Connection, url: str) -> None:
    before = cluster.execute(PLACES).fetchall()
    migrate(url)
    assert cluster.execute(PLACES).fetchall() == before


@pytest.mark.parametrize("revision", OLD)
def test_split_tables_are_upgraded_with_their_rows(empty_database: str, revision: str) -> None:
    migrate(empty_database, revision)
    with closing(sqlite3.connect(":memory:")) as kept:
        kept.executescript(OLD[revision])
        copy_to_postgresql(kept, empty_database)
    address = empty_database.replace("postgresql:", "postgresql+psycopg:")
    with create_engine(address, poolclass=NullPool).begin() as connection:
        split_tables(connection)
    migrate(empty_database)
    with psycopg.connect(empty_database) as cluster:
        assert_each_group_is_split_alike(cluster)
    for username in seen_in(OLD[revision]).keys() & {"kevin", "anna"}:
        assert_log_gives_the_list(empty_database, username)


def test_every_node_knows_the_revision(cluster: psycopg.Connection) -> None:
    for host, port in cluster.execute("SELECT nodename, nodeport FROM pg_dist_node").fetchall():
        with psycopg.connect(cluster.info.dsn, host=host, port=port) as node:
            assert node.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


@pytest.mark.parametrize("name", STATEMENTS)
def test_one_shard_answers(cluster: psycopg.Connection, name: str) -> None:
    plan = "\n".join(line for (line,) in cluster.execute(f"EXPLAIN {STATEMENTS[name] % LITERALS}").fetchall())
    assert "Distributed Subplan" not in plan
    assert "Task Count" not in plan or "Task Count: 1\n" in plan, plan
