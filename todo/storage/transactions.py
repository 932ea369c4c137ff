"""Transactions on a PostgreSQL server: each runs a rule, with one retry after a passing failure."""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg

from todo.errors import OutcomeUnknown
from todo.storage.cache import PageCache
from todo.storage.connections import WAIT_FOR_CONNECTION, PatientConnection, new_pool
from todo.storage.statements import Connection, load

log = logging.getLogger(__name__)

WAIT_FOR_START = 10.0  # seconds
WAIT_FOR_LOCK = 2.0
IDLE_SECONDS = 10.0  # in a transaction; a worker cut off from the network must not keep its locks
GRACE_SECONDS = 1.0  # beyond the statement timeout; after that the server must be gone

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"  # one snapshot
# A write locks its user's row first, and then sees what others have committed.
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

# SQLSTATE codes (PostgreSQL's manual, appendix A). After those in CONFLICTS, the same connection can be used.
CONFLICTS = {"40001", "40P01"}  # serialization failure, deadlock
# The server stops, starts or has become a standby; a migration or a pooler has invalidated prepared statements.
GONE = {"57P01", "57P02", "57P03", "57P05", "25006", "0A000", "26000", "42P05"}
NODE_LOST = "08"  # a class; on an open connection, a Citus coordinator has lost a node
# Classes that mean that COMMIT rolled back. After any other failure of COMMIT, the outcome is unknown.
ROLLED_BACK = ("40", "23")
UNKNOWN = "40003"


class Passing(Exception):
    """The transaction has certainly not committed, and may succeed if it is run again."""

    def __init__(self, reason: psycopg.Error, *, on_another_connection: bool) -> None:
        super().__init__()
        self.reason = reason
        self.on_another_connection = on_another_connection


class Transactions:
    """Runs rules in transactions that begin with `begin`, which is READ or WRITE, on a pool of connections.

    Settings last for one transaction only, so that a pooler can be in front.
    """

    def __init__(self, url: str, size: int, begin: str, public_url: str) -> None:
        self._begin = begin
        self._statements = partial(load("psycopg"), cache=PageCache(), public_url=public_url)
        self._pool = new_pool(url, size)

    def start(self, *, wait: bool = True) -> None:
        """Opens the connections, and waits for one. Raises psycopg.OperationalError."""
        try:
            self._pool.open(wait=wait, timeout=WAIT_FOR_START)
        except BaseException:
            self._pool.close()
            raise

    def stop(self) -> None:
        self._pool.close()

    def drain(self) -> None:
        """Replaces all connections: a server that restarted has closed them."""
        self._pool.drain()

    def ask(self, rule: Callable[[Connection], Any], seconds: float) -> Any:
        """Returns what `rule` returns, with no transaction around its statements. Raises psycopg.Error."""
        with self._pool.connection(timeout=seconds) as driver:
            driver.patience = seconds
            return rule(self._statements(driver))

    def run(self, rule: Callable[[Connection], Any], seconds: float) -> Any:
        """Returns what `rule` returns, from one transaction whose statements may each take so many seconds.

        A passing failure is retried once, within the same time. Raises psycopg.Error and OutcomeUnknown.
        """
        deadline = time.monotonic() + seconds
        try:
            return self.attempt(rule, seconds, wait=WAIT_FOR_CONNECTION, patience=seconds + GRACE_SECONDS)
        except Passing as failure:
            left = deadline - time.monotonic()
            if left <= 0:
                raise failure.reason from None
            log.warning("the database failed, trying once more: %s", type(failure.reason).__name__)
            if failure.on_another_connection:
                self.drain()
        try:
            return self.attempt(rule, left, wait=min(left, WAIT_FOR_CONNECTION), patience=left + GRACE_SECONDS)
        except Passing as failure:
            raise failure.reason from None

    def attempt(self, rule: Callable[[Connection], Any], seconds: float, *, wait: float, patience: float) -> Any:
        """Returns what `rule` returns from one attempt. Raises Passing, psycopg.Error and OutcomeUnknown.

        It waits at most `wait` seconds for a connection, and gives up when the server is silent for `patience` seconds.
        """
        with self._pool.connection(timeout=wait) as driver:
            driver.patience = patience
            try:
                driver.execute(self._beginning(driver, seconds), prepare=False)
                result = rule(self._statements(driver))
            except psycopg.Error as error:
                _raise_if_passing(error, driver)
                raise
            self._commit(driver)
            return result

    def _beginning(self, driver: PatientConnection, seconds: float) -> bytes:
        """Returns the statements that begin a transaction, to be sent in one message."""
        settings = {
            "lock_timeout": WAIT_FOR_LOCK,
            "statement_timeout": seconds,
            "idle_in_transaction_session_timeout": IDLE_SECONDS,
        }
        local = [
            f"SET LOCAL {name} = {max(1, round(value * 1000))}"  # milliseconds; 0 would be no limit
            for name, value in settings.items()
            if name not in driver.set_by_address
        ]
        return "; ".join([self._begin, *local]).encode()

    def _commit(self, driver: PatientConnection) -> None:
        """Commits. Raises Passing or psycopg.Error if that did not happen, and OutcomeUnknown if that is unknown."""
        try:
            driver.commit()
        except psycopg.Error as error:
            state = error.sqlstate or ""
            if self._begin == WRITE and (not state.startswith(ROLLED_BACK) or state == UNKNOWN):
                raise OutcomeUnknown from error
            _raise_if_passing(error, driver)
            raise


def _raise_if_passing(error: psycopg.Error, driver: PatientConnection) -> None:
    """Raises Passing if the error is one after which another attempt may succeed."""
    state = error.sqlstate or ""
    if driver.closed or state in GONE:
        raise Passing(error, on_another_connection=True) from error
    if state in CONFLICTS or state.startswith(NODE_LOST):
        raise Passing(error, on_another_connection=False) from error
