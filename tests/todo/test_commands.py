"""What an operator runs by hand."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.conftest import SERVICE_KEY, migrate
from todo import changes, commands, users
from todo.config import ConfigError, Settings, load_environ
from todo.storage.engine import open_engine
from todo.users import Owner


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERVICE_AUTH_KEY", SERVICE_KEY)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/todo.db")
    migrate(f"sqlite:///{tmp_path}/todo.db")
    return Settings.from_env(load_environ())


def run_rules(settings: Settings, *rules: object) -> None:
    engine = open_engine(settings.database_url)
    engine.start()
    for rule in rules:
        engine.submit_write(rule).result()  # type: ignore[arg-type]
    engine.stop()


def test_env_is_written_once_and_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    commands.main(["env"])
    file = tmp_path / ".env"
    written = file.read_text(encoding="utf-8")
    commands.main(["env"])
    assert file.read_text(encoding="utf-8") == written
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setattr(os, "environ", {})
    (key,) = Settings.from_env(load_environ(file)).service_auth_key
    printed = capsys.readouterr().out
    assert str(file) in printed
    assert key not in printed


def test_try_prints_a_command_but_no_key(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    commands.main(["try"])
    printed = capsys.readouterr().out
    assert "curl http://localhost:8000/todos/kevin" in printed
    assert SERVICE_KEY not in printed


def test_forget_deletes_one_list_with_everything_in_it(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    run_rules(
        settings,
        lambda connection: changes.act(connection, Owner("kevin"), {"action": "add", "todo": "a"}),
        lambda connection: changes.act(connection, Owner("kevin"), {"action": "delete", "id": 1}),
        lambda connection: changes.act(connection, Owner("anna"), {"action": "add", "todo": "b"}),
    )
    commands.main(["forget", "Kevin"])
    commands.main(["forget", "kevin"])
    assert capsys.readouterr().out == "The list of Kevin is deleted.\nThere is no list of kevin.\n"
    with sqlite3.connect(settings.database_url.removeprefix("sqlite:///")) as database:
        assert database.execute("SELECT username FROM users").fetchall() == [("anna",)]
        assert database.execute("SELECT todo FROM todos").fetchall() == [("b",)]
    database.close()


def test_backup_is_whole(settings: Settings, tmp_path: Path) -> None:
    run_rules(settings, lambda connection: users.open_list(connection, Owner("kevin")))
    commands.main(["backup", str(tmp_path / "copy.db")])
    copy = open_engine(f"sqlite:///{tmp_path}/copy.db")
    copy.start()
    assert copy.submit_read(users.find, Owner("kevin")).result().id == 1
    copy.stop()


def test_backup_overwrites_nothing(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(b"precious")
    with pytest.raises(ConfigError, match="exists"):
        commands.main(["backup", str(tmp_path / "copy.db")])
    assert (tmp_path / "copy.db").read_bytes() == b"precious"


def test_backup_of_postgresql_is_another_tool(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@127.0.0.1/d")
    with pytest.raises(ConfigError, match="pg_dump"):
        commands.main(["backup", "copy.db"])


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["forget"], ["forget", ""]])
def test_anything_else_says_how(settings: Settings, arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="forget USERNAME"):
        commands.main(arguments)
