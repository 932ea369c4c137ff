"""An acknowledged write outlives the sudden death of the service."""

import itertools
import os
import random
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import Child, all_todos, migrated, new_client, serving, wait_until

pytestmark = pytest.mark.slow

CALLERS = 32
ROUNDS = 50 if os.environ.get("SOAK") else 2
SECONDS = 1.0  # at most, from when all callers are at work to the kill


def post_until_killed(url: str, caller: int, acknowledged: dict[int, str]) -> None:
    """Notes the ids and texts of the to-dos that one caller was told are there."""
    with new_client(url) as client:
        try:
            for number in itertools.count():
                todo = f"{caller}-{number}"
                answer = client.post("/todos/load", json={"todo": todo})
                assert answer.status_code == 201, answer.text
                acknowledged[answer.json()["id"]] = todo
        except httpx.TransportError:
            return
    raise AssertionError("the service was not killed")


def kill_while_posting(service: Child) -> list[dict[int, str]]:
    """Returns what each caller was told, after the kill of a service that all of them kept busy."""
    told: list[dict[int, str]] = [{} for _ in range(CALLERS)]
    with ThreadPoolExecutor(CALLERS) as pool:
        posting = [pool.submit(post_until_killed, service.url, *caller) for caller in enumerate(told)]
        try:
            wait_until(
                lambda: all(len(acknowledged) > 2 for acknowledged in told) or any(map(Future.done, posting)),
                "not all callers are at work",
            )
            time.sleep(random.uniform(0, SECONDS))
        finally:
            service.kill()
    for caller in posting:
        caller.result()
    return told


@pytest.mark.parametrize("number", range(ROUNDS))
def test_nothing_acknowledged_is_lost(tmp_path: Path, number: int) -> None:
    environ = migrated(tmp_path, WEB_CONCURRENCY=str(1 + number % 2))
    with serving(environ) as service:
        told = kill_while_posting(service)
    with serving(environ) as service, new_client(service.url) as client:
        todos = all_todos(client, "load")
    stored = {todo["id"]: todo["todo"] for todo in todos}
    assert len(todos) == len(stored) == len(set(stored.values()))
    acknowledged = {number: todo for caller in told for number, todo in caller.items()}
    assert len(acknowledged) == sum(map(len, told))
    assert acknowledged.items() <= stored.items()
    # Beyond these there is at most the one request of each caller that the kill cut off.
    assert len(stored) - len(acknowledged) <= CALLERS
