"""Health: what a platform asks."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import httpx
from starlette.requests import Request

from handlers import health
from todo.service import Service, current


def test_process_answers(anonymous: httpx.Client) -> None:
    assert anonymous.get("/healthz").json() == {"status": "ok"}


def test_database_answers(anonymous: httpx.Client) -> None:
    assert anonymous.get("/readyz").json() == {"status": "ok"}
    assert anonymous.get("/readyz").json() == {"status": "ok"}


class Slow:
    """A database whose answers take a while."""

    reads = 0

    async def read(self, rule: Any) -> None:
        self.reads += 1
        await asyncio.sleep(0.01)


def test_many_who_ask_at_once_cost_one_read() -> None:
    async def ask(times: int) -> None:
        current.set(cast(Service, SimpleNamespace(engine=database)))
        await asyncio.gather(*[health.check_database(Request({"type": "http"})) for _ in range(times)])

    database = Slow()
    asyncio.run(ask(100))
    assert database.reads == 1
