"""A row is read once while nothing changes, and again as soon as anybody has committed."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import running
from todo.domain.users import Owner, find, open_list
from todo.storage import statements
from todo.storage.engine import Engine
from todo.storage.statements import Connection

KEVIN = Owner("kevin")


class Asked:
    """A rule that returns Kevin's row, and counts how often it was read."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, connection: Connection) -> str | None:
        row = connection.unchanged("kevin", lambda: self._read(connection))
        return row and str(row["user_id"])

    def _read(self, connection: Connection) -> Any:
        self.times += 1
        return connection.user_id_of(username="kevin")


async def peek(engine: Engine, rule: Callable[[Connection], Any]) -> Any:
    """Returns what the rule returns in a snapshot of its own."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return await engine.peek(rule)


def test_a_row_is_read_again_after_any_commit(engine: Engine, migrated_database: str) -> None:
    asked = Asked()

    async def run() -> list[int]:
        await engine.write(open_list, KEVIN)
        seen = []
        for _ in range(3):
            assert await peek(engine, asked)
        seen.append(asked.times)
        await engine.write(open_list, Owner("other"))
        assert await peek(engine, asked)
        seen.append(asked.times)
        with running(migrated_database) as another:  # such as another worker's
            await another.write(open_list, Owner("third"))
            assert await peek(engine, asked)
        seen.append(asked.times)
        return seen

    assert asyncio.run(run()) == ([1, 2, 3] if engine.name == "SQLite" else [3, 4, 5])


def test_what_is_not_there_is_looked_for_each_time(engine: Engine) -> None:
    asked = Asked()

    async def run() -> None:
        for _ in range(3):
            assert await peek(engine, asked) is None

    asyncio.run(run())
    assert asked.times == 3


def test_a_write_always_reads(engine: Engine) -> None:
    asked = Asked()
    engine.submit_write(open_list, KEVIN).result()
    for _ in range(3):
        assert engine.submit_write(asked).result()
    assert asked.times == 3


def test_what_a_connection_keeps_is_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "MAX_KNOWN", 3)

    def read_many(connection: Connection) -> int:
        for number in range(10):
            connection.unchanged(number, lambda number=number: (number,))
        return len(connection.known or ())

    assert engine.submit_read(read_many).result() <= 3


def test_who_is_found_is_as_stored(engine: Engine) -> None:
    async def run() -> None:
        for number in range(20):
            name = f"user{number}"
            assert (await peek(engine, lambda connection, name=name: find(connection, Owner(name)))).id == 0
            opened = await engine.write(open_list, Owner(name))
            assert await engine.peek(find, Owner(name)) == opened

    asyncio.run(run())
