"""The operator's commands."""

import os
import re
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import todo.cli  # noqa: F401  its commands join the group
from dev.processes import ROOT
from tests.conftest import SERVICE_KEY, migrate, migrated_sqlite
from todo import noted_url
from todo.accounts import accounts, resets
from todo.command_group import MAKE, commands
from todo.config import Settings, load_environ
from todo.domain import changes, users
from todo.domain.users import Owner
from todo.errors.access import ResetRefused, UsernameTaken
from todo.storage.database import open_engine
from todo.storage.engine import newest_revision

NAMES = ["backup", "check", "claim", "client", "env", "forget", "reset", "serve", "try", "upgrade"]


@pytest.fixture(autouse=True)
def typed_without_make(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAKELEVEL", raising=False)  # which `make test` sets


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERVICE_AUTH_KEY", SERVICE_KEY)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/todo.db")
    migrated_sqlite(tmp_path)
    return Settings.from_env(load_environ())


def run(*arguments: str) -> str:
    """Returns what a command prints that succeeds."""
    result = CliRunner().invoke(commands, arguments, prog_name="python -m todo")
    assert result.exit_code == 0, result.output
    return result.output


def fail(*arguments: str) -> str:
    """Returns the one sentence of a command that fails."""
    result = CliRunner().invoke(commands, arguments, prog_name="python -m todo")
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert re.fullmatch(r"[^\n]+\.\n?", result.output), result.output
    return result.output.strip()


def run_rules(settings: Settings, *rules: object) -> None:
    engine = open_engine(settings.database_url)
    engine.start()
    try:
        for rule in rules:
            engine.submit_write(rule).result()  # type: ignore[arg-type]
    finally:
        engine.stop()


class TestHelp:
    def test_lists_every_command(self) -> None:
        assert re.findall(r"^  (\w+)  +[A-Z].+\.$", run("--help"), re.MULTILINE) == NAMES

    @pytest.mark.parametrize("name", NAMES)
    def test_of_a_command(self, name: str) -> None:
        text = run(name, "--help")
        assert text.startswith(f"Usage: python -m todo {name}")
        assert (f"With make: make {name} " in text) == (name in MAKE)

    def test_no_command_prints_it_too(self) -> None:
        result = CliRunner().invoke(commands, [], prog_name="python -m todo")
        assert (result.exit_code, result.output.strip()) == (1, run("--help").strip())

    @pytest.mark.parametrize("module", ["todo", "todo.cli"])
    def test_names_the_module_that_was_run(self, module: str, tmp_path: Path) -> None:
        command = [sys.executable, "-m", module, "forget", "--help"]
        done = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"Usage: python -m {module} forget USERNAME\n")

    def test_shows_the_makefiles_own_examples(self) -> None:
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        for example in MAKE.values():
            assert f": {example}\n" in makefile


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["nonsense"], "No such command 'nonsense': `python -m todo --help` lists the commands."),
            (["forget"], "USERNAME is missing: type `python -m todo forget USERNAME`."),
            (["forget", ""], "USERNAME is missing: type `python -m todo forget USERNAME`."),
            (["claim"], "USERNAME is missing: type `python -m todo claim USERNAME`."),
            (["client", "x"], "REDIRECT is missing: type `python -m todo client NAME REDIRECT...`."),
            (["client", "", "claude"], "NAME is missing: type `python -m todo client NAME REDIRECT...`."),
            (["backup", ""], "FILE is missing: type `python -m todo backup FILE`."),
            (["forget", "a", "b"], "Got unexpected extra argument (b): type `python -m todo forget USERNAME`."),
            (["forget", "--all"], "No such option '--all': type `python -m todo forget USERNAME`."),
        ],
    )
    def test_say_what_to_type(self, arguments: list[str], sentence: str) -> None:
        assert fail(*arguments) == sentence

    @pytest.mark.parametrize("username", ["me", "a b", "a/b", "-", "x" * 65, "kevin\n"])
    @pytest.mark.parametrize("name", ["claim", "forget", "reset"])
    def test_no_username(self, settings: Settings, name: str, username: str) -> None:
        assert fail(name, "--", username).startswith("USERNAME must look like kevin")

    @pytest.mark.parametrize("arguments", [["try"], ["claim", "kevin"], ["client", "x", "claude"], ["backup", "x"]])
    def test_a_setting(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
        monkeypatch.setenv("PORT", "http")
        assert fail(*arguments) == "PORT must be a whole number from 0 to 65535."

    @pytest.mark.parametrize("arguments", [["claim", "kevin"], ["forget", "kevin"], ["backup", "copy.db"]])
    def test_no_database(self, settings: Settings, tmp_path: Path, arguments: list[str]) -> None:
        (tmp_path / "todo.db").unlink()
        assert fail(*arguments) == f"There is no database at {tmp_path}/todo.db: run `make migrate` first."
        assert not list(tmp_path.glob("*.db"))

    @pytest.mark.parametrize("name", MAKE)
    def test_speak_of_make_to_those_who_use_it(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MAKELEVEL", "1")
        assert fail(name, "").endswith(f" is missing: type `{MAKE[name]}`.")


class TestEnv:
    def test_is_written_once_and_for_its_owner_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        printed = run("env")
        file = tmp_path / ".env"
        written = file.read_text(encoding="utf-8")
        assert run("env") == ""
        assert file.read_text(encoding="utf-8") == written
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        monkeypatch.setattr(os, "environ", {})
        (key,) = Settings.from_env(load_environ(file)).service_auth_key
        assert re.fullmatch("[0-9a-f]{64}", key)  # with a hyphen at its beginning it would look like an option
        assert str(file) in printed
        assert key not in printed

    def test_names_the_file_that_cannot_be_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = tmp_path / "gone"
        folder.mkdir()
        monkeypatch.chdir(folder)
        folder.rmdir()
        monkeypatch.setattr("todo.cli.DOTENV", folder / ".env")
        assert fail("env").startswith(f"{folder}/.env cannot be written (No such file or directory)")

    def test_starts_without_the_service(self) -> None:
        """It is the first thing that `make run` does, before there is anything to wait for."""
        code = "import sys, todo.cli; print(*sys.modules)"
        loaded = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        assert not {"connexion", "flask", "psycopg", "aiosql", "argon2", "todo.contract"} & set(loaded.split())


class TestTry:
    def test_prints_three_lines_and_no_key(self, settings: Settings) -> None:
        printed = run("try")
        assert re.findall(r"^  (\d\. [A-Z][a-z]+(?: [a-z]+)?) ", printed, re.MULTILINE) == [
            "1. Open",
            "2. Sign up",
            "3. Add one",
        ]
        assert "http://localhost:8000/sign-up\n" in printed
        assert "curl http://localhost:8000/todos/kevin" in printed
        assert "in the environment" in printed
        assert SERVICE_KEY not in printed

    def test_knows_the_port_that_it_is_given(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        noted_url.note(replace(settings, public_url="http://localhost:1"))  # of a run before
        monkeypatch.setenv("PORT", "8123")
        assert run("try").count("http://localhost:8123") == 3

    def test_the_command_finds_the_key_in_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = tmp_path / "with a space"
        folder.mkdir()
        monkeypatch.chdir(folder)
        monkeypatch.delenv("SERVICE_AUTH_KEY", raising=False)
        run("env")
        printed = run("try")
        (quoted,) = re.findall(r'"Authorization: Bearer .+?"(?= -H)', printed)
        done = subprocess.run(["sh", "-c", f"echo {quoted}"], capture_output=True, text=True, check=True)
        (key,) = Settings.from_env(load_environ(folder / ".env")).service_auth_key
        assert done.stdout.split() == ["Authorization:", "Bearer", key]


class TestClaim:
    @pytest.fixture
    def kept(self, settings: Settings) -> Settings:
        """Settings of a service whose assistant keeps a list of kevin."""
        run_rules(settings, lambda connection: changes.act(connection, Owner("kevin"), {"action": "add", "todo": "a"}))
        return settings

    def test_prints_a_code_that_works_once(self, kept: Settings) -> None:
        printed = run("claim", "Kevin")
        (code,) = re.findall(r"^  (todo_cl_[A-Za-z0-9_-]{43})$", printed, re.MULTILINE)
        assert "http://localhost:8000/sign-up" in printed
        run_rules(kept, lambda connection: accounts.open_account(connection, "kevin", "hash", None, code))
        with pytest.raises(UsernameTaken):
            run_rules(kept, lambda connection: accounts.open_account(connection, "kevin", "hash", None, code))

    def test_of_a_list_that_is_not_there_needs_no_code(self, settings: Settings) -> None:
        wrong = "There is no list of kevin, so no code is needed: sign up on http://localhost:8000/sign-up."
        assert fail("claim", "kevin") == wrong

    def test_of_an_account_is_refused(self, settings: Settings) -> None:
        run_rules(settings, lambda connection: accounts.open_account(connection, "kevin", "hash", None, None))
        assert fail("claim", "KEVIN").startswith("kevin has an account already: sign in on http://localhost:8000/")

    def test_knows_where_the_service_was_started_last(self, kept: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        noted_url.note(replace(kept, public_url="http://localhost:8123"))
        assert "Enter it on http://localhost:8123/sign-up" in run("claim", "kevin")
        monkeypatch.setenv("PORT", "9000")
        assert "Enter it on http://localhost:9000/sign-up" in run("claim", "kevin")

    @pytest.mark.parametrize("noted", [b"", b"\xff", b"not an address", b"ftp://localhost"])
    def test_of_a_note_that_is_none_prints_the_settings(self, kept: Settings, tmp_path: Path, noted: bytes) -> None:
        (tmp_path / "todo.url").write_bytes(noted)
        assert "Enter it on http://localhost:8000/sign-up" in run("claim", "kevin")


def test_reset_prints_a_link_for_a_new_password(settings: Settings) -> None:
    assert fail("reset", "kevin") == "There is no account of kevin."
    run_rules(settings, lambda connection: accounts.open_account(connection, "kevin", "hash", None, None))
    printed = run("reset", "Kevin")
    (secret,) = re.findall(
        r"^  http://localhost:8000/reset-password/(todo_pr_[A-Za-z0-9_-]{54})$", printed, re.MULTILINE
    )
    run_rules(settings, lambda connection: resets.use(connection, secret, "another hash"))
    with pytest.raises(ResetRefused):
        run_rules(settings, lambda connection: resets.use(connection, secret, "a third hash"))


class TestClient:
    def test_prints_what_to_paste(self, settings: Settings) -> None:
        printed = run("client", "My GPT", "chatgpt-action", "https://client.example/callback")
        for line in (
            r"Client ID +[0-9a-f]{32}",
            r"Client secret +todo_cs_[A-Za-z0-9_-]{43}",
            "Authorization URL +http://localhost:8000/oauth/authorize",
            "Token URL +http://localhost:8000/oauth/token",
            "Scope +todos:read todos:write",
        ):
            assert re.search(f"^  {line}$", printed, re.MULTILINE), line

    @pytest.mark.parametrize("redirect", ["http://client.example/", "nonsense", "https://evil.example/{id}"])
    def test_refuses_a_redirect_that_is_not_safe(self, settings: Settings, redirect: str) -> None:
        expected = "REDIRECT must be one of chatgpt-action, chatgpt-connector, claude"
        assert fail("client", "My GPT", redirect).startswith(expected)

    @pytest.mark.parametrize("name", ["You\u200b", "a\u202eb", "a\nb", " ", "x" * 201])
    def test_refuses_a_name_that_could_deceive(self, settings: Settings, name: str) -> None:
        assert fail("client", name, "claude").startswith("NAME: ")


def test_forget_deletes_one_list_with_everything_in_it(settings: Settings) -> None:
    run_rules(
        settings,
        lambda connection: changes.act(connection, Owner("kevin"), {"action": "add", "todo": "a"}),
        lambda connection: changes.act(connection, Owner("kevin"), {"action": "delete", "id": 1}),
        lambda connection: changes.act(connection, Owner("anna"), {"action": "add", "todo": "b"}),
    )
    assert run("forget", "Kevin") == "Deleted the list of kevin.\n"
    assert run("forget", "kevin") == "There is no list of kevin.\n"
    with sqlite3.connect(settings.database_url.removeprefix("sqlite:///")) as database:
        assert database.execute("SELECT username FROM users").fetchall() == [("anna",)]
        assert database.execute("SELECT todo FROM todos").fetchall() == [("b",)]
    database.close()


class TestBackup:
    def test_is_complete(self, settings: Settings, tmp_path: Path) -> None:
        run_rules(settings, lambda connection: users.open_list(connection, Owner("kevin")))
        run("backup", str(tmp_path / "copy.db"))
        copy = open_engine(f"sqlite:///{tmp_path}/copy.db")
        copy.start()
        assert copy.submit_read(users.find, Owner("kevin")).result().id
        copy.stop()

    def test_overwrites_nothing(self, settings: Settings, tmp_path: Path) -> None:
        (tmp_path / "copy.db").write_bytes(b"precious")
        assert fail("backup", "copy.db") == "copy.db exists: name a new file for the backup."
        assert (tmp_path / "copy.db").read_bytes() == b"precious"

    def test_names_a_file_that_cannot_be_written(self, settings: Settings, tmp_path: Path) -> None:
        sentence = fail("backup", "missing/copy.db")
        assert sentence.startswith(f"{tmp_path}/todo.db cannot be copied to missing/copy.db: name a file in a folder")

    def test_of_postgresql_is_another_tool(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@127.0.0.1/d")
        assert "pg_dump" in fail("backup", "copy.db")


class TestUpgrade:
    def test_backs_up_migrates_and_checks(self, settings: Settings, tmp_path: Path) -> None:
        file = tmp_path / "todo.db"
        file.unlink()
        migrate(settings.database_url, "0014")
        assert "The database is up to date, and the service can start." in run("upgrade")
        (copy,) = tmp_path.glob("todo-before-*.db")
        assert (revision_of(copy), revision_of(file)) == ("0014", newest_revision())

    def test_of_a_newer_database_changes_nothing(self, settings: Settings, tmp_path: Path) -> None:
        with sqlite3.connect(tmp_path / "todo.db") as database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.close()
        result = CliRunner().invoke(commands, ["upgrade"], prog_name="python -m todo")
        assert result.exit_code == 1
        assert result.output.splitlines()[-1].startswith(
            "The database is at revision 9999, which this version does not"
        )
        assert revision_of(tmp_path / "todo.db") == "9999"


def revision_of(file: Path) -> str:
    database = sqlite3.connect(file)
    (found,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    database.close()
    return str(found)
