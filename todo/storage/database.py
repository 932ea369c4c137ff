"""The service's database: opened by its address, and used in two units of work, `read` and `write`."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from todo.service import current
from todo.storage.engine import Engine
from todo.storage.statements import Connection

P = ParamSpec("P")
T = TypeVar("T")


def read(rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Returns what `rule` returns, from one snapshot. Raises what it raises, and StorageUnavailable."""
    return current.get().engine.read(rule, *args, **kwargs)


def peek(rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Does what `read` does, for a rule that looks at no more than a page of rows by an index.

    Where that takes less time than to ask a thread for it, as in SQLite, the event loop does it itself.
    """
    return current.get().engine.peek(rule, *args, **kwargs)


def write(rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Returns what `rule` returns, once on disk. Raises what it raises, with nothing written, or StorageUnavailable."""
    return current.get().engine.write(rule, *args, **kwargs)


def open_engine(database_url: str) -> Engine:
    """Returns the engine for a sqlite:/// or postgresql:// address, not yet started."""
    # Each brings its driver, of which a service needs one.
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
