"""Two processes that write one SQLite file take turns, however much one of them has to write."""

import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.processes import ROOT
from tests.conftest import migrated_sqlite
from todo.domain import changes
from todo.domain.users import Owner
from todo.storage.database import open_engine
from todo.storage.engine import Engine
from todo.storage.jobs import MAX_TOGETHER
from todo.storage.statements import Connection

pytestmark = pytest.mark.slow

WRITES = 40
OUTSTANDING = 64


def write_without_a_pause(url: str) -> None:
    """Keeps so many writes waiting until the process is ended."""
    engine, futures = open_engine(url), deque[Any]()
    engine.start()
    number = 0
    while True:
        while len(futures) < OUTSTANDING:
            number += 1
            owner = Owner(f"user{number % 50}")
            futures.append(engine.submit_write(changes.add, owner, {"action": "add", "todo": f"{number}"}, None))
        futures.popleft().exception()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine on a database that another process writes to without a pause."""
    url = migrated_sqlite(tmp_path)
    engine = open_engine(url)
    engine.start()
    script = f"from {__name__} import write_without_a_pause; write_without_a_pause({url!r})"
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) as other:
        try:
            give_up = time.monotonic() + 30
            while not engine.submit_read(written).result(10):
                assert time.monotonic() < give_up
                time.sleep(0.05)
            yield engine
        finally:
            other.kill()
            engine.stop()


def written(connection: Connection) -> int:
    """Returns how many to-dos the other process has written."""
    row = connection.driver.execute("SELECT COALESCE(SUM(last_todo_id), 0) FROM users").fetchone()
    return int(row[0])


def test_a_write_waits_for_a_few_of_the_others_transactions(engine: Engine) -> None:
    passed = []
    for _ in range(WRITES):
        before = engine.submit_read(written).result(10)
        passed.append(engine.submit_write(written).result(30) - before)
        time.sleep(0.01)
    # The few that waited longest are left out: this process may have had no processor meanwhile.
    assert sorted(passed)[-4] <= 5 * MAX_TOGETHER, sorted(passed)
