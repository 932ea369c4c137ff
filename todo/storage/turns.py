"""Whose turn it is to write, among the processes that share one SQLite file."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

POLL_SECONDS = 0.0005


class Turns:
    """Lets processes that write without a pause write in turns.

    SQLite lets in whoever asks at the right moment: mostly the one that has just ended a transaction. So who waits
    holds a lock on a file beside the database until its own has begun, and all others wait for that lock. It makes
    the order fair; that there is one writer at a time is SQLite's doing.
    """

    def __init__(self, database: Path) -> None:
        self._lock = os.open(f"{database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def begin(self, driver: sqlite3.Connection, seconds: float) -> None:
        """Begins a transaction that writes. Raises TimeoutError when others do not let it, and sqlite3.Error.

        The driver must have no busy timeout of its own.
        """
        give_up = time.monotonic() + seconds
        _insist(self._take, give_up)
        try:
            _insist(lambda: _begin(driver), give_up)
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._lock)

    def _take(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _begin(driver: sqlite3.Connection) -> bool:
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _insist(attempt: Callable[[], bool], give_up: float) -> None:
    while not attempt():
        if time.monotonic() > give_up:
            raise TimeoutError
        time.sleep(POLL_SECONDS)
