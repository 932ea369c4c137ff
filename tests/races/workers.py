"""Two workers on one database, whoever uses them, and calls that meet."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from typing import Any

import httpx
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION, GENEROUS, SERVICE_KEY
from tests.people import Client, Person
from todo.app import create_app
from todo.config import Settings
from todo.storage.database import open_engine
from todo.storage.engine import Engine
from todo.storage.statements import Connection

URL = "http://localhost:8000"
PATIENCE = 30.0  # seconds
# What was once wrong showed in a quarter of the rounds or more.
ROUNDS = 200 if "SOAK" in os.environ else 30

_numbers = count(1)


class Workers:
    """Two services with an engine each, and one more engine for what an operator or a test does by itself."""

    def __init__(self, database_url: str) -> None:
        settings = Settings(
            service_auth_key=(SERVICE_KEY,), database_url=database_url, local_client_documents=True, **GENEROUS
        )
        self.engine: Engine = open_engine(database_url)
        self._apps = [TestClient(create_app(settings), base_url=URL) for _ in range(2)]
        self._stack = ExitStack()

    def __enter__(self) -> "Workers":
        self.engine.start()
        self._stack.callback(self.engine.stop)
        for app in self._apps:
            self._stack.enter_context(app)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def browser(self) -> TestClient:
        """Returns a client with cookies and an address of its own; one worker serves it, the other the next one."""
        number = next(_numbers)
        app = self._apps[number % 2]
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        browser = TestClient(app.app, base_url=URL, follow_redirects=False, client=(address, 50000))
        browser.portal = app.portal
        browser.event_hooks = {"response": [_is_no_fault]}
        return browser

    def person(self, username: str | None = None) -> Person:
        """Returns somebody at a browser, of a new name or with that of another."""
        return Person(self.browser(), username or f"racer{next(_numbers)}")

    def member(self) -> Person:
        """Returns somebody who has just signed up."""
        person = self.person()
        assert person.sign_up().status_code == 303
        return person

    def client(self) -> Client:
        """Returns a program that has registered itself."""
        return Client.registered(self.browser())

    def operator(self) -> TestClient:
        """Returns a client with the service key."""
        browser = self.browser()
        browser.headers.update(AUTHORIZATION)
        return browser

    def ask(self, sql: str) -> Any:
        """Returns the one value that a statement answers."""

        def one(connection: Connection) -> Any:
            return next(iter(dict(connection.driver.execute(sql).fetchone()).values()))

        return self.engine.submit_read(one).result()


class Pause:
    """A place where the first who comes by waits, until the test lets them go on."""

    def __init__(self) -> None:
        self._comers = count()
        self._reached, self._over = threading.Event(), threading.Event()

    def wait(self) -> None:
        if next(self._comers) == 0:
            self._reached.set()
            assert self._over.wait(PATIENCE)

    def after(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns the function with the pause before it returns."""

        def slow(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            self.wait()
            return result

        return slow

    def before(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Returns the coroutine function with the pause before it starts."""

        async def late(*args: Any, **kwargs: Any) -> Any:
            await asyncio.to_thread(self.wait)
            return await function(*args, **kwargs)

        return late

    def during(self, call: Callable[[], Any], meanwhile: Callable[[], Any]) -> Any:
        """Returns what `call` returns, after `meanwhile` was done where it paused, if it did."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(call)
            future.add_done_callback(lambda _: self._reached.set())
            try:
                assert self._reached.wait(PATIENCE)
                meanwhile()
            finally:
                self._over.set()
            return future.result(PATIENCE)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Returns what the calls return, all of which start at the same moment."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait(PATIENCE)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def _is_no_fault(response: httpx.Response) -> None:
    assert response.status_code < 500, (str(response.request.url), response.status_code)
