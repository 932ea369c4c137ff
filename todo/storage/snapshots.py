"""SQLite's read connections, with a time limit on each snapshot."""

import math
import sqlite3
import time
from threading import Event, Lock, Thread

from todo.storage.statements import Connection

POLL_SECONDS = 0.05


class Reader:
    """A read-only connection; it reads one snapshot at a time."""

    def __init__(self, connection: Connection) -> None:
        connection.driver.execute("PRAGMA query_only = ON")
        connection.known = {}
        self.connection = connection
        self._driver: sqlite3.Connection = connection.driver
        self._version: int | None = None  # of the database, as this connection counts its changes
        self._deadline = math.inf
        self._lock = Lock()

    def begin(self, seconds: float) -> bool:
        """Begins a snapshot, or continues the current one, for at most `seconds`; returns whether it began one."""
        self._deadline = time.monotonic() + seconds
        if self._driver.in_transaction:
            return False
        self._driver.execute("BEGIN")
        try:
            version = self._driver.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            self.end()
            raise
        if version != self._version:  # somebody has committed since the last snapshot
            self._version = version
            self.connection.known = {}
        return True

    def end(self) -> None:
        """Ends the snapshot, if an error has not already."""
        with self._lock:
            self._deadline = math.inf
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK")

    def interrupt_if_late(self, now: float) -> None:
        """Interrupts the running statement (SQLITE_INTERRUPT) if the snapshot is past its deadline."""
        with self._lock:
            if now > self._deadline:
                self._driver.interrupt()


class Watch:
    """A thread that interrupts slow reads.

    A progress handler would need no thread, but takes the GIL on each call: beside a busy event loop, a search of 20 ms
    took seconds.
    """

    def __init__(self) -> None:
        self._readers: list[Reader] = []
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="sqlite-watch")
        self._thread.start()

    def add(self, reader: Reader) -> None:
        self._readers.append(reader)

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(POLL_SECONDS):
            now = time.monotonic()
            for reader in tuple(self._readers):
                reader.interrupt_if_late(now)
