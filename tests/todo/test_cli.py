"""What an operator runs by hand."""

import os
import re
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.conftest import SERVICE_KEY, migrate
from todo import cli
from todo.accounts import accounts
from todo.config import ConfigError, Settings, load_environ
from todo.domain import changes, users
from todo.domain.users import Owner
from todo.errors import UsernameTaken
from todo.storage.database import open_engine


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
    cli.main(["env"])
    file = tmp_path / ".env"
    written = file.read_text(encoding="utf-8")
    cli.main(["env"])
    assert file.read_text(encoding="utf-8") == written
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setattr(os, "environ", {})
    (key,) = Settings.from_env(load_environ(file)).service_auth_key
    assert re.fullmatch("[0-9a-f]{64}", key)  # with a hyphen at its beginning it would look like an option
    printed = capsys.readouterr().out
    assert str(file) in printed
    assert key not in printed


def test_try_prints_a_command_but_no_key(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["try"])
    printed = capsys.readouterr().out
    assert "curl http://localhost:8000/todos/kevin" in printed
    assert SERVICE_KEY not in printed


def test_claim_prints_a_code_that_works_once(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["claim", "Kevin"])
    printed = capsys.readouterr().out
    (code,) = re.findall(r"^  (todo_cl_[A-Za-z0-9_-]{43})$", printed, re.MULTILINE)
    assert "http://localhost:8000/sign-up" in printed
    run_rules(
        settings,
        lambda connection: changes.act(connection, Owner("kevin"), {"action": "add", "todo": "a"}),
        lambda connection: accounts.open_account(connection, "kevin", "hash", None, code),
    )
    with pytest.raises(UsernameTaken):
        run_rules(settings, lambda connection: accounts.open_account(connection, "kevin", "hash", None, code))


def test_client_prints_what_to_paste(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["client", "My GPT", "chatgpt-action", "https://client.example/callback"])
    printed = capsys.readouterr().out
    for line in (
        r"Client ID +[0-9a-f]{32}",
        r"Client secret +todo_cs_[A-Za-z0-9_-]{43}",
        "Authorization URL +http://localhost:8000/oauth/authorize",
        "Token URL +http://localhost:8000/oauth/token",
        "Scope +todos:read todos:write",
    ):
        assert re.search(f"^  {line}$", printed, re.MULTILINE), line


@pytest.mark.parametrize("redirect", ["http://client.example/", "nonsense", "https://evil.example/{id}"])
def test_client_refuses_a_redirect_that_is_not_safe(settings: Settings, redirect: str) -> None:
    with pytest.raises(ConfigError, match="REDIRECT must be one of chatgpt-action, chatgpt-connector, claude"):
        cli.main(["client", "My GPT", redirect])


@pytest.mark.parametrize("client", ["You\u200b", "a\u202eb", "a\nb", " ", "x" * 201])
def test_client_refuses_a_name_that_could_deceive(settings: Settings, client: str) -> None:
    with pytest.raises(ConfigError, match="NAME: "):
        cli.main(["client", client, "claude"])


def test_forget_deletes_one_list_with_everything_in_it(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    run_rules(
        settings,
        lambda connection: changes.act(connection, Owner("kevin"), {"action": "add", "todo": "a"}),
        lambda connection: changes.act(connection, Owner("kevin"), {"action": "delete", "id": 1}),
        lambda connection: changes.act(connection, Owner("anna"), {"action": "add", "todo": "b"}),
    )
    cli.main(["forget", "Kevin"])
    cli.main(["forget", "kevin"])
    assert capsys.readouterr().out == "The list of Kevin is deleted.\nThere is no list of kevin.\n"
    with sqlite3.connect(settings.database_url.removeprefix("sqlite:///")) as database:
        assert database.execute("SELECT username FROM users").fetchall() == [("anna",)]
        assert database.execute("SELECT todo FROM todos").fetchall() == [("b",)]
    database.close()


def test_backup_is_whole(settings: Settings, tmp_path: Path) -> None:
    run_rules(settings, lambda connection: users.open_list(connection, Owner("kevin")))
    cli.main(["backup", str(tmp_path / "copy.db")])
    copy = open_engine(f"sqlite:///{tmp_path}/copy.db")
    copy.start()
    assert copy.submit_read(users.find, Owner("kevin")).result().id
    copy.stop()


def test_backup_overwrites_nothing(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(b"precious")
    with pytest.raises(ConfigError, match="exists"):
        cli.main(["backup", str(tmp_path / "copy.db")])
    assert (tmp_path / "copy.db").read_bytes() == b"precious"


def test_backup_of_postgresql_is_another_tool(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@127.0.0.1/d")
    with pytest.raises(ConfigError, match="pg_dump"):
        cli.main(["backup", "copy.db"])


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["forget"], ["forget", ""], ["claim"], ["client", "x"]])
def test_anything_else_says_how(settings: Settings, arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="forget USERNAME"):
        cli.main(arguments)
