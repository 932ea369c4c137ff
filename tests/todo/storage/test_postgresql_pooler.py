"""The engine through a real PgBouncer in transaction mode, which gives each transaction any of its connections."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from dev.pgbouncer import keeps_track, pgbouncer
from dev.processes import GENEROUS, migrate
from tests.conftest import AUTHORIZATION, SERVICE_KEY, downgrade, new_postgresql_database
from tests.todo.storage.test_engine import (
    TestFromAnEventLoop,
    test_a_queue_for_one_list_does_not_stop_reads,
    test_a_read_cannot_write,
    test_a_read_sees_one_snapshot,
    test_a_snapshot_ends_with_the_turn_of_the_loop,
    test_a_write_that_raises_leaves_nothing,
    test_who_has_written_reads_it_at_once_whoever_else_reads,
    test_write_then_read,
    test_writes_side_by_side_take_no_other_with_them,
    test_writes_to_one_list_queue_up,
)
from tests.todo.storage.test_read_limits import ENDLESS
from todo.app import create_app
from todo.config import Settings
from todo.domain.users import Owner, find, open_list
from todo.errors import ReadTooSlow
from todo.storage.database import open_engine
from todo.storage.engine import Engine
from todo.storage.statements import Connection

__all__ = [
    "TestFromAnEventLoop",
    "test_a_queue_for_one_list_does_not_stop_reads",
    "test_a_read_cannot_write",
    "test_a_read_sees_one_snapshot",
    "test_a_snapshot_ends_with_the_turn_of_the_loop",
    "test_a_write_that_raises_leaves_nothing",
    "test_who_has_written_reads_it_at_once_whoever_else_reads",
    "test_write_then_read",
    "test_writes_side_by_side_take_no_other_with_them",
    "test_writes_to_one_list_queue_up",
]

pytestmark = pytest.mark.slow

CONNECTIONS = 3
KEVIN = Owner("kevin")


@pytest.fixture(params=[0, 200] if keeps_track() else [0], ids=lambda prepared: f"prepared={prepared}")
def prepared(request: pytest.FixtureRequest) -> int:
    """How many prepared statements PgBouncer keeps track of."""
    return int(request.param)


@pytest.fixture
def direct(postgresql: str) -> str:
    """The address of an empty database, past the pooler."""
    return new_postgresql_database(postgresql)


@pytest.fixture
def pooled(direct: str, prepared: int, tmp_path: Path) -> Iterator[str]:
    """The address of the same database, through the pooler."""
    with pgbouncer(direct, tmp_path, connections=CONNECTIONS, prepared=prepared) as url:
        yield url


@pytest.fixture
def url(pooled: str) -> str:
    migrate(pooled)
    return pooled


@pytest.fixture
def engines(url: str) -> Iterator[list[Engine]]:
    """Four workers, with more connections than the pooler has to the server."""
    with ExitStack() as stack:
        engines = [open_engine(url) for _ in range(4)]
        for engine in engines:
            engine.start()
            stack.callback(engine.stop)
        yield engines


@pytest.fixture
def engine(engines: list[Engine]) -> Engine:
    return engines[0]


def test_migrations_run_through_it_again_and_again(pooled: str) -> None:
    for _ in range(3):
        migrate(pooled)
        downgrade(pooled, "base")
    migrate(pooled)


def test_many_workers_share_few_connections(engines: list[Engine], direct: str) -> None:
    names = [f"user{number}" for number in range(60)]
    choice = random.Random(1)
    for _ in range(5):
        wait([choice.choice(engines).submit_write(open_list, Owner(name)) for name in choice.sample(names, 40)])
        reads = {name: choice.choice(engines).submit_read(find, Owner(name)) for name in names}
        assert all(read.result(10).username == name for name, read in reads.items())
    with psycopg.connect(direct) as other:
        row = other.execute("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()").fetchone()
    assert row
    assert row[0] <= CONNECTIONS + 1


def test_statements_are_prepared_only_where_it_keeps_track(engines: list[Engine], prepared: int) -> None:
    def names(connection: Connection) -> list[str]:
        found = connection.driver.execute("SELECT name FROM pg_prepared_statements", prepare=False)
        return [row["name"] for row in found]

    wait([engine.submit_read(find, Owner(f"user{number}")) for engine in engines for number in range(20)])
    found = [name for _ in range(20) for name in engines[0].submit_read(names).result(10)]
    assert bool(found) == bool(prepared)
    assert not [name for name in found if name.startswith("_pg3_")]


def test_no_transaction_leaves_a_setting_behind(engines: list[Engine], url: str) -> None:
    wait([engine.submit_read(find, Owner(f"user{number}")) for engine in engines for number in range(20)])
    wait([engine.submit_write(open_list, Owner(f"user{number}")) for engine in engines for number in range(20)])
    names = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_read_only"]
    query = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s) OR name LIKE 'default_transaction%%'"
    with ExitStack() as stack:
        # Each takes one of the pooler's connections until it has ended its transaction.
        others = [stack.enter_context(psycopg.connect(url, prepare_threshold=None)) for _ in range(CONNECTIONS)]
        for other in others:
            found: dict[str, Any] = dict(other.execute(query, [names]).fetchall())
            assert {found[name] for name in names[:3]} == {"0"}
            assert found["transaction_read_only"] == found["default_transaction_read_only"] == "off"
            assert found["default_transaction_isolation"] == "read committed"


def test_a_read_that_takes_too_long_is_stopped(engine: Engine) -> None:
    def search(connection: Connection, owner: Owner) -> None:
        connection.driver.execute(ENDLESS).fetchone()

    assert isinstance(engine.submit_read(search, KEVIN).exception(10), ReadTooSlow)
    assert engine.submit_read(find, KEVIN).result(10).id == 0


def test_a_server_that_ends_its_connections_fails_no_call(engines: list[Engine], direct: str) -> None:
    def end(connection: Connection) -> None:
        open_list(connection, KEVIN)
        if not ended.is_set():
            ended.set()
            end_all()
        open_list(connection, KEVIN)

    def end_all() -> None:
        with psycopg.connect(direct, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    ended = threading.Event()
    wait([engine.submit_read(find, KEVIN) for engine in engines])
    end_all()
    calls = [engine.submit_write(open_list, Owner(f"user{number}")) for engine in engines for number in range(10)]
    assert [future.exception(30) for future in calls] == [None] * 40
    assert engines[0].submit_write(end).exception(30) is None
    assert ended.is_set()
    assert engines[1].submit_read(find, KEVIN).result(10).id


def test_the_service_runs_through_it(url: str) -> None:
    settings = Settings(service_auth_key=(SERVICE_KEY,), database_url=url, **GENEROUS)
    with TestClient(create_app(settings), base_url="http://localhost:8000", headers=AUTHORIZATION) as client:
        many = [{"action": "add", "todo": f"{number} things"} for number in range(50)]
        for name in ("kevin", "anna"):
            client.post(f"/todos/{name}/changes", json={"actions": many}).raise_for_status()
            assert client.get(f"/todos/{name}?q=things").json()["total"] == 50
        change = client.get("/todos/kevin/changes").json()["changes"][0]["id"]
        client.post(f"/todos/kevin/changes/{change}/undo").raise_for_status()
        assert [client.get(f"/todos/{name}").json()["total"] for name in ("kevin", "anna")] == [0, 50]
        assert client.get("/readyz").status_code == 200
