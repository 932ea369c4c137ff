"""Fair turns at writing for the processes that share one SQLite file."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

POLL_SECONDS = 0.0005


class WriteLock:
    """Makes busy writers in different processes take turns.

    SQLite's own lock is unfair: mostly the process that has just committed gets it again. So the next writer holds a
    lock file until its transaction has begun, and all others wait for that. This is for fairness only; SQLite itself
    ensures that there is one writer at a time.
    """

    def __init__(self, database: Path) -> None:
        self._lock = os.open(f"{database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def begin(self, driver: sqlite3.Connection, seconds: float) -> None:
        """Begins a write transaction. Raises TimeoutError after `seconds`, and sqlite3.Error.

        The driver's busy timeout must be 0.
        """
        deadline = time.monotonic() + seconds
        _retry(self._try_lock, deadline)
        try:
            _retry(lambda: _try_begin(driver), deadline)
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._lock)

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _try_begin(driver: sqlite3.Connection) -> bool:
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _retry(attempt: Callable[[], bool], deadline: float) -> None:
    while not attempt():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(POLL_SECONDS)
