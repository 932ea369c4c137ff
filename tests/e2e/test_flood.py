"""Honest clients lose no answer, and wait for none long, while a thousand others do their worst."""

import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.e2e.flood import Honest, run
from tests.e2e.processes import all_todos, migrated, new_client, serving

SECONDS = 120 if "SOAK" in os.environ else 15
CLIENTS = 1000
HONEST = 8
WITHIN = 1.0  # seconds, for 99 of 100 answers
MEMORY = 50_000_000  # bytes that the worker may keep


@pytest.mark.slow
def test_honest_clients_are_answered(tmp_path: Path) -> None:
    honest = [Honest(f"client{number}", keep_alive=number % 2 == 0) for number in range(HONEST)]
    with (
        serving(migrated(tmp_path)) as service,
        ThreadPoolExecutor(HONEST) as pool,
        ProcessPoolExecutor(1, get_context("spawn")) as elsewhere,
    ):
        honest[0].work(service.address, 1)
        before = service.memory
        flooding = elsewhere.submit(run, service.address, CLIENTS, SECONDS)
        working = [pool.submit(client.work, service.address, SECONDS) for client in honest]
        for each in (*working, flooding):
            each.result()
        with new_client(service.url) as client:
            stored = {todo["todo"] for each in honest for todo in all_todos(client, each.name)}
        assert service.memory - before < MEMORY
        assert "Traceback" not in service.output
    assert [lost for client in honest for lost in client.lost] == []
    assert {text for client in honest for text in client.added} == stored
    seconds = sorted(second for client in honest for second in client.seconds)
    assert len(seconds) > 20 * SECONDS
    assert seconds[len(seconds) * 99 // 100] < WITHIN
