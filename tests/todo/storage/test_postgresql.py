"""PostgreSQL that is slow, silent, away or changed: callers hear so soon, and nobody else waits for them."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from dev.processes import GENEROUS
from tests.conftest import AUTHORIZATION, SERVICE_KEY, migrated_postgresql, running
from tests.proxy import Proxy, proxied
from todo.app import create_app
from todo.config import Settings
from todo.domain.users import Owner, find, open_list
from todo.errors import StorageUnavailable
from todo.storage import read_limits, transactions
from todo.storage.engine import Engine
from todo.storage.statements import Connection

KEVIN, ANNA = Owner("kevin"), Owner("anna")


@pytest.fixture
def url(postgresql: str) -> str:
    return migrated_postgresql(postgresql)


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    with proxied(url) as proxy:
        yield proxy


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    with running(url) as engine:
        yield engine


@pytest.fixture
def distant(proxy: Proxy) -> Iterator[Engine]:
    """An engine whose server can go away."""
    with running(proxy.url, statement_timeout=2.0) as engine:
        yield engine


def seconds_until(futures: list[Future[Any]]) -> float:
    begin = time.monotonic()
    assert not wait(futures, 60).not_done
    return time.monotonic() - begin


def seconds_until_it_serves(call: Callable[[], Future[Any]]) -> float:
    begin = time.monotonic()
    while call().exception(60):
        assert time.monotonic() - begin < 60
        time.sleep(0.1)
    return time.monotonic() - begin


class TestAway:
    def test_a_server_that_falls_silent_is_unavailable_within_seconds(self, distant: Engine, proxy: Proxy) -> None:
        reading = [distant.submit_read(find, Owner(f"user{number}")) for number in range(4)]
        writing = [distant.submit_write(open_list, Owner(f"user{number}")) for number in range(4)]
        assert not any(future.exception(30) for future in [*reading, *writing])
        proxy.stall()
        reading = [distant.submit_read(find, Owner(f"user{number}")) for number in range(20)]
        writing = [distant.submit_write(open_list, Owner(f"user{number}")) for number in range(20)]
        assert seconds_until([*reading, *writing]) < 12
        assert all(isinstance(future.exception(), StorageUnavailable) for future in [*reading, *writing])
        proxy.go_on()
        assert seconds_until_it_serves(lambda: distant.submit_write(open_list, KEVIN)) < 4

    @pytest.mark.slow
    def test_the_service_is_back_within_two_seconds(self, distant: Engine, proxy: Proxy) -> None:
        assert distant.submit_read(find, KEVIN).result(30).id == 0
        proxy.go_away()
        back = time.monotonic() + 10
        while time.monotonic() < back:
            calls = [distant.submit_read(find, KEVIN), distant.submit_write(open_list, KEVIN)]
            assert seconds_until(calls) < 10
            assert all(isinstance(future.exception(), StorageUnavailable) for future in calls)
        proxy.come_back()
        assert seconds_until_it_serves(lambda: distant.submit_read(find, KEVIN)) < 2
        assert seconds_until_it_serves(lambda: distant.submit_write(open_list, KEVIN)) < 2


def test_a_column_that_is_added_meanwhile_fails_no_call(engine: Engine, url: str) -> None:
    def on_every_connection() -> list[Future[Any]]:
        together = threading.Barrier(4)

        def look(connection: Connection) -> int:
            found = find(connection, KEVIN).id
            together.wait(30)
            return found

        return [engine.submit_read(look) for _ in range(4)]

    assert not any(future.exception(30) for future in on_every_connection())
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("ALTER TABLE users ADD COLUMN added TEXT")
    reads = [engine.submit_read(find, Owner(f"user{number}")) for number in range(20)]
    writes = [engine.submit_write(open_list, Owner(f"user{number}")) for number in range(20)]
    assert [future.exception(30) for future in [*reads, *writes]] == [None] * 40


class TestLockedList:
    @pytest.fixture
    def locked(self, engine: Engine, url: str) -> Iterator[None]:
        """Another worker holds the list of kevin."""
        kevin = engine.submit_write(open_list, KEVIN).result(30)
        with psycopg.connect(url) as other:
            other.execute("SELECT * FROM users WHERE id = %s FOR UPDATE", [kevin.id])
            yield

    @pytest.mark.usefixtures("locked")
    def test_it_holds_up_no_other(self, engine: Engine) -> None:
        waiting = [engine.submit_write(open_list, KEVIN) for _ in range(20)]
        time.sleep(0.2)
        assert seconds_until([engine.submit_write(open_list, Owner(f"user{number}")) for number in range(10)]) < 1.5
        assert seconds_until(waiting) < 12
        assert all(isinstance(future.exception(), StorageUnavailable) for future in waiting)

    def test_it_is_not_waited_for_in_vain_for_long(self, engine: Engine, locked: None) -> None:
        future = engine.submit_write(open_list, KEVIN)
        assert seconds_until([future]) < 4
        assert isinstance(future.exception(), StorageUnavailable)


class TestErrors:
    """What PostgreSQL ends is unavailable, and never a fault of ours."""

    @pytest.mark.parametrize("statement", ["SELECT pg_cancel_backend(pg_backend_pid())", "SELECT pg_sleep(60)"])
    def test_a_statement_that_is_cancelled(self, url: str, statement: str) -> None:
        with running(url, statement_timeout=1.0) as engine:
            future = engine.submit_write(lambda connection: connection.driver.execute(statement).fetchall())
            assert isinstance(future.exception(10), StorageUnavailable)

    def test_a_transaction_that_is_idle(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(transactions, "IDLE_SECONDS", 0.2)

        def idle(connection: Connection) -> None:
            find(connection, KEVIN)
            time.sleep(0.6)
            find(connection, KEVIN)

        with running(url) as engine:
            assert isinstance(engine.submit_write(idle).exception(10), StorageUnavailable)

    def test_a_server_that_has_become_a_standby(self, engine: Engine) -> None:
        def write(connection: Connection) -> None:
            connection.driver.execute("SET TRANSACTION READ ONLY")
            open_list(connection, KEVIN)

        assert isinstance(engine.submit_write(write).exception(10), StorageUnavailable)


def test_each_transaction_has_the_time_limit_of_its_kind(url: str) -> None:
    def shown(connection: Connection) -> str:
        return str(connection.driver.execute("SHOW statement_timeout").fetchone()["statement_timeout"])

    def exported(connection: Connection) -> str:
        return shown(connection)

    with running(url, statement_timeout=3.0) as engine:
        found = [
            engine.submit_write(shown),
            engine.submit_read(shown),
            engine.submit_read(read_limits.exports(exported)),
        ]
        assert [future.result(10) for future in found] == ["3s", "2s", "30s"]


def test_the_service_has_the_time_limit_that_is_set(url: str) -> None:
    settings = Settings(service_auth_key=(SERVICE_KEY,), database_url=url, database_statement_timeout=1, **GENEROUS)
    with (
        TestClient(create_app(settings), base_url="http://localhost:8000", headers=AUTHORIZATION) as client,
        psycopg.connect(url) as other,
    ):
        client.post("/todos/kevin", json={"todo": "Buy milk"}).raise_for_status()
        other.execute("SELECT * FROM users WHERE id = %s FOR UPDATE", other.execute("SELECT id FROM users").fetchone())
        begin = time.monotonic()
        assert client.post("/todos/kevin", json={"todo": "Buy bread"}).json()["code"] == "storage_unavailable"
        assert 0.9 < time.monotonic() - begin < 1.9, "a lock is waited for longer"


def test_what_the_address_says_wins(url: str) -> None:
    def shown(connection: Connection) -> tuple[list[str], str]:
        names = ("lock_timeout", "statement_timeout")
        values = [connection.driver.execute(f"SHOW {name}").fetchone()[name] for name in names]
        return values, connection.driver.info.get_parameters()["connect_timeout"]

    and_more = "&" if "?" in url else "?"
    with running(f"{url}{and_more}options=-c%20lock_timeout%3D7s&connect_timeout=9") as engine:
        assert engine.submit_write(shown).result(10) == (["7s", "8s"], "9")
