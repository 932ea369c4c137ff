"""Two processes that write one SQLite file."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import WEB, Child, all_todos, migrated, new_client, serving, started

TOGETHER = 50


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with serving(migrated(tmp_path_factory.mktemp("two_workers"), WEB_CONCURRENCY="2")) as service:
        service.wait_until_written("Application startup complete", times=2)
        yield service


@pytest.fixture
def http(two_workers: Child) -> Iterator[httpx.Client]:
    with new_client(two_workers.url) as client:
        # A connection belongs to one worker, so each request takes a new one.
        client.headers["Connection"] = "close"
        yield client


def test_ids_are_given_once(http: httpx.Client) -> None:
    start = threading.Barrier(TOGETHER)

    def add(number: int) -> int:
        start.wait(30)
        answer = http.post("/todos/kevin", json={"todo": f"Number {number}"})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    with ThreadPoolExecutor(TOGETHER) as pool:
        ids = list(pool.map(add, range(TOGETHER)))
    assert sorted(ids) == list(range(1, TOGETHER + 1))
    assert http.get("/todos/kevin").json()["total"] == TOGETHER
    stored = {todo["id"]: todo["todo"] for todo in all_todos(http, "kevin")}
    assert [stored[todo_id] for todo_id in ids] == [f"Number {number}" for number in range(TOGETHER)]


def test_one_of_two_changes_to_the_same_version_wins(http: httpx.Client) -> None:
    http.post("/todos/emma", json={"todo": "Nothing yet"})
    start = threading.Barrier(2)

    def update(todo: str, if_version: int) -> httpx.Response:
        start.wait(30)
        return http.patch("/todos/emma/1", json={"todo": todo, "if_version": if_version})

    with ThreadPoolExecutor(2) as pool:
        for version in range(1, 11):
            answers = pool.map(update, [f"This {version}", f"That {version}"], [version, version])
            won, lost = sorted(answers, key=lambda answer: answer.status_code)
            assert (won.status_code, lost.status_code) == (200, 409)
            assert won.json()["version"] == lost.json()["current_version"] == version + 1
            assert http.get("/todos/emma/1").json() == won.json()


@pytest.mark.parametrize("key", ["k", None], ids=["with a request_id", "without"])
def test_fifty_retries_are_one(http: httpx.Client, key: str | None) -> None:
    start, username = threading.Barrier(TOGETHER), f"retry-{key}".lower()

    def add(_: int) -> httpx.Response:
        start.wait(30)
        return http.post(
            f"/todos/{username}", json={"todo": "Buy milk"}, headers={"Idempotency-Key": key} if key else {}
        )

    with ThreadPoolExecutor(TOGETHER) as pool:
        answers = list(pool.map(add, range(TOGETHER)))
    assert {(answer.status_code, answer.json()["id"]) for answer in answers} == {(201, 1)}
    first = [a for a in answers if "idempotent-replay" not in a.headers and "deduplicated" not in a.json()]
    assert len(first) == 1
    assert http.get(f"/todos/{username}").json()["total"] == 1
    assert len(http.get(f"/todos/{username}/changes").json()["changes"]) == 1


def test_start_waits_for_another_process_that_writes_a_new_database(tmp_path: Path) -> None:
    environ = migrated(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "todo.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with started(WEB, environ) as service:
            time.sleep(2)
            other.execute("ROLLBACK")
            service.wait_until_ready()
