"""PostgreSQL: a pool of connections, each used by one thread at a time."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from todo.errors import StorageUnavailable
from todo.storage.cache import Cache
from todo.storage.engine import Engine, StorageNotReady, require_revision
from todo.storage.statements import Connection, load

log = logging.getLogger(__name__)

POOL_SIZE = 8
WAIT_FOR_CONNECTION = 10.0  # seconds


class LostBeforeCommit(psycopg.OperationalError):
    """The connection broke while the rule ran: its transaction is gone, and the rule can run again."""


class PostgreSQLEngine(Engine):
    """One transaction a unit of work; PostgreSQL itself syncs each commit to its disk."""

    name = "PostgreSQL"

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._statements = partial(load("psycopg"), cache=Cache())

    def start(self) -> None:
        self._pool = ConnectionPool(
            self._url,
            min_size=1,
            max_size=POOL_SIZE,
            timeout=WAIT_FOR_CONNECTION,
            kwargs={"row_factory": dict_row, "prepare_threshold": 0},
            configure=_wait_for_locks_no_longer,
            open=False,
        )
        try:
            self._pool.open(wait=True, timeout=WAIT_FOR_CONNECTION)
            require_revision(self._revision())
        except psycopg.OperationalError:
            self._pool.close()
            raise StorageNotReady("The database of DATABASE_URL cannot be reached.") from None
        except StorageNotReady:
            self._pool.close()
            raise
        # Threads of their own, so that reads never wait for writes that wait for the lock of a list.
        self._readers = ThreadPoolExecutor(POOL_SIZE // 2, thread_name_prefix="postgresql-reader")
        self._writers = ThreadPoolExecutor(POOL_SIZE // 2, thread_name_prefix="postgresql-writer")

    def stop(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self._pool.close()

    def submit_read(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        return self._readers.submit(self._run, lambda connection: rule(connection, *args, **kwargs), read_only=True)

    def submit_write(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        return self._writers.submit(self._run, lambda connection: rule(connection, *args, **kwargs), read_only=False)

    def _run(self, rule: Callable[[Connection], Any], *, read_only: bool) -> Any:
        try:
            try:
                return self._attempt(rule, read_only=read_only)
            except LostBeforeCommit:
                self._pool.check()  # a server that was started anew has ended every connection
                return self._attempt(rule, read_only=read_only)
        except psycopg.OperationalError as error:
            log.error("the database failed: %s", type(error).__name__)
            raise StorageUnavailable from error

    def _attempt(self, rule: Callable[[Connection], Any], *, read_only: bool) -> Any:
        """Returns what the rule returns. Raises LostBeforeCommit where nothing can have been stored."""
        with self._pool.connection() as driver:
            # A read sees one snapshot; a write locks its user's row first and then sees what others did.
            level = psycopg.IsolationLevel.REPEATABLE_READ if read_only else psycopg.IsolationLevel.READ_COMMITTED
            driver.set_isolation_level(level)
            driver.set_read_only(read_only)
            try:
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


def _wait_for_locks_no_longer(driver: psycopg.Connection[Any]) -> None:
    """Ends a wait for the lock of a list after a while, as SQLite does; the caller is told to come again."""
    driver.execute(f"SET lock_timeout = '{WAIT_FOR_CONNECTION:.0f}s'")
    driver.commit()
