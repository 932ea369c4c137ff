"""Nothing acknowledged is lost, and nothing is done twice, when PostgreSQL and the service's workers crash."""

import itertools
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev.processes import children_of
from tests.e2e.postgresql import Server, new_server
from tests.e2e.processes import PATIENCE, Child, all_todos, migrated, new_client, serving, wait_until
from tests.replay import assert_log_gives_the_list

pytestmark = pytest.mark.slow

CALLERS = 32
ROUNDS = 20 if os.environ.get("SOAK") else 3
LISTS = ["anna", "bert", "cleo", "kevin"]
WORKERS = 2
STARTED = "Application startup complete"


@dataclass
class Caller:
    """Somebody who adds to-dos, one after the other, and repeats each request until it is acknowledged."""

    url: str
    number: int
    acknowledged: dict[str, int] = field(default_factory=dict)  # the id that each text was given
    repeats: int = 0

    @property
    def username(self) -> str:
        return LISTS[self.number % len(LISTS)]

    def add_until(self, enough: threading.Event) -> None:
        with new_client(self.url) as client:
            # A connection belongs to one worker, so each request takes a new one.
            client.headers["Connection"] = "close"
            for number in itertools.count():
                if enough.is_set():
                    return
                todo = f"{self.number}-{number}"
                self.acknowledged[todo] = self._add(client, todo).json()["id"]

    def add_all_again(self) -> None:
        """Repeats every request, as somebody does whom the answer never reached: each has the same answer."""
        with new_client(self.url) as client:
            for todo, todo_id in self.acknowledged.items():
                answer = self._add(client, todo)
                assert (answer.json()["id"], answer.headers.get("Idempotent-Replay")) == (todo_id, "true")

    def _add(self, client: httpx.Client, todo: str) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE
        body = {"todo": todo, "request_id": f"request-{todo}"}
        while True:
            try:
                answer = client.post(f"/todos/{self.username}", json=body)
            except httpx.TransportError as error:
                happened = repr(error)
            else:
                if answer.status_code == 201:
                    return answer
                happened = answer.text
                assert answer.status_code == 503, happened
            assert time.monotonic() < deadline, happened
            self.repeats += 1
            time.sleep(0.05)


@pytest.fixture(scope="module")
def server(postgresql: str) -> Iterator[Server]:
    with new_server(postgresql) as server:
        yield server


def kill_postgresql(server: Server, service: Child) -> None:
    server.kill()
    server.start()


def kill_backend(server: Server, service: Child) -> None:
    server.kill_backend()


def kill_worker(server: Server, service: Child) -> None:
    before = service.output.count(STARTED)
    os.kill(random.choice(children_of(service.process.pid)), signal.SIGKILL)
    service.wait_until_written(STARTED, times=before + 1)


CRASHES = [kill_backend, kill_postgresql, kill_worker]


def wait_for_all(callers: list[Caller], adding: list[Future[None]]) -> None:
    """Returns once each caller has been acknowledged something more. Raises what one of them failed with."""
    before = [len(caller.acknowledged) for caller in callers]

    def all_have_more() -> bool:
        for failed in filter(Future.done, adding):
            failed.result()
        return all(len(caller.acknowledged) > count for caller, count in zip(callers, before, strict=True))

    wait_until(all_have_more, "not all callers are acknowledged something")


def assert_all_is_there_once(todos: list[dict[str, Any]], callers: list[Caller]) -> None:
    """Raises AssertionError unless a list is exactly what its callers were told."""
    found = [(todo["todo"], todo["id"]) for todo in todos]
    told = [given for caller in callers for given in caller.acknowledged.items()]
    assert not set(told) - set(found), "lost"
    assert not set(found) - set(told), "done twice"
    assert len(found) == len(told)


def test_nothing_is_lost_and_nothing_is_done_twice(server: Server, tmp_path: Path) -> None:
    environ = migrated(tmp_path, DATABASE_URL=server.url, WEB_CONCURRENCY=str(WORKERS))
    enough = threading.Event()
    with serving(environ) as service, ThreadPoolExecutor(CALLERS) as pool:
        service.wait_until_written(STARTED, times=WORKERS)
        callers = [Caller(service.url, number) for number in range(CALLERS)]
        adding = [pool.submit(caller.add_until, enough) for caller in callers]
        try:
            wait_for_all(callers, adding)
            for _, crash in zip(range(ROUNDS), itertools.cycle(CRASHES), strict=False):
                time.sleep(random.uniform(0, 0.5))
                crash(server, service)
                wait_for_all(callers, adding)
        finally:
            enough.set()
        for added in adding:
            added.result()
        assert sum(caller.repeats for caller in callers), "nobody noticed a crash"
        with new_client(service.url) as client:
            for username in LISTS:
                assert_all_is_there_once(all_todos(client, username), [c for c in callers if c.username == username])
        list(pool.map(Caller.add_all_again, callers))
    for username in LISTS:
        assert_log_gives_the_list(server.url, username)


def test_a_worker_that_ends_while_postgresql_is_away_takes_no_other_with_it(server: Server, tmp_path: Path) -> None:
    environ = migrated(tmp_path, DATABASE_URL=server.url, WEB_CONCURRENCY=str(WORKERS))
    with serving(environ) as service:
        service.wait_until_written(STARTED, times=WORKERS)
        server.kill()
        try:
            os.kill(children_of(service.process.pid)[0], signal.SIGKILL)
            service.wait_until_written("Application startup failed")
        finally:
            server.start()
        service.wait_until_written(STARTED, times=WORKERS + 1)
        assert len(children_of(service.process.pid)) == WORKERS
        with new_client(service.url) as client:
            assert client.post("/todos/anna", json={"todo": "Buy milk"}).status_code == 201
