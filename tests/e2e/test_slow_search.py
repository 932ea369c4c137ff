"""Searches that would take minutes stop themselves, and nobody else waits for them."""

import contextlib
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import migrated, new_client, serving
from todo.contract import API

pytestmark = pytest.mark.slow

SEARCHES = 12


def make_searching_slow(file: Path) -> None:
    """Gives every to-do a text that LIKE needs long for: each place in it may be where the pattern begins."""
    with contextlib.closing(sqlite3.connect(file, timeout=10)) as database, database:
        database.execute("UPDATE todos SET search_text = ?", ["a" * 200_000])


def test_one_list_keeps_no_other_waiting(tmp_path: Path) -> None:
    with serving(migrated(tmp_path)) as service, new_client(service.url) as client:
        for batch in range(10):
            actions = [{"action": "add", "todo": f"{batch}-{number}"} for number in range(10)]
            client.post("/todos/kevin/changes", json={"actions": actions}).raise_for_status()
        make_searching_slow(tmp_path / "todo.db")
        client.post("/todos/anna", json={"todo": "Buy milk"}).raise_for_status()

        def search(_: int) -> httpx.Response:
            return client.get("/todos/kevin", params={"q": "a" * 90 + "b"})

        with ThreadPoolExecutor(SEARCHES) as pool:
            begin = time.monotonic()
            searching = [pool.submit(search, number) for number in range(SEARCHES)]
            time.sleep(0.5)
            for path in ("/healthz", "/readyz", "/todos/anna", "/todos/anna?q=milk"):
                asked = time.monotonic()
                assert client.get(path).status_code == 200
                assert time.monotonic() - asked < 1, path
            answers = [search.result() for search in searching]
        assert time.monotonic() - begin < 12
        assert {answer.status_code for answer in answers} == {503}
        assert "read_too_slow" in {answer.json()["code"] for answer in answers}
        assert min(answer.elapsed.total_seconds() for answer in answers) >= API.limit("read_seconds")
