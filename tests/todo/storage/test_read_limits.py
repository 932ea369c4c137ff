"""A read that takes too long is stopped, and holds up neither the readers of other lists nor the event loop."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.handlers.test_todos import problem
from todo.domain import listing
from todo.domain.users import Owner, find
from todo.errors import ReadTooSlow
from todo.storage import read_limits
from todo.storage.database import open_engine
from todo.storage.engine import Engine
from todo.storage.read_limits import exports
from todo.storage.statements import Connection

# Counts so far that no machine gets there while a test waits.
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000000) SELECT COUNT(*) FROM n"


@pytest.fixture
def engine(migrated_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(read_limits, "READ_SECONDS", 1.0)
    engine = open_engine(migrated_database)
    engine.start()
    yield engine
    engine.stop()


def search(connection: Connection, owner: Owner) -> None:
    connection.driver.execute(ENDLESS).fetchone()


def seconds_of(call: Callable[[], Any]) -> float:
    begin = time.monotonic()
    call()
    return time.monotonic() - begin


def test_it_is_stopped_and_the_next_is_not(engine: Engine) -> None:
    begin = time.monotonic()
    for _ in range(2):
        error = engine.submit_read(search, Owner("kevin")).exception(20)
        assert isinstance(error, ReadTooSlow)
    assert 2 <= time.monotonic() - begin < 10
    assert engine.submit_read(find, Owner("kevin")).result(5).id == 0


def test_one_list_holds_no_reader_of_another(engine: Engine) -> None:
    slow = [engine.submit_read(search, Owner("kevin")) for _ in range(8)]
    time.sleep(0.2)
    assert seconds_of(lambda: engine.submit_read(find, Owner("anna")).result(20)) < 0.9
    for future in slow:
        future.cancel()


def test_an_export_may_take_longer(engine: Engine) -> None:
    def read_for_two_seconds(connection: Connection, owner: Owner) -> None:
        if engine.name == "SQLite":
            connection.driver.create_function("pg_sleep", 1, time.sleep)
        connection.driver.execute(ENDLESS.replace("10000000000", "20").replace("*", "pg_sleep(0.1)")).fetchone()

    with pytest.raises(ReadTooSlow):
        engine.submit_read(read_for_two_seconds, Owner("kevin")).result(20)
    assert engine.submit_read(exports(read_for_two_seconds), Owner("kevin")).result(20) is None


def test_the_event_loop_goes_on(engine: Engine) -> None:
    async def look() -> tuple[BaseException | None, float]:
        longest, peeking = 0.0, asyncio.create_task(engine.peek(search, Owner("kevin")))
        while not peeking.done():
            begin = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - begin)
        assert (await engine.peek(find, Owner("kevin"))).id == 0
        return peeking.exception(), longest

    error, longest = asyncio.run(look())
    assert isinstance(error, ReadTooSlow)
    assert longest < 0.7


def test_the_answer_says_what_to_do(client: httpx.Client, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def page(*_: Any) -> None:
        raise ReadTooSlow

    monkeypatch.setattr(listing, "page", page)
    answer = problem(client.get(f"/todos/{name}?q=milk"), 503, "read_too_slow")
    assert "shorter q" in answer["hint"]
