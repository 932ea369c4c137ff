"""The service's database, used in two units of work: `read` and `write`."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from todo.service import current
from todo.storage.engine import Engine
from todo.storage.statements import Connection

P = ParamSpec("P")
T = TypeVar("T")
Owner = TypeVar("Owner")


def read(rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Runs `rule` on a snapshot; returns its result. Raises its errors, StorageUnavailable and ReadTooSlow."""
    return current.get().engine.read(rule, *args, **kwargs)


def read_of_list(
    rule: Callable[Concatenate[Connection, Owner, P], T], owner: Owner, *args: P.args, **kwargs: P.kwargs
) -> Awaitable[T]:
    """Like `read`, for a rule that reads nothing but the list of `owner`; an up-to-date replica may answer it."""
    return current.get().engine.read_of_list(rule, owner, *args, **kwargs)


def peek(rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Like `read`, for rules that read at most a page of rows by an index.

    With SQLite these run on the event loop, which is faster than passing them to a thread.
    """
    return current.get().engine.peek(rule, *args, **kwargs)


def write(rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """Runs `rule` in a transaction, which may be retried once; returns its result once it is on disk.

    Raises its errors, StorageUnavailable and OutcomeUnknown.
    """
    return current.get().engine.write(rule, *args, **kwargs)


def open_engine(database_url: str, *, public_url: str = "", **options: Any) -> Engine:
    """Returns the engine for a sqlite:/// or postgresql:// URL, not yet started. PostgreSQLEngine takes the options.

    The URLs that rules return begin with `public_url`. Raises StorageNotReady for a URL that PostgreSQL cannot parse.
    """
    # Imported here, as a service needs only one of the drivers.
    if database_url.startswith("sqlite:"):
        from todo.storage.sqlite import SQLiteEngine

        return SQLiteEngine(Path(database_url.removeprefix("sqlite:///")), public_url)
    from todo.storage.not_ready import require_address
    from todo.storage.postgresql import PostgreSQLEngine

    require_address(database_url)
    if options.get("read_url"):
        require_address(options["read_url"], "DATABASE_READ_URL")
    return PostgreSQLEngine(database_url, public_url=public_url, **options)


def check_ready(database_url: str) -> None:
    """Raises StorageNotReady unless the database is reachable and migrated."""
    engine = open_engine(database_url)
    engine.start()
    engine.stop()
