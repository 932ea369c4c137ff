"""An upgrade that is killed leaves nothing behind, and of two at once the second finds nothing to do."""

import random
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import new_postgresql_database
from tests.contract.test_migrations import revision
from tests.e2e.processes import BIN, ROOT, Environ, environ_for, started
from todo.storage.engine import newest_revision

pytestmark = pytest.mark.slow

UPGRADE = ["alembic", "upgrade", "head"]
KILLS = 12


def upgrade(environ: Environ) -> None:
    """Upgrades; raises CalledProcessError."""
    subprocess.run([BIN / UPGRADE[0], *UPGRADE[1:]], cwd=ROOT, env=environ, check=True, capture_output=True)


def seconds_of_writing(folder: Path) -> float:
    """Returns how long an upgrade that nobody kills has a journal of what it changes."""
    folder.mkdir()
    journal, seen = folder / "todo.db-journal", []
    with started(UPGRADE, environ_for(folder)) as child:
        while child.process.poll() is None:
            if journal.exists():
                seen.append(time.monotonic())
            time.sleep(0.0005)
        assert child.wait() == 0
    return seen[-1] - seen[0]


def kill_while_writing(environ: Environ, seconds: float) -> None:
    """Kills an upgrade so long after it has begun to write."""
    journal = Path(environ["HOME"]) / "todo.db-journal"
    with started(UPGRADE, environ) as child:
        while not journal.exists():
            assert child.process.poll() is None, child.output
            time.sleep(0.0005)
        time.sleep(seconds)
        child.kill()


def test_after_a_kill_at_any_moment_the_next_succeeds(tmp_path: Path) -> None:
    seconds = seconds_of_writing(tmp_path / "whole")
    for number in range(KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()
        environ = environ_for(folder)
        kill_while_writing(environ, random.uniform(0, seconds))
        upgrade(environ)
        assert revision(environ["DATABASE_URL"]) == newest_revision()


@pytest.mark.parametrize("number", range(3))
def test_two_at_once_both_succeed(
    tmp_path: Path, database_kind: str, request: pytest.FixtureRequest, number: int
) -> None:
    given = (
        {}
        if database_kind == "sqlite"
        else {"DATABASE_URL": new_postgresql_database(request.getfixturevalue("postgresql"))}
    )
    environ = environ_for(tmp_path, **given)
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with (
        started(UPGRADE, {**environ, "HOME": str(folders[0])}) as one,
        started(UPGRADE, {**environ, "HOME": str(folders[1])}) as two,
    ):
        assert [child.wait() for child in (one, two)] == [0, 0], one.output + two.output
    assert revision(environ["DATABASE_URL"]) == newest_revision()
