"""Attacks on availability: others are answered within a second during each, and its memory comes back."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.conftest import AUTHORIZATION
from tests.e2e.attacks import ATTACKS, FORM, Address, connections, send
from tests.e2e.processes import PATIENCE, Child, migrated, serving

pytestmark = pytest.mark.slow

DESCRIPTORS = 256
WITHIN = 1.0  # seconds
MEMORY = 50_000_000  # bytes that it may keep
CROWD = 800  # clients
AFTERWARDS = 2.0  # seconds in which others ask on, as some attacks bite when they are over


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_others_are_answered(tmp_path: Path, attack: Callable[[Address], None]) -> None:
    with serving(migrated(tmp_path), DESCRIPTORS) as service, ThreadPoolExecutor(1) as pool:
        for _ in range(20):
            ask_as_others_do(service)
        before = service.memory
        slowest = slowest_answer(service, pool.submit(attack, service.address))
        time.sleep(1)
        kept = service.memory - before
        output = service.output
    assert slowest < WITHIN
    assert kept < MEMORY
    assert "Traceback" not in output


def slowest_answer(service: Child, attacking: Future[None]) -> float:
    """Returns the seconds that the slowest answer to others takes until the attack is over, and a little longer."""
    slowest, end = 0.0, time.monotonic() + AFTERWARDS
    while not attacking.done() or time.monotonic() < end:
        if not attacking.done():
            end = time.monotonic() + AFTERWARDS
        slowest = max(slowest, ask_as_others_do(service))
        time.sleep(0.05)
    attacking.result()
    return slowest


def ask_as_others_do(service: Child) -> float:
    """Returns the seconds that the slower of two newcomers waits for its answer, or so many that it gave up."""
    return max(_seconds(f"{service.url}/healthz"), _seconds(f"{service.url}/todos/kevin"))


def _seconds(url: str) -> float:
    start = time.monotonic()
    try:
        assert httpx.get(url, headers=AUTHORIZATION, timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return 5.0
    return time.monotonic() - start


def test_memory_of_a_crowd_comes_back(tmp_path: Path) -> None:
    with serving(migrated(tmp_path)) as service:
        ask_as_others_do(service)
        before = service.memory
        for _ in range(3):
            with connections(service.address, CROWD) as crowd:
                for client in crowd:
                    send(client, FORM * 4)
            time.sleep(AFTERWARDS)
            deadline = time.monotonic() + PATIENCE
            while service.memory - before > MEMORY and time.monotonic() < deadline:
                time.sleep(0.1)
            assert service.memory - before < MEMORY
