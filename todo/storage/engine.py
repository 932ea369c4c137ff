"""What a database must be able to do for the service, and which revision it must be at."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from todo.storage.statements import Connection

MIGRATIONS = Path(__file__).parent.parent.parent / "migrations" / "versions"

P = ParamSpec("P")
T = TypeVar("T")


class StorageNotReady(Exception):
    """The database cannot be used as it is; the message is one sentence that says what to do."""


class Engine(ABC):
    """A database that runs rules, plain functions whose first argument is a Connection.

    Threads submit a rule and wait for its future; the event loop awaits `read`, `peek` and `write`.
    """

    name: str

    @abstractmethod
    def start(self) -> None:
        """Opens connections; raises StorageNotReady."""

    @abstractmethod
    def stop(self) -> None:
        """Finishes what is under way and closes every connection."""

    @abstractmethod
    def submit_read(
        self, rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Runs `rule` on one snapshot of the database."""

    @abstractmethod
    def submit_write(
        self, rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Runs `rule` in one transaction: on disk when the future has its result, gone without a trace if it raises."""

    async def read(self, rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self.submit_read(rule, *args, **kwargs))

    async def peek(self, rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.read(rule, *args, **kwargs)

    async def write(self, rule: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self.submit_write(rule, *args, **kwargs))


def lane_of(args: tuple[Any, ...]) -> Hashable | None:
    """Returns what work on the same list has in common: a rule's first argument is a user's id, or has a `lane`."""
    first = args[0] if args else None
    return first if isinstance(first, int) else getattr(first, "lane", None)


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
