"""Connections to a PostgreSQL server, directly or through a pooler such as PgBouncer."""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

T = TypeVar("T")

WAIT_FOR_CONNECTION = 3.0  # seconds

# Defaults that the database's URL can override. They detect a lost peer in about the time limit of a statement.
OPTIONS = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
# The server process, its prepared statements, and the settings that the database's URL makes with `options`.
PROBE = """
SELECT pg_backend_pid() AS backend,
       ARRAY(SELECT name FROM pg_prepared_statements) AS prepared,
       ARRAY(SELECT name FROM pg_settings WHERE source = 'client') AS set_by_address
"""
PREPARED = "_pg3_"  # how psycopg's names of prepared statements begin


class PatientConnection(psycopg.Connection[DictRow]):
    """A connection that is closed once the server is silent for `patience` seconds.

    TCP does not notice: the server's machine may still acknowledge what is sent.
    """

    patience = WAIT_FOR_CONNECTION
    set_by_address: frozenset[str] = frozenset()  # the names of these settings

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        try:
            return super().wait(gen, interval, timeout or self.patience)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()  # or a late response would be read as the next statement's
            raise


Pool = ConnectionPool[PatientConnection]


def new_pool(url: str, size: int) -> Pool:
    """Returns a pool of at most `size` connections, not yet open. They begin no transaction by themselves."""
    return ConnectionPool(
        connection_class=PatientConnection,
        kwargs={
            **OPTIONS,
            **conninfo_to_dict(url),
            "row_factory": dict_row,
            "prepare_threshold": 0,
            "autocommit": True,
        },
        configure=_configure,
        min_size=1,
        max_size=size,
        timeout=WAIT_FOR_CONNECTION,
        reconnect_timeout=2,  # seconds of exponential backoff; the next request starts it again
        num_workers=2,
        open=False,
    )


def require_server(url: str) -> None:
    """Checks that a server accepts a connection. Raises psycopg.Error at once, while a pool would keep trying."""
    options: dict[str, Any] = {**OPTIONS, **conninfo_to_dict(url)}
    psycopg.connect(**options).close()


def _configure(driver: PatientConnection) -> None:
    """Detects a pooler that does not track prepared statements, and then prepares none."""
    try:
        with driver.transaction():
            found = driver.execute(PROBE, prepare=True).fetchone()
            assert found
            driver.set_by_address = frozenset(found["set_by_address"])
            if found["backend"] != driver.info.backend_pid and any(map(_is_ours, found["prepared"])):
                driver.execute("DEALLOCATE ALL")  # the pooler gives this server connection to others next
                driver.prepare_threshold = None
    except psycopg.errors.DuplicatePreparedStatement:
        driver.prepare_threshold = None


def _is_ours(name: str) -> bool:
    """Whether a prepared statement has the name that psycopg gave it. Poolers that track statements rename them."""
    return name.startswith(PREPARED)
