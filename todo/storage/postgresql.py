"""The PostgreSQL engine, with separate connection pools for reads and writes."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from todo.errors import ReadTooSlow, StorageUnavailable
from todo.storage import limits
from todo.storage.cache import Cache
from todo.storage.engine import Engine, StorageNotReady, lane_of, require_revision
from todo.storage.lanes import Lanes
from todo.storage.statements import Connection, load

log = logging.getLogger(__name__)

T = TypeVar("T")

POOL_SIZE = 8
WAIT_FOR_START = 10.0  # seconds
WAIT_FOR_CONNECTION = 3.0
WAIT_FOR_LOCK = 2.0
WRITE_SECONDS = 8.0  # for one statement
IDLE_SECONDS = 10.0  # in a transaction; a worker cut off from the network must not keep its locks
GRACE_SECONDS = 1.0  # beyond the statement timeout; after that the server must be gone

# Defaults that DATABASE_URL can override. They detect a vanished peer in about the time of a statement.
CONNECTION = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
# Run on each new connection, as poolers refuse startup options. Options set by DATABASE_URL take precedence.
SET = """
SELECT set_config(name, %(value)s, false) FROM pg_settings WHERE name = %(name)s AND source <> 'client'
"""
# InternalError includes a server that became a standby, or ended a transaction that was idle for too long.
UNAVAILABLE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)


class LostBeforeCommit(psycopg.OperationalError):
    """The connection broke while the rule ran; nothing was committed, so it is safe to retry."""


class PatientConnection(psycopg.Connection[DictRow]):
    """A connection that is closed once the server is silent for `patience` seconds.

    TCP does not notice: the server's machine may still acknowledge what is sent.
    """

    patience = WAIT_FOR_CONNECTION

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        try:
            return super().wait(gen, interval, timeout or self.patience)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()  # or a late response would be taken for the next statement's
            raise


class WorkerPool:
    """Connections and threads for reads or for writes, so that reads never wait behind writes that wait for a lock."""

    def __init__(self, url: str, name: str, level: psycopg.IsolationLevel, *, read_only: bool, seconds: float) -> None:
        self._name = name
        self._level = level
        self._read_only = read_only
        self._seconds = seconds
        self._statements = partial(load("psycopg"), cache=Cache())
        self._pool = ConnectionPool(
            connection_class=PatientConnection,
            kwargs={**CONNECTION, **conninfo_to_dict(url), "row_factory": dict_row, "prepare_threshold": 0},
            configure=self._configure,
            min_size=1,
            max_size=POOL_SIZE // 2,
            timeout=WAIT_FOR_CONNECTION,
            reconnect_timeout=2,  # seconds of exponential backoff; the next request starts it again
            num_workers=2,
            open=False,
        )

    def start(self) -> None:
        """Opens the connections. Raises psycopg.OperationalError and StorageNotReady."""
        try:
            self._pool.open(wait=True, timeout=WAIT_FOR_START)
            require_revision(self._revision())
        except BaseException:
            self._pool.close()
            raise
        self._lanes = Lanes(POOL_SIZE // 2, self._name)

    def stop(self) -> None:
        self._lanes.shutdown()
        self._pool.close()

    def submit(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        seconds = limits.seconds_for(rule) if self._read_only else self._seconds
        return self._lanes.submit(
            lane_of(args), lambda: self._run(lambda connection: rule(connection, *args, **kwargs), seconds)
        )

    def _configure(self, driver: PatientConnection) -> None:
        settings = {
            "lock_timeout": WAIT_FOR_LOCK,
            "statement_timeout": self._seconds,
            "idle_in_transaction_session_timeout": IDLE_SECONDS,
        }
        for name, seconds in settings.items():
            driver.execute(SET, {"name": name, "value": f"{seconds * 1000:.0f}ms"})
        driver.commit()
        driver.set_isolation_level(self._level)
        driver.set_read_only(self._read_only)

    def _run(self, rule: Callable[[Connection], Any], seconds: float) -> Any:
        try:
            try:
                return self._attempt(rule, seconds)
            except (LostBeforeCommit, psycopg.errors.FeatureNotSupported):
                # A restarted server has closed every connection; a migration has invalidated the prepared plans.
                self._pool.drain()
                return self._attempt(rule, seconds)
        except UNAVAILABLE as error:
            if self._read_only and isinstance(error, psycopg.errors.QueryCanceled):
                raise ReadTooSlow from error
            log.error("the database failed: %s", type(error).__name__)
            raise StorageUnavailable from error

    def _attempt(self, rule: Callable[[Connection], Any], seconds: float) -> Any:
        """Runs the rule in one transaction. Raises LostBeforeCommit if the connection broke before the commit."""
        with self._pool.connection() as driver:
            driver.patience = seconds + GRACE_SECONDS
            try:
                if seconds != self._seconds:
                    driver.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds * 1000:.0f}ms"])
                return rule(self._statements(driver))
            except psycopg.OperationalError as error:
                if driver.broken:
                    raise LostBeforeCommit from error
                raise

    def _revision(self) -> str | None:
        with self._pool.connection() as driver:
            try:
                row = self._statements(driver).database_revision()
            except psycopg.errors.UndefinedTable:
                driver.rollback()
                return None
        return row["version_num"] if row else None


class PostgreSQLEngine(Engine):
    """One transaction per unit of work; PostgreSQL syncs each commit to disk."""

    name = "PostgreSQL"

    def __init__(self, database_url: str) -> None:
        # A read sees one snapshot. A write locks its user's row first, and then sees what others have committed.
        self._reads = WorkerPool(
            database_url,
            "postgresql-reader",
            psycopg.IsolationLevel.REPEATABLE_READ,
            read_only=True,
            seconds=limits.READ_SECONDS,
        )
        self._writes = WorkerPool(
            database_url,
            "postgresql-writer",
            psycopg.IsolationLevel.READ_COMMITTED,
            read_only=False,
            seconds=WRITE_SECONDS,
        )

    def start(self) -> None:
        try:
            self._reads.start()
            try:
                self._writes.start()
            except BaseException:
                self._reads.stop()
                raise
        except psycopg.OperationalError:
            raise StorageNotReady("The database at DATABASE_URL cannot be reached.") from None

    def stop(self) -> None:
        self._writes.stop()
        self._reads.stop()

    def submit_read(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        return self._reads.submit(rule, *args, **kwargs)

    def submit_write(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        return self._writes.submit(rule, *args, **kwargs)
