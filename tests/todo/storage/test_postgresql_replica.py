"""A real streaming replica: it relieves the primary, and nobody reads from it what is no longer so."""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from starlette.testclient import TestClient

from dev.processes import GENEROUS
from dev.replica import Replica, replica
from tests.conftest import AUTHORIZATION, SERVICE_KEY, migrate, migrated_postgresql
from tests.proxy import proxied
from tests.todo.storage.test_read_limits import ENDLESS
from todo.app import create_app
from todo.config import Settings
from todo.domain import profiles
from todo.domain.changes import act
from todo.domain.users import Owner, find, open_list
from todo.errors import ReadTooSlow
from todo.storage import replica as of_replica
from todo.storage.database import open_engine
from todo.storage.engine import Engine
from todo.storage.statements import Connection

pytestmark = pytest.mark.slow

KEVIN, ANNA = Owner("kevin"), Owner("anna")
MILK = {"action": "add", "todo": "Buy milk"}


@pytest.fixture(scope="module")
def primary(postgresql: str) -> str:
    return migrated_postgresql(postgresql)


@contextmanager
def following(server_url: str) -> Iterator[Replica]:
    """Yields a replica of this server."""
    with psycopg.connect(server_url) as connection:
        row = connection.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchone()
    assert row
    # Not below pytest's own folder, which only root may enter.
    with (
        tempfile.TemporaryDirectory(prefix="todo-replica-") as name,
        replica(server_url, Path(row[0]), Path(name)) as it,
    ):
        yield it


@pytest.fixture(scope="module")
def running(primary: str) -> Iterator[Replica]:
    with following(primary) as it:
        yield it


@pytest.fixture
def standby(running: Replica, primary: str) -> Iterator[Replica]:
    """A replica that follows at once, of empty tables."""
    yield running
    running.lag(0)
    running.resume()
    with psycopg.connect(primary, autocommit=True) as connection:
        connection.execute("TRUNCATE usernames, users CASCADE")


def worker(stack: ExitStack, primary: str, read_url: str | None = None) -> Engine:
    engine = open_engine(primary, read_url=read_url, version_of=find)
    engine.start()
    stack.callback(engine.stop)
    return engine


@pytest.fixture
def workers(primary: str, standby: Replica, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, Engine, Engine]]:
    """Two workers that know of the replica, and one that does not."""
    monkeypatch.setattr(of_replica, "AWAY_SECONDS", 0.5)
    with ExitStack() as stack:
        yield worker(stack, primary, standby.url), worker(stack, primary, standby.url), worker(stack, primary)


def is_replica(connection: Connection, owner: Owner) -> bool:
    return bool(connection.driver.execute("SELECT pg_is_in_recovery() AS it").fetchone()["it"])


def from_replica(engine: Engine, owner: Owner) -> bool:
    return engine.submit_read_of_list(is_replica, owner).result(10)


def seconds_until(condition: Callable[[], bool]) -> float:
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < 20
        time.sleep(0.05)
    return time.monotonic() - begin


def test_it_answers_reads_of_a_list_and_no_others(workers: tuple[Engine, ...]) -> None:
    one, other, without = workers
    one.submit_write(act, KEVIN, MILK).result(10)
    seconds_until(lambda: from_replica(one, KEVIN) and from_replica(other, KEVIN))
    assert not from_replica(without, KEVIN)
    assert not one.submit_read(is_replica, KEVIN).result(10)


def test_a_write_is_read_at_once_through_every_worker(workers: tuple[Engine, ...], standby: Replica) -> None:
    for owner in (KEVIN, ANNA):
        workers[0].submit_write(act, owner, MILK).result(10)
    seconds_until(lambda: from_replica(workers[1], KEVIN) and from_replica(workers[1], ANNA))
    standby.pause()
    for writer in workers:
        before = workers[0].submit_read(find, KEVIN).result(10)
        writer.submit_write(act, KEVIN, MILK).result(10)
        found = [reader.submit_read_of_list(find, KEVIN).result(10) for reader in workers]
        assert [user.open_count for user in found] == [before.open_count + 1] * 3
        assert not from_replica(workers[1], KEVIN)
    assert from_replica(workers[1], ANNA), "a list that nobody has written is not held up by one that somebody has"
    standby.resume()
    seconds_until(lambda: from_replica(workers[0], KEVIN) and from_replica(workers[1], KEVIN))
    assert workers[1].submit_read_of_list(find, KEVIN).result(10).open_count == 4


def test_somebody_whom_the_replica_does_not_know_yet(workers: tuple[Engine, ...], standby: Replica) -> None:
    standby.pause()
    opened = workers[0].submit_write(open_list, KEVIN).result(10)
    by_id = Owner("kevin", user_id=opened.id)
    assert workers[1].submit_read_of_list(find, by_id).result(10) == opened


def test_a_replica_that_lags_by_seconds(workers: tuple[Engine, ...], standby: Replica) -> None:
    standby.lag(3)
    workers[0].submit_write(act, KEVIN, MILK).result(10)
    assert workers[1].submit_read_of_list(find, KEVIN).result(10).open_count == 1
    assert not from_replica(workers[1], KEVIN)
    assert 1 < seconds_until(lambda: from_replica(workers[1], KEVIN)) < 15


def test_nobody_misses_a_write_while_it_comes_and_goes(workers: tuple[Engine, ...], standby: Replica) -> None:
    choice = random.Random(1)
    names = [Owner(f"user{number}") for number in range(5)]
    written, used = dict.fromkeys(names, 0), 0
    for number in range(150):
        if number % 10 == 0:
            (standby.pause if number % 20 else standby.resume)()
        owner = choice.choice(names)
        choice.choice(workers).submit_write(act, owner, MILK).result(10)
        written[owner] += 1
        for reader in names:
            user = choice.choice(workers).submit_read_of_list(find, reader).result(10)
            assert user.open_count == written[reader]
        used += from_replica(workers[0], choice.choice(names))
    assert used > 10


def test_a_profile_is_part_of_the_list(workers: tuple[Engine, ...], standby: Replica) -> None:
    workers[0].submit_write(act, KEVIN, MILK).result(10)
    seconds_until(lambda: from_replica(workers[1], KEVIN))
    standby.pause()
    workers[0].submit_write(profiles.update, KEVIN, "Asia/Tokyo").result(10)
    assert workers[1].submit_read_of_list(find, KEVIN).result(10).time_zone == "Asia/Tokyo"


def test_it_goes_away_and_comes_back(workers: tuple[Engine, ...], standby: Replica) -> None:
    engine = workers[0]
    engine.submit_write(act, KEVIN, MILK).result(10)
    seconds_until(lambda: from_replica(engine, KEVIN))
    standby.stop()
    begin = time.monotonic()
    reads = [engine.submit_read_of_list(find, KEVIN) for _ in range(30)]
    assert [read.result(10).open_count for read in reads] == [1] * 30
    assert time.monotonic() - begin < 3
    standby.start()
    assert seconds_until(lambda: from_replica(engine, KEVIN)) < 5


def test_one_that_is_away_stops_no_start(primary: str, standby: Replica) -> None:
    with ExitStack() as stack:
        engine = worker(stack, primary, "postgresql://user:secret@127.0.0.1:1/none")
        begin = time.monotonic()
        assert engine.submit_read_of_list(find, KEVIN).result(10).id == 0
        assert time.monotonic() - begin < 2


def test_one_that_falls_silent(primary: str, standby: Replica) -> None:
    with ExitStack() as stack:
        proxy = stack.enter_context(proxied(standby.url))
        engine = worker(stack, primary, proxy.url)
        engine.submit_write(act, KEVIN, MILK).result(10)
        seconds_until(lambda: from_replica(engine, KEVIN))
        proxy.stall()
        begin = time.monotonic()
        assert engine.submit_read_of_list(find, KEVIN).result(10).open_count == 1
        assert time.monotonic() - begin < 2
        begin = time.monotonic()
        assert engine.submit_read_of_list(find, KEVIN).result(10).open_count == 1
        assert time.monotonic() - begin < 0.4, "it is not asked again for a while"
        proxy.go_on()


def test_a_search_that_takes_too_long_is_not_begun_again(workers: tuple[Engine, ...]) -> None:
    def search(connection: Connection, owner: Owner) -> None:
        asked.append(is_replica(connection, owner))
        connection.driver.execute(ENDLESS).fetchone()

    asked: list[bool] = []
    workers[0].submit_write(act, KEVIN, MILK).result(10)
    seconds_until(lambda: from_replica(workers[0], KEVIN))
    assert isinstance(workers[0].submit_read_of_list(search, KEVIN).exception(10), ReadTooSlow)
    assert asked == [True]


def test_the_service_reads_from_it_what_is_so(primary: str, standby: Replica) -> None:
    def open_service(**given: Any) -> TestClient:
        settings = Settings(service_auth_key=(SERVICE_KEY,), database_url=primary, **given, **GENEROUS)
        return TestClient(create_app(settings), base_url="http://localhost:8000", headers=AUTHORIZATION)

    with open_service(database_read_url=standby.url) as reader, open_service() as writer:
        assert standby.value("SELECT COUNT(*) > 1 FROM pg_stat_activity WHERE datname = current_database()")
        standby.pause()
        for number in range(1, 4):
            writer.post("/todos/kevin", json={"todo": f"Buy {number} litres"}).raise_for_status()
            assert reader.get("/todos/kevin?q=litres").json()["total"] == number
            assert len(reader.get("/todos/kevin/changes").json()["changes"]) == number
            assert len(reader.get("/todos/kevin/search?query=litres").json()["results"]) == number


def test_a_failover_needs_no_restart(primary: str) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(following(primary))
        first.execute("SELECT pg_promote()")
        second = stack.enter_context(following(first.url))
        hosts = ",".join(conninfo_to_dict(url)["host"] for url in (first.url, second.url))
        url = primary.partition("?")[0] + f"?host={hosts}&target_session_attrs=read-write"
        migrate(url)
        engine, on_second = worker(stack, url), worker(stack, second.url)
        engine.submit_write(act, KEVIN, MILK).result(10)
        seconds_until(lambda: on_second.submit_read(find, KEVIN).result(10).open_count == 1)
        first.stop()
        second.execute("SELECT pg_promote()")
        assert engine.submit_read(find, KEVIN).result(10).open_count == 1
        engine.submit_write(act, KEVIN, MILK).result(10)
        assert on_second.submit_read(find, KEVIN).result(10).open_count == 2
