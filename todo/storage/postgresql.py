"""The PostgreSQL engine, with separate connections and threads for reads and writes."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import psycopg

from todo.errors import ReadTooSlow, StorageUnavailable
from todo.storage import read_limits
from todo.storage.connections import require_server
from todo.storage.engine import Engine, lane_of, require_revision
from todo.storage.lanes import Lanes
from todo.storage.not_ready import why_postgresql
from todo.storage.replica import Behind, Replica, VersionOf
from todo.storage.statements import Connection
from todo.storage.transactions import READ, WRITE, Transactions

log = logging.getLogger(__name__)

THREADS = 4  # for reads, and as many for writes, each with a connection
STATEMENT_TIMEOUT = 8.0  # seconds, for a statement of a write
# InternalError includes a server that became a standby, or ended a transaction that was idle for too long; the last two
# come from a pooler that does not track prepared statements.
UNAVAILABLE = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.InternalError,
    psycopg.errors.InvalidSqlStatementName,
    psycopg.errors.DuplicatePreparedStatement,
)


class PostgreSQLEngine(Engine):
    """One transaction per unit of work; PostgreSQL syncs each commit to disk.

    Reads never wait behind writes that wait for a lock, as each have threads and connections of their own.
    """

    name = "PostgreSQL"

    def __init__(
        self,
        database_url: str,
        *,
        public_url: str = "",
        statement_timeout: float = STATEMENT_TIMEOUT,
        read_url: str | None = None,
        version_of: VersionOf | None = None,
    ) -> None:
        """`read_url` is a replica; `version_of` shows whether it is behind on a list."""
        self._url = database_url
        self._statement_timeout = statement_timeout
        self._reads = Transactions(database_url, THREADS, READ, public_url)
        self._writes = Transactions(database_url, THREADS, WRITE, public_url)
        self._replica = Replica(read_url, THREADS, version_of, public_url) if read_url and version_of else None

    def start(self) -> None:
        try:
            require_server(self._url)
            self._reads.start()
            try:
                require_revision(self._reads.run(_revision, read_limits.READ_SECONDS))
                self._writes.start()
            except BaseException:
                self._reads.stop()
                raise
        except psycopg.Error as error:
            raise why_postgresql(error) or error from None
        if self._replica:
            self._replica.start()
        self._readers = Lanes(THREADS, "postgresql-reader")
        self._writers = Lanes(THREADS, "postgresql-writer")

    def stop(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self._writes.stop()
        self._reads.stop()
        if self._replica:
            self._replica.stop()

    def submit_read(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        seconds = read_limits.seconds_for(rule)
        return self._submit_read(args, lambda: self._reads.run(partial(_call, rule, args, kwargs), seconds))

    def submit_read_of_list(self, rule: Callable[..., Any], owner: Any, *args: Any, **kwargs: Any) -> Future[Any]:
        replica, seconds = self._replica, read_limits.seconds_for(rule)
        if replica is None:
            return self.submit_read(rule, owner, *args, **kwargs)

        def read() -> Any:
            call = partial(_call, rule, (owner, *args), kwargs)
            try:
                return replica.read(self._reads, call, owner, seconds)
            except Behind:
                return self._reads.run(call, seconds)

        return self._submit_read((owner,), read)

    def _submit_read(self, args: tuple[Any, ...], call: Callable[[], Any]) -> Future[Any]:
        def read() -> Any:
            try:
                return call()
            except psycopg.errors.QueryCanceled as error:
                raise ReadTooSlow from error
            except UNAVAILABLE as error:
                raise _unavailable(error) from error

        return self._readers.submit(lane_of(args), read)

    def submit_write(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        def write() -> Any:
            try:
                return self._writes.run(lambda connection: rule(connection, *args, **kwargs), self._statement_timeout)
            except UNAVAILABLE as error:
                raise _unavailable(error) from error

        return self._writers.submit(lane_of(args), write)


def _call(rule: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], connection: Connection) -> Any:
    return rule(connection, *args, **kwargs)


def _unavailable(error: psycopg.Error) -> StorageUnavailable:
    log.error("the database failed: %s", type(error).__name__)
    return StorageUnavailable()


def _revision(connection: Connection) -> str | None:
    """Returns the revision of the database, None if it has none."""
    try:
        row = connection.database_revision()
    except psycopg.errors.UndefinedTable:
        return None
    return row["version_num"] if row else None
