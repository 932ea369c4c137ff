"""An acknowledged write outlives the sudden death of the service."""

import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import Child, all_todos, migrated, new_client, serving

CALLERS = 32
ROUNDS = 20 if os.environ.get("SOAK") else 2
SECONDS = 1.5  # from the first request to the kill


def post_until_killed(url: str, caller: int) -> dict[int, str]:
    """Returns the ids and texts of the to-dos that one caller was told are there."""
    acknowledged: dict[int, str] = {}
    with new_client(url) as client:
        try:
            for number in itertools.count():
                todo = f"{caller}-{number}"
                answer = client.post("/todos/load", json={"todo": todo})
                assert answer.status_code == 201, answer.text
                acknowledged[answer.json()["id"]] = todo
        except httpx.TransportError:
            return acknowledged
    raise AssertionError("the service was not killed")


def kill_while_posting(service: Child) -> list[dict[int, str]]:
    """Returns what each caller was told, after the kill of a service that all of them kept busy."""
    with ThreadPoolExecutor(CALLERS) as pool:
        posting = [pool.submit(post_until_killed, service.url, caller) for caller in range(CALLERS)]
        try:
            time.sleep(SECONDS)
        finally:
            service.kill()
    return [caller.result() for caller in posting]


@pytest.mark.parametrize("number", range(ROUNDS))
def test_nothing_acknowledged_is_lost(tmp_path: Path, number: int) -> None:
    environ = migrated(tmp_path, WEB_CONCURRENCY=str(1 + number % 2))
    with serving(environ) as service:
        told = kill_while_posting(service)
    with serving(environ) as service, new_client(service.url) as client:
        todos = all_todos(client, "load")
    stored = {todo["id"]: todo["todo"] for todo in todos}
    assert len(todos) == len(stored) == len(set(stored.values()))
    assert all(len(acknowledged) > 2 for acknowledged in told)
    acknowledged = {number: todo for caller in told for number, todo in caller.items()}
    assert len(acknowledged) == sum(map(len, told))
    assert acknowledged.items() <= stored.items()
    # Beyond these there is at most the one request of each caller that the kill cut off.
    assert len(stored) - len(acknowledged) <= CALLERS
