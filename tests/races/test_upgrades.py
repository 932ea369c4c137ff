"""An upgrade that is killed leaves nothing behind, and of two at once the second finds nothing to do."""

import random
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import new_postgresql_database
from tests.contract.test_migrations import revision
from tests.e2e.processes import BIN, ROOT, Child, Environ, environ_for, started
from todo.storage.engine import newest_revision

pytestmark = pytest.mark.slow

UPGRADE = ["alembic", "upgrade", "head"]
KILLS = 12


def upgrade(environ: Environ) -> float:
    """Returns how long an upgrade took; raises CalledProcessError."""
    begin = time.monotonic()
    subprocess.run([BIN / UPGRADE[0], *UPGRADE[1:]], cwd=ROOT, env=environ, check=True, capture_output=True)
    return time.monotonic() - begin


def wait_until_begun(child: Child, file: Path) -> float:
    """Returns the time at which an upgrade had made its database, or a journal beside it."""
    while not list(file.parent.glob(f"{file.name}*")):
        assert child.process.poll() is None, child.output
        time.sleep(0.0005)
    return time.monotonic()


def test_after_a_kill_at_any_moment_the_next_succeeds(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    with started(UPGRADE, environ_for(whole)) as child:
        begun = wait_until_begun(child, whole / "todo.db")
        assert child.wait() == 0
        seconds = time.monotonic() - begun
    for number in range(KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()
        environ = environ_for(folder)
        with started(UPGRADE, environ) as child:
            wait_until_begun(child, folder / "todo.db")
            time.sleep(random.uniform(0, seconds * 0.8))
            child.kill()
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
