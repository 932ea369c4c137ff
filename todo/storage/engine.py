"""The interface of a database engine, and the schema revision that the service needs."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from todo.startup import CannotStart
from todo.storage.statements import Connection

MIGRATIONS = Path(__file__).parent.parent.parent / "migrations" / "versions"

P = ParamSpec("P")
T = TypeVar("T")
Owner = TypeVar("Owner")


class StorageNotReady(CannotStart):
    """The database is unreachable or not migrated; the message says what to do, in one sentence."""


class Engine(ABC):
    """A database that runs rules: plain functions whose first argument is a Connection.

    Threads call `submit_...` and wait for the future; the event loop awaits `read`, `peek` and `write`.
    """

    name: str

    @abstractmethod
    def start(self) -> None:
        """Opens the connections. Raises StorageNotReady."""

    @abstractmethod
    def stop(self) -> None:
        """Finishes pending work and closes the connections."""

    @abstractmethod
    def submit_read(
        self, rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Runs `rule` on a snapshot; the future has its result or error, StorageUnavailable or ReadTooSlow."""

    def submit_read_of_list(
        self, rule: Callable[Concatenate[Connection, Owner, P], T], owner: Owner, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Like `submit_read`, for a rule that reads nothing but the list of `owner`; a replica may answer it.

        It sees every write to the list that has been acknowledged.
        """
        return self.submit_read(rule, owner, *args, **kwargs)

    @abstractmethod
    def submit_write(
        self, rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Runs `rule` in a transaction: on disk once the future has its result, rolled back if it raises."""

    async def read(self, rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Returns the result of `submit_read`."""
        return await asyncio.wrap_future(self.submit_read(rule, *args, **kwargs))

    async def read_of_list(
        self, rule: Callable[Concatenate[Connection, Owner, P], T], owner: Owner, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Returns the result of `submit_read_of_list`."""
        return await asyncio.wrap_future(self.submit_read_of_list(rule, owner, *args, **kwargs))

    async def peek(self, rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `read`, for rules that read at most a page of rows by an index."""
        return await self.read(rule, *args, **kwargs)

    async def write(self, rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Returns the result of `submit_write`."""
        return await asyncio.wrap_future(self.submit_write(rule, *args, **kwargs))


def lane_of(args: tuple[Any, ...]) -> Hashable | None:
    """Returns the lane for a rule's arguments: the first is a user's id or has a `lane`. None means no lane."""
    first = args[0] if args else None
    return first if isinstance(first, int) else getattr(first, "lane", None)


def newest_revision() -> str:
    """Returns the latest migration's revision, taken from the file names."""
    return max(_revisions())


def _revisions() -> set[str]:
    return {file.stem.split("_")[0] for file in MIGRATIONS.glob("[0-9]*.py")}


def require_known(found: str | None) -> None:
    """Raises StorageNotReady for a database that a newer version has migrated."""
    if found and found not in _revisions():
        newest = newest_revision()
        raise StorageNotReady(
            f"The database is at revision {found}, which this version does not know, as its newest is {newest}: "
            f"run the newer version, or take the database back with its `alembic downgrade {newest}` first."
        )


def require_revision(found: str | None) -> None:
    """Raises StorageNotReady unless the database is at the newest revision."""
    require_known(found)
    if found != newest_revision():
        raise StorageNotReady(
            f"The database is at revision {found or 'none'} and this version needs {newest_revision()}: "
            "run `make migrate` first."
        )
