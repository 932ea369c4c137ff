"""A replica of the database, used for reads of a list if it certainly has the list's current version."""

import logging
import time
from collections.abc import Callable
from typing import Any

import psycopg

from todo.errors import Refusal
from todo.storage.statements import Connection
from todo.storage.transactions import GRACE_SECONDS, READ, Passing, Transactions

log = logging.getLogger(__name__)

CHECK_SECONDS = 0.5  # to begin on the replica; after that it counts as down
AWAY_SECONDS = 5.0  # until it is tried again

VersionOf = Callable[[Connection, Any], Any]


class Behind(Exception):
    """The replica has another version of the list, or is down: the primary has to be read."""


class Replica:
    """Reads from a replica. `version_of` returns the version of an owner's list, which differs after each change."""

    def __init__(self, url: str, size: int, version_of: VersionOf, public_url: str) -> None:
        self._transactions = Transactions(url, size, READ, public_url)
        self._version_of = version_of
        self._away_until = 0.0

    def start(self) -> None:
        """Starts opening connections without waiting for them: the replica may be down."""
        self._transactions.start(wait=False)

    def stop(self) -> None:
        self._transactions.stop()

    def read(self, primary: Transactions, rule: Callable[[Connection], Any], owner: Any, seconds: float) -> Any:
        """Returns what `rule` returns on the replica. Raises Behind, psycopg.errors.QueryCanceled, and its refusals.

        The list's version on the primary is compared with that in the replica's snapshot, which `rule` reads.
        """

        def checked(connection: Connection) -> Any:
            if self._version_on_replica(connection, owner) != version:
                raise Behind
            connection.driver.patience = seconds + GRACE_SECONDS
            return rule(connection)

        if time.monotonic() < self._away_until:
            raise Behind
        try:
            version = primary.ask(lambda connection: self._version_of(connection, owner), CHECK_SECONDS)
        except psycopg.Error as error:
            raise Behind from error
        try:
            return self._transactions.attempt(checked, seconds, wait=CHECK_SECONDS, patience=CHECK_SECONDS)
        except psycopg.errors.QueryCanceled:
            raise
        except Passing as failure:
            if failure.on_another_connection:
                self._note_away(failure.reason)
            raise Behind from failure
        except psycopg.Error as error:
            self._note_away(error)
            raise Behind from error

    def _version_on_replica(self, connection: Connection, owner: Any) -> Any:
        try:
            return self._version_of(connection, owner)
        except Refusal:  # the replica does not have the user yet
            raise Behind from None

    def _note_away(self, error: psycopg.Error) -> None:
        log.warning("the replica failed, so the primary is read for %d s: %s", AWAY_SECONDS, type(error).__name__)
        self._away_until = time.monotonic() + AWAY_SECONDS
        self._transactions.drain()
