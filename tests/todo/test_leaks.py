"""The search for secrets finds them where they could be; tests/conftest.py runs it after all other tests."""

import sqlite3
from pathlib import Path

import pytest

from tests.conftest import SERVICE_KEY
from tests.leaks import leaks
from tests.people import PASSWORD
from todo.accounts import tokens

OF_NOBODY = ("client", "claim")
MADE = [tokens.new(kind) if kind in OF_NOBODY else tokens.new_for(1, kind) for kind in tokens.PREFIXES]


@pytest.mark.parametrize("secret", [*MADE, PASSWORD, SERVICE_KEY], ids=[*tokens.PREFIXES, "password", "key"])
def test_finds_a_secret_in_a_database_its_log_and_a_text(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, secret: str
) -> None:
    database = sqlite3.connect(tmp_path / "todo.db")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE t (a TEXT)")
    database.execute("INSERT INTO t VALUES (?)", (secret,))
    database.commit()
    (tmp_path / "stdout.txt").write_text(f"GET /?token={secret}\n")
    assert {Path(found.partition(": ")[0]).name for found in leaks(tmp_path)} == {"todo.db-wal", "stdout.txt"}
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    assert {Path(found.partition(": ")[0]).name for found in leaks(tmp_path)} == {"todo.db", "stdout.txt"}
    for file in tmp_path.iterdir():
        file.unlink()


def test_takes_a_hash_for_none(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(tokens.digest(tokens.new_for(1, "access")) + "todo_at_" + "x" * 43)
    assert not list(leaks(tmp_path))
