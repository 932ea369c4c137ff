"""The two units of work, `read` and `write`. Nothing else in the service opens a connection."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

MIGRATIONS = Path(__file__).parent.parent.parent / "migrations" / "versions"

P = ParamSpec("P")
T = TypeVar("T")


class StorageNotReady(Exception):
    """The database cannot be used as it is; the message is one sentence that says what to do."""


class Connection:
    """A database connection on which every named statement is a method: `connection.todo_by_id(user_id=1, id=2)`."""

    def __init__(self, driver: Any, statements: Any) -> None:
        self._driver = driver
        self._statements = statements

    def __getattr__(self, name: str) -> Any:
        return partial(getattr(self._statements, name), self._driver)


class Engine(Protocol):
    """A database that runs rules, plain functions whose first argument is a Connection, off the event loop."""

    name: str

    def start(self) -> None:
        """Opens connections; raises StorageNotReady."""

    def stop(self) -> None:
        """Finishes what is under way and closes every connection."""

    def submit_read(
        self, rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Runs `rule` on one snapshot of the database."""

    def submit_write(
        self, rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Runs `rule` in one transaction: on disk when the future has its result, gone without a trace if it raises."""


current_engine: ContextVar[Engine] = ContextVar("current_engine")


async def read(rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Returns what `rule` returns, from one snapshot. Raises what it raises, and StorageUnavailable."""
    return await asyncio.wrap_future(current_engine.get().submit_read(rule, *args, **kwargs))


async def write(rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Returns what `rule` returns, once on disk. Raises what it raises, with nothing written, or StorageUnavailable."""
    return await asyncio.wrap_future(current_engine.get().submit_write(rule, *args, **kwargs))


def open_engine(database_url: str) -> Engine:
    """Returns the engine for a sqlite:/// or postgresql:// address, not yet started."""
    if database_url.startswith("sqlite:"):
        from todo.storage.sqlite import SQLiteEngine

        return SQLiteEngine(Path(database_url.removeprefix("sqlite:///")))
    from todo.storage.postgresql import PostgreSQLEngine

    return PostgreSQLEngine(database_url)


def check_ready(database_url: str) -> None:
    """Raises StorageNotReady unless the database can be used as it is."""
    engine = open_engine(database_url)
    engine.start()
    engine.stop()


def newest_revision() -> str:
    """Returns the revision that the migrations lead to; their file names begin with it, in order."""
    return max(file.stem.split("_")[0] for file in MIGRATIONS.glob("[0-9]*.py"))


def require_revision(found: str | None) -> None:
    """Raises StorageNotReady unless the database stands at the newest revision."""
    if found != newest_revision():
        raise StorageNotReady(
            f"The database is at revision {found or 'none'} and this version needs {newest_revision()}: "
            "run `make migrate` first."
        )
