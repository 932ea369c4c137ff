"""SQLite's connections that read, each snapshot for so long and no longer."""

import math
import sqlite3
import time
from threading import Event, Lock, Thread

from todo.storage.statements import Connection

SECONDS_BETWEEN_LOOKS = 0.05


class Reader:
    """A connection that reads one snapshot after another."""

    def __init__(self, driver: sqlite3.Connection, connection: Connection) -> None:
        driver.execute("PRAGMA query_only = ON")
        self.connection = connection
        self._driver = driver
        self._give_up = math.inf
        self._lock = Lock()

    def begin(self, seconds: float) -> bool:
        """Returns whether a snapshot was begun, and not gone on with; from now on it may take so many seconds."""
        self._give_up = time.monotonic() + seconds
        if self._driver.in_transaction:
            return False
        self._driver.execute("BEGIN")
        return True

    def end(self) -> None:
        """Ends the snapshot, unless an error has ended it."""
        with self._lock:
            self._give_up = math.inf
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK")

    def interrupt_if_late(self, now: float) -> None:
        """Makes the statement that runs raise SQLITE_INTERRUPT, in a snapshot that takes too long."""
        with self._lock:
            if now > self._give_up:
                self._driver.interrupt()


class Watch:
    """A thread that stops slow reads.

    A progress handler would do it without one, but takes Python's lock every time: with a busy event loop beside it,
    a search of 20 ms took seconds.
    """

    def __init__(self) -> None:
        self._readers: list[Reader] = []
        self._stopped = Event()
        self._thread = Thread(target=self._look, name="sqlite-watch")
        self._thread.start()

    def add(self, reader: Reader) -> None:
        self._readers.append(reader)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopped.wait(SECONDS_BETWEEN_LOOKS):
            now = time.monotonic()
            for reader in tuple(self._readers):
                reader.interrupt_if_late(now)
