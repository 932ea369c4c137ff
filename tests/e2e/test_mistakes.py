"""Each mistake of an operator is one sentence that names the cure, with exit status 1, by whichever command."""

import ctypes
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.conftest import SERVICE_KEY, new_postgresql_database
from tests.e2e.processes import BIN, ROOT, Environ, environ_for, migrated, serving, started
from todo.storage.engine import newest_revision

pytestmark = pytest.mark.slow

SECRET = "zzcret"  # a part of every password here
GUNICORN = "gunicorn wsgi:app"
HONCHO = "honcho -e /dev/null start"  # the Procfile
ALEMBIC = "alembic upgrade head"
MAKE = "make -o .venv/bin/.run run"  # nothing is installed
TODO = "python -m todo"
# What gunicorn, make and honcho say besides, and how honcho begins each line.
BESIDES = re.compile(
    r"\[\d{4}-.*\] \[INFO\] .*|make: \*\*\* .*|WARN.*|(Migrating|Starting) the .* \.\.\.|.* system +\| .*"
)
BY_HONCHO = re.compile(r"^\S+ (?:web|release)\.1 +\| ")

Prepare = Callable[[Path], object]


def write(name: str, text: bytes) -> Prepare:
    return lambda folder: (folder / name).write_bytes(text)


def make_folder(name: str, mode: int = 0o755) -> Prepare:
    return lambda folder: (folder / name).mkdir(mode)


def migrated_to(revision: str) -> Prepare:
    """Returns what makes a database that says it is at a revision."""

    def prepare(folder: Path) -> None:
        database = sqlite3.connect(folder / "todo.db")
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        database.commit()
        database.close()

    return prepare


def read_only(folder: Path) -> None:
    migrated_to("0001")(folder)
    (folder / "todo.db").chmod(0o400)


def damaged(folder: Path) -> None:
    """Overwrites all but the first bytes of a database."""
    migrated_to("0001")(folder)
    file = folder / "todo.db"
    file.write_bytes(file.read_bytes()[:100] + b"\xff" * 12_000)


@dataclass
class Mistake:
    command: str
    sentence: str  # how it begins, with {folder} and {port}
    given: dict[str, str] = field(default_factory=dict)
    prepare: Prepare = lambda folder: None

    def __str__(self) -> str:
        return f"{self.command.split()[0]}: {self.sentence}"


def setting(command: str, sentence: str, **given: str) -> Mistake:
    return Mistake(command, sentence, given)


POSTGRESQL = "postgresql://todo:" + SECRET
MISTAKES = [
    # Settings.
    setting(GUNICORN, "SERVICE_AUTH_KEY is missing: run `make env`", SERVICE_AUTH_KEY=""),
    setting(ALEMBIC, "SERVICE_AUTH_KEY needs at least 32 ASCII characters", SERVICE_AUTH_KEY=SECRET),
    setting(GUNICORN, "SERVICE_AUTH_KEY holds more than two keys", SERVICE_AUTH_KEY=f"{SECRET},{SECRET},{SECRET}"),
    setting(GUNICORN, "PORT must be a whole number", PORT="http"),
    setting(f"{TODO} serve", "PORT must be a whole number", PORT="70000"),
    setting(MAKE, "WEB_CONCURRENCY must be a whole number from 1 to 64", WEB_CONCURRENCY="abc"),
    setting(f"{TODO} serve", "WEB_CONCURRENCY must be a whole number from 1 to 64", WEB_CONCURRENCY="1.5"),
    setting(GUNICORN, "WEB_CONCURRENCY must be a whole number from 1 to 64", WEB_CONCURRENCY="0"),
    setting(f"{HONCHO} web", "WEB_CONCURRENCY must be a whole number from 1 to 64", WEB_CONCURRENCY="abc"),
    setting(f"{HONCHO} web", "WEB_CONCURRENCY must be a whole number from 1 to 64", WEB_CONCURRENCY="1.5"),
    # The number is right, so it goes on to the next mistake.
    setting(f"{HONCHO} web", "There is no database at todo.db: run `make migrate` first", WEB_CONCURRENCY=""),
    setting(HONCHO, "SERVICE_AUTH_KEY is missing: run `make env`", SERVICE_AUTH_KEY=""),
    setting(GUNICORN, "PUBLIC_URL must be http:// or https://", PUBLIC_URL="todo.example.com"),
    setting(f"{TODO} try", "PLUGIN_AUTH must be service_http or oauth", PLUGIN_AUTH="none"),
    setting(GUNICORN, "CORS_ORIGINS must be origins", CORS_ORIGINS="*"),
    setting(f"{TODO} try", "PROXIES must be a whole number", PROXIES="many"),
    setting(GUNICORN, "REDIS_URL must be redis://", REDIS_URL=f"http://:{SECRET}@localhost"),
    setting(f"{TODO} try", "SMTP_URL must be smtp://", SMTP_URL=f"http://u:{SECRET}@localhost"),
    setting(f"{TODO} try", "READS_PER_MINUTE must be", READS_PER_MINUTE="-1"),
    setting(GUNICORN, "LOCAL_CLIENT_DOCUMENTS is for", LOCAL_CLIENT_DOCUMENTS="1", PUBLIC_URL="https://t.example"),
    setting(ALEMBIC, "DATABASE_URL must be PostgreSQL: this platform's disk does not last", DYNO="web.1"),
    # .env
    Mistake(f"{TODO} try", "{folder}/.env is not UTF-8 text", {}, write(".env", b"A=\xff" + SECRET.encode())),
    Mistake(
        GUNICORN, "{folder}/.env has no setting in line 2", {}, write(".env", b"A=1\n" + SECRET.encode() + b" x\n")
    ),
    Mistake(ALEMBIC, "{folder}/.env cannot be read (Is a directory)", {}, make_folder(".env")),
    # The address of a database.
    setting(
        GUNICORN, "DATABASE_URL must start with sqlite:/// (and a file) or", DATABASE_URL=f"mysql://u:{SECRET}@h/d"
    ),
    setting(GUNICORN, "DATABASE_URL has a % without two", DATABASE_URL=f"{POSTGRESQL}%zz@127.0.0.1/d"),
    setting(ALEMBIC, "DATABASE_URL must be postgresql://user:", DATABASE_URL=f"{POSTGRESQL}@{SECRET}@127.0.0.1/d"),
    setting(ALEMBIC, "DATABASE_URL must be postgresql://user:", DATABASE_URL=f"{POSTGRESQL}/{SECRET}@127.0.0.1/d"),
    setting(f"{TODO} forget a", "DATABASE_URL must be postgresql://user:", DATABASE_URL=f"{POSTGRESQL}@127.0.0.1:x/d"),
    setting(
        GUNICORN,
        "DATABASE_READ_URL must be postgresql://user:",
        DATABASE_URL="postgresql://127.0.0.1/d",
        DATABASE_READ_URL=f"{POSTGRESQL}#{SECRET}@127.0.0.1/d",
    ),
    # A database that is away.
    setting(ALEMBIC, "The database at DATABASE_URL cannot be reached", DATABASE_URL=f"{POSTGRESQL}@127.0.0.1:1/d"),
    setting(GUNICORN, "The database at DATABASE_URL cannot be reached", DATABASE_URL=f"{POSTGRESQL}@127.0.0.1:1/d"),
    setting(MAKE, "The database at DATABASE_URL cannot be reached", DATABASE_URL=f"{POSTGRESQL}@127.0.0.1:1/d"),
    setting(f"{TODO} forget a", "The database at DATABASE_URL cannot be", DATABASE_URL=f"{POSTGRESQL}@127.0.0.1:1/d"),
    setting(ALEMBIC, "DATABASE_URL cannot be understood by PostgreSQL", DATABASE_URL=f"{POSTGRESQL}@h/d?{SECRET}=1"),
    setting(GUNICORN, "DATABASE_URL cannot be understood by PostgreSQL", DATABASE_URL=f"{POSTGRESQL}@h/d?{SECRET}=1"),
    # A file.
    Mistake(GUNICORN, "There is no database at todo.db: run `make migrate` first"),
    Mistake(ALEMBIC, "todo.db is a folder: name a file in DATABASE_URL", {}, make_folder("todo.db")),
    Mistake(GUNICORN, "todo.db is a folder: name a file in DATABASE_URL", {}, make_folder("todo.db")),
    Mistake(ALEMBIC, "todo.db is no SQLite database: restore a backup", {}, write("todo.db", b"text " * 99)),
    Mistake(GUNICORN, "todo.db is no SQLite database: restore a backup", {}, write("todo.db", b"text " * 99)),
    Mistake(ALEMBIC, "todo.db is damaged: restore a backup", {}, damaged),
    Mistake(GUNICORN, "todo.db is damaged: restore a backup", {}, damaged),
    Mistake(ALEMBIC, "todo.db may not be written: let this user write it", {}, read_only),
    Mistake(GUNICORN, "todo.db may not be written: let this user write it", {}, read_only),
    Mistake(ALEMBIC, "data may not be written", {"DATABASE_URL": "sqlite:///data/todo.db"}, make_folder("data", 0o500)),
    Mistake(
        ALEMBIC,
        "data/x cannot be made (Permission denied)",
        {"DATABASE_URL": "sqlite:///data/x/todo.db"},
        make_folder("data", 0o500),
    ),
    Mistake(ALEMBIC, "data cannot be made (File exists)", {"DATABASE_URL": "sqlite:///data/a.db"}, write("data", b"")),
    # A revision.
    Mistake(
        GUNICORN,
        f"The database is at revision 0001 and this version needs {newest_revision()}",
        {},
        migrated_to("0001"),
    ),
    Mistake(GUNICORN, "The database is at revision 9999, which this version does not know", {}, migrated_to("9999")),
    Mistake(ALEMBIC, "The database is at revision 9999, which this version does not know", {}, migrated_to("9999")),
    # Commands.
    Mistake("python wsgi.py", "wsgi.py starts nothing by itself: run `make run`"),
    Mistake(f"{TODO} backup copy.db", "There is no database at todo.db: run `make migrate` first"),
    Mistake(f"{TODO} backup copy.db", "todo.db is a folder", {}, make_folder("todo.db")),
    Mistake(f"{TODO} backup copy.db", "todo.db is no SQLite database", {}, write("todo.db", b"text " * 99)),
    Mistake(f"{TODO} backup copy.db", "todo.db is damaged: restore a backup", {}, damaged),
    Mistake(f"{TODO} backup no/copy.db", "todo.db cannot be copied to no/copy.db: name a", {}, migrated_to("1")),
    Mistake(f"{TODO} backup /proc/copy.db", "todo.db cannot be copied to /proc/copy", {}, migrated_to("1")),
    Mistake(f"{TODO} forget a/b", "USERNAME must look like"),
    Mistake(f"{TODO} nonsense", "No such command 'nonsense': `python -m todo --help` lists the commands"),
]


def obey_permissions() -> None:
    """Takes from root the right to read and write what permissions forbid, in a process that is about to run."""
    for right in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, right)  # PR_CAPBSET_DROP


def tree(folder: Path) -> Path:
    """Returns a folder that looks like this repository, whose other files a test may replace."""
    for entry in ROOT.iterdir():
        if entry.name not in {".env", ".git", ".venv", "data"}:
            (folder / entry.name).symlink_to(entry)
    (folder / ".venv").symlink_to(BIN.parent)
    return folder


def tree_once(folder: Path) -> Path:
    return folder if (folder / "wsgi.py").exists() else tree(folder)


def run(command: str, environ: Environ, folder: Path, *, as_root: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command.split(),
        cwd=folder,
        env={**environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        preexec_fn=None if as_root else obey_permissions,
    )


def sentence_of(done: subprocess.CompletedProcess[str]) -> str:
    """Returns the one sentence of a command that failed."""
    assert SECRET not in done.stdout
    assert SERVICE_KEY not in done.stdout
    lines = [BY_HONCHO.sub("", line) for line in done.stdout.splitlines()]
    said = [line for line in lines if line and not BESIDES.fullmatch(line)]
    [sentence] = {*said} if done.args[0] == "honcho" else said  # each of its commands says so
    assert sentence.endswith("."), sentence
    assert done.returncode == (2 if done.args[0] == "make" else 1), done.stdout  # make has a status of its own
    return sentence


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_is_one_sentence(mistake: Mistake, tmp_path: Path) -> None:
    folder = tree(tmp_path)
    environ = {**environ_for(folder, DATABASE_URL="sqlite:///todo.db"), **mistake.given}
    mistake.prepare(folder)
    sentence = sentence_of(run(mistake.command, environ, folder, as_root=False))
    assert sentence.startswith(mistake.sentence.format(folder=folder)), sentence


def test_postgresql_without_the_database(tmp_path: Path, postgresql: str) -> None:
    url = postgresql.replace("/postgres?", "/nowhere?")
    assert url != postgresql
    for command in (ALEMBIC, GUNICORN):
        sentence = sentence_of(run(command, environ_for(tmp_path, DATABASE_URL=url), tree_once(tmp_path)))
        assert sentence.startswith("The database at DATABASE_URL has no such database: create it with createdb")


def test_postgresql_of_a_newer_version(tmp_path: Path, postgresql: str) -> None:
    url = new_postgresql_database(postgresql)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    for command in (ALEMBIC, GUNICORN):
        sentence = sentence_of(run(command, environ_for(tmp_path, DATABASE_URL=url), tree_once(tmp_path)))
        assert sentence.startswith("The database is at revision 9999, which this version does not know")


@pytest.mark.parametrize("command", [GUNICORN, MAKE])
def test_port_in_use(tmp_path: Path, command: str) -> None:
    folder = tree(tmp_path)
    environ = migrated(folder)
    with socket.create_server(("127.0.0.1", int(environ["PORT"]))):
        started_at = time.monotonic()
        sentence = sentence_of(run(command, environ, folder))
    assert sentence == f"PORT {environ['PORT']} of 127.0.0.1 is in use: stop what listens there, or set another PORT."
    assert time.monotonic() - started_at < 20  # gunicorn alone tries five times


def test_no_address_of_this_machine(tmp_path: Path) -> None:
    sentence = sentence_of(run(f"{TODO} serve", migrated(tmp_path, HOST="192.0.2.1"), tree(tmp_path)))
    assert sentence == "HOST 192.0.2.1 is no address of this machine: set 127.0.0.1, or 0.0.0.0 for all addresses."


def test_an_empty_number_of_workers_is_one(tmp_path: Path) -> None:
    command = ["python", "-m", "todo", "serve"]
    with started(command, migrated(tmp_path, WEB_CONCURRENCY="")) as service:
        service.wait_until_ready()
        assert "3. Add one" in service.output


def test_gunicorn_in_another_folder(tmp_path: Path) -> None:
    """Its own workers would answer each request with 500. The status is gunicorn's for an app that fails to load."""
    environ = migrated(tmp_path)
    done = run(f"gunicorn --chdir {ROOT} --bind 127.0.0.1:{environ['PORT']} wsgi:app", environ, tmp_path)
    assert done.returncode == 4
    assert (
        "\ngunicorn has not read gunicorn.conf.py: start it in the folder of wsgi.py, without --chdir.\n" in done.stdout
    )
    assert "Traceback" not in done.stdout


def test_sigint_of_the_master_ends_within_seconds(tmp_path: Path) -> None:
    """gunicorn turns it into SIGQUIT for the workers, which uvicorn's would ignore until they are killed."""
    with serving(migrated(tmp_path)) as service, socket.create_connection(service.address) as waiting:
        waiting.sendall(b"POST /todos/kevin HTTP/1.1\r\n")  # a request that never ends
        time.sleep(0.2)
        started_at = time.monotonic()
        service.process.send_signal(signal.SIGINT)
        assert service.wait() == 0
        assert time.monotonic() - started_at < 10


def test_a_key_in_the_environment_is_the_only_one(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    done = run(f"{TODO} env", environ_for(folder), folder)
    assert (done.returncode, done.stdout) == (0, "")
    assert not (folder / ".env").exists()


def edited(old: str, new: str, file: str = "openapi.yaml") -> Prepare:
    """Returns what edits a contract."""

    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return lambda folder: (folder / "spec" / file).write_text(edit((ROOT / "spec" / file).read_text("utf-8")), "utf-8")


LIST_TODOS = "operationId: list_todos"
CONTRACT_MISTAKES = {
    "no summary": (
        edited("      summary: List", "      x-summary: List"),
        "list_todos: summary is missing: write",
    ),
    "no operationId": (edited(LIST_TODOS, "x-was: list_todos"), "GET /todos/{username}: operationId is missing: write"),
    "an operationId twice": (edited(LIST_TODOS, "operationId: add_todo"), "add_todo: GET /todos/{username} has this"),
    "not YAML": (edited(LIST_TODOS, "operationId: [list"), "this is not YAML ("),
    "a $ref to nothing": (edited("schemas/Username", "schemas/User"), "$ref leads to #/components/schemas/User, which"),
    "no handler": (edited(LIST_TODOS, "operationId: list_nothing"), "list_nothing: its handler list_nothing does not"),
    "a tag of no list": (edited("tags: [todos]", "tags: [tasks]"), "list_todos: the tag tasks is not declared: add it"),
    "a limit that is read": (edited("request_body_bytes: 65536", "x: 1"), "request_body_bytes is missing or no whole"),
    "a form without a handler": (
        edited("operationId: sign_in\n", "operationId: sign_inside\n", "site.yaml"),
        "sign_inside: its handler sign_inside does not exist: write it in handlers/accounts.py",
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A tree with contracts of its own; their examples of secrets do not stay, as no secret of a test may."""
    folder = tree(tmp_path)
    (folder / "spec").unlink()
    shutil.copytree(ROOT / "spec", folder / "spec")
    yield folder
    shutil.rmtree(folder / "spec")


@pytest.mark.parametrize(("edit", "wrong"), CONTRACT_MISTAKES.values(), ids=CONTRACT_MISTAKES)
def test_of_a_contract_is_one_sentence_with_its_line(folder: Path, edit: Prepare, wrong: str) -> None:
    """`make spec` and the start say the same."""
    edit(folder)
    sentence = sentence_of(run(GUNICORN, migrated(folder), folder))
    assert wrong in sentence
    assert re.match(r"spec/(openapi|site)\.yaml, line \d+", sentence)
    checked = run("python -m dev.spec", environ_for(folder), folder)
    assert checked.returncode == 1
    assert sentence in checked.stdout.splitlines()


NOT_IMPORTABLE = {
    "a rule that is not written yet": (
        "from todo.domain.lists import no_rule",
        "(ImportError: cannot import name 'no_rule' from 'todo.domain.lists', handlers/lists.py, line {line}): ",
    ),
    "a module that is not written yet": (
        "import todo.domain.nothing",
        "(ModuleNotFoundError: No module named 'todo.domain.nothing', handlers/lists.py, line {line}): ",
    ),
    "no Python": ("def create_list(", "(SyntaxError: '(' was never closed, handlers/lists.py, line {line}): "),
}


@pytest.mark.parametrize(("code", "wrong"), NOT_IMPORTABLE.values(), ids=NOT_IMPORTABLE)
def test_a_handler_module_that_cannot_be_imported_is_one_sentence(folder: Path, code: str, wrong: str) -> None:
    (folder / "handlers").unlink()
    shutil.copytree(ROOT / "handlers", folder / "handlers")
    file = folder / "handlers" / "lists.py"
    text = file.read_text("utf-8")
    file.write_text(f"{text}{code}\n", "utf-8")
    environ = migrated(folder)
    sentence = sentence_of(run(GUNICORN, environ, folder))
    assert re.match(r"spec/(openapi|site)\.yaml, line \d+, \w+: its handler module handlers/lists\.py ", sentence)
    assert sentence.endswith(wrong.format(line=len(text.splitlines()) + 1) + "correct that line.")
    for command in ("python -m dev.spec", f"{TODO} serve"):
        done = run(command, environ, folder)
        assert done.returncode == 1
        assert sentence in done.stdout.splitlines()
        assert "Traceback" not in done.stdout


def test_make_spec_names_what_the_specification_forbids(folder: Path) -> None:
    edited("      in: query", "      in: nowhere")(folder)
    checked = run("make -o .venv/bin/.dev spec", environ_for(folder), folder)
    assert checked.returncode == 2
    assert re.search(r"spec/openapi\.yaml, line \d+.*: see the OpenAPI 3.0.3 specification\.", checked.stdout)


def test_the_contracts_are_right() -> None:
    done = subprocess.run([BIN / "python", "-m", "dev.spec"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
