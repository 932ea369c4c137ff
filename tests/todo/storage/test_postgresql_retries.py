"""Failures that pass are tried again, once, and only where nothing can be done twice."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import wait
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from dev.processes import GENEROUS
from tests.conftest import AUTHORIZATION, SERVICE_KEY, migrated_postgresql, running
from tests.handlers.test_todos import problem
from tests.proxy import Proxy, proxied
from todo.app import create_app
from todo.config import Settings
from todo.domain.changes import act
from todo.domain.idempotency import once
from todo.domain.users import Owner, find, open_list
from todo.errors import OutcomeUnknown, StorageUnavailable
from todo.storage.engine import Engine
from todo.storage.statements import Connection

KEVIN, ANNA = Owner("kevin"), Owner("anna")
COMMIT = b"COMMIT\0"
MILK = {"action": "add", "todo": "Buy milk"}


@pytest.fixture(scope="module")
def server(postgresql: str) -> str:
    return migrated_postgresql(postgresql)


@pytest.fixture
def url(server: str) -> Iterator[str]:
    yield server
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("TRUNCATE usernames, users CASCADE")


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    with proxied(url) as proxy:
        yield proxy


@pytest.fixture
def engine(proxy: Proxy) -> Iterator[Engine]:
    with running(proxy.url, statement_timeout=2.0) as engine:
        yield engine


class Failing:
    """A rule that opens the list of kevin and then fails so many times, as the server does it."""

    def __init__(self, statement: str, times: int = 1) -> None:
        self._statement = statement
        self._times = times
        self.attempts = 0

    def __call__(self, connection: Connection) -> int:
        self.attempts += 1
        found = (find if self.reads(connection) else open_list)(connection, KEVIN)
        if self.attempts <= self._times:
            connection.driver.execute(self._statement)
        return found.id

    @staticmethod
    def reads(connection: Connection) -> bool:
        return connection.driver.execute("SHOW transaction_read_only").fetchone()["transaction_read_only"] == "on"


def raising(state: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'as told' USING ERRCODE = '{state}'; END $$"


ENDED = "SELECT pg_terminate_backend(pg_backend_pid())"
PASSING = [*map(raising, ["40001", "40P01", "57P01", "57P02", "57P03", "08006", "25006"]), ENDED]


@pytest.mark.parametrize("statement", PASSING)
def test_a_failure_that_passes_is_tried_again(engine: Engine, statement: str) -> None:
    writing, reading = Failing(statement), Failing(statement)
    written = engine.submit_write(writing).result(10)
    assert written
    assert engine.submit_read(reading).result(10) == written
    assert (writing.attempts, reading.attempts) == (2, 2)


@pytest.mark.parametrize("statement", PASSING)
def test_it_is_tried_again_once(engine: Engine, statement: str) -> None:
    rule = Failing(statement, times=9)
    assert isinstance(engine.submit_write(rule).exception(10), StorageUnavailable)
    assert rule.attempts == 2
    assert engine.submit_read(find, KEVIN).result(10).id == 0


@pytest.mark.parametrize("statement", [*map(raising, ["53100", "55P03"]), "SELECT pg_sleep(9)"])
def test_one_that_does_not_pass_is_not(engine: Engine, statement: str) -> None:
    rule = Failing(statement)
    assert isinstance(engine.submit_write(rule).exception(10), StorageUnavailable)
    assert rule.attempts == 1


def test_a_node_that_is_away_costs_no_connection_to_the_coordinator(engine: Engine) -> None:
    def process(connection: Connection) -> int:
        return int(connection.driver.info.backend_pid)

    before = engine.submit_write(process).result(10)
    assert engine.submit_write(Failing(raising("08006"))).result(10)
    assert engine.submit_write(process).result(10) == before


def test_it_is_not_tried_again_after_its_time(engine: Engine) -> None:
    def slow(connection: Connection) -> None:
        attempts.append(time.monotonic())
        time.sleep(2.1)
        connection.driver.execute(raising("40001"))

    attempts: list[float] = []
    assert isinstance(engine.submit_write(slow).exception(10), StorageUnavailable)
    assert len(attempts) == 1


def test_both_sides_of_a_deadlock_succeed(engine: Engine) -> None:
    wait([engine.submit_write(open_list, owner) for owner in (KEVIN, ANNA)])
    both, attempts = threading.Barrier(2), []

    def lock(connection: Connection, first: Owner, second: Owner) -> None:
        attempts.append(first)
        # One of them notices, well before the time is up; if both did, both would be tried again, into each other.
        connection.driver.execute(f"SET LOCAL deadlock_timeout = '{50 if first is KEVIN else 10_000}ms'")
        open_list(connection, first)
        if len(attempts) < 3:
            both.wait(10)
        open_list(connection, second)

    futures = [engine.submit_write(lock, KEVIN, ANNA), engine.submit_write(lock, ANNA, KEVIN)]
    assert [future.exception(30) for future in futures] == [None, None]
    assert len(attempts) == 3


def test_a_server_that_has_ended_every_connection_fails_no_call(engine: Engine, url: str) -> None:
    def on_every_connection(connection: Connection) -> None:
        connection.driver.execute("SELECT 1")
        together.wait(10)

    together = threading.Barrier(4)
    wait([engine.submit_read(on_every_connection) for _ in range(4)])
    wait([engine.submit_write(on_every_connection) for _ in range(4)])
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert engine.submit_read(find, KEVIN).exception(10) is None
    assert engine.submit_write(open_list, KEVIN).exception(10) is None
    calls = [engine.submit_read(find, Owner(f"user{number}")) for number in range(20)]
    calls += [engine.submit_write(open_list, Owner(f"user{number}")) for number in range(20)]
    assert [future.exception(30) for future in calls] == [None] * 40


class TestCommit:
    def test_a_commit_that_is_refused_is_tried_again(self, engine: Engine, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as other:
            # The sequence counts on although the transaction is rolled back.
            other.execute("""
                CREATE SEQUENCE refusals;
                CREATE FUNCTION refuse_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF nextval('refusals') = 1 THEN RAISE EXCEPTION 'as told' USING ERRCODE = '40001'; END IF;
                    RETURN NULL;
                END $$;
                CREATE CONSTRAINT TRIGGER refuse_once AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION refuse_once();
            """)
            try:
                opened = engine.submit_write(open_list, KEVIN).result(10)
            finally:
                other.execute("DROP FUNCTION refuse_once CASCADE; DROP SEQUENCE refusals")
        assert engine.submit_read(find, KEVIN).result(10) == opened

    @pytest.mark.parametrize("arrives", [False, True])
    def test_a_connection_that_is_lost_meanwhile_leaves_open_what_happened(
        self, engine: Engine, proxy: Proxy, arrives: bool
    ) -> None:
        def call() -> Any:
            return engine.submit_write(once, KEVIN, "add_todo", "id-1", counted, MILK)

        def counted(connection: Connection, owner: Owner, action: Any) -> Any:
            attempts.append(owner)
            return act(connection, owner, action)

        attempts: list[Owner] = []
        engine.submit_write(open_list, KEVIN).result(10)
        proxy.cut_at(COMMIT, arrives=arrives)
        assert isinstance(call().exception(10), OutcomeUnknown)
        assert len(attempts) == 1
        assert call().result(10).replayed is arrives
        assert engine.submit_read(find, KEVIN).result(10).open_count == 1

    def test_a_read_is_tried_again(self, engine: Engine, proxy: Proxy) -> None:
        opened = engine.submit_write(open_list, KEVIN).result(10)
        proxy.cut_at(COMMIT, arrives=False)
        assert engine.submit_read(find, KEVIN).result(10) == opened

    def test_the_answer_says_so(self, proxy: Proxy) -> None:
        settings = Settings(service_auth_key=(SERVICE_KEY,), database_url=proxy.url, **GENEROUS)
        with TestClient(create_app(settings), base_url="http://localhost:8000", headers=AUTHORIZATION) as client:
            body = {"todo": "Buy milk", "request_id": "id-1"}
            client.post("/todos/kevin", json={"todo": "Buy bread"}).raise_for_status()
            proxy.cut_at(COMMIT, arrives=True)
            answer = problem(client.post("/todos/kevin", json=body), 503, "outcome_unknown")
            assert "request_id" in answer["hint"]
            again = client.post("/todos/kevin", json=body)
            assert (again.status_code, again.headers["Idempotent-Replay"]) == (201, "true")
            assert client.get("/todos/kevin").json()["total"] == 2
