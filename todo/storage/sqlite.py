"""SQLite: one thread writes, several read, and an answered write is on disk."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from todo.errors import StorageUnavailable
from todo.storage.engine import Connection, StorageNotReady, require_revision
from todo.storage.statements import load

log = logging.getLogger(__name__)

READERS = 4
MOST_TOGETHER = 64
WAIT_FOR_OTHER_PROCESS = 10.0  # seconds


@dataclass
class Job:
    """A write that waits for its turn, and then what came of it."""

    rule: Callable[[Connection], Any]
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: BaseException | None = None

    def deliver(self) -> None:
        if self.error:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class SQLiteEngine:
    """Writes that wait together commit together, each in a savepoint of its own, so one fsync serves them all."""

    name = "SQLite"

    def __init__(self, file: Path) -> None:
        self.file = file
        self._statements = load("sqlite3")
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._local = threading.local()
        self._drivers: list[sqlite3.Connection] = []

    def start(self) -> None:
        if not self.file.exists():
            raise StorageNotReady(f"There is no database at {self.file}: run `make migrate` first.")
        writer = self._open()
        _keep_write_ahead_log(writer)
        try:
            row = Connection(writer, self._statements).database_revision()
        except sqlite3.OperationalError:
            row = None
        require_revision(row["version_num"] if row else None)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._writer = threading.Thread(target=self._write_until_stopped, args=(writer,), name="sqlite-writer")
        self._writer.start()

    def stop(self) -> None:
        self._jobs.put(None)
        self._writer.join()
        self._readers.shutdown()
        while self._drivers:
            self._drivers.pop().close()

    def submit_read(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        return self._readers.submit(self._read, lambda connection: rule(connection, *args, **kwargs))

    def submit_write(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        job = Job(lambda connection: rule(connection, *args, **kwargs))
        self._jobs.put(job)
        return job.future

    def _open(self) -> sqlite3.Connection:
        driver = sqlite3.connect(
            f"{self.file.resolve().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=WAIT_FOR_OTHER_PROCESS,
        )
        driver.row_factory = sqlite3.Row
        driver.execute("PRAGMA synchronous = FULL")
        driver.execute("PRAGMA foreign_keys = ON")
        self._drivers.append(driver)
        return driver

    def _read(self, rule: Callable[[Connection], Any]) -> Any:
        try:
            if not hasattr(self._local, "driver"):
                self._local.driver = self._open()
                self._local.driver.execute("PRAGMA query_only = ON")
            driver = self._local.driver
            driver.execute("BEGIN")
            try:
                return rule(Connection(driver, self._statements))
            finally:
                driver.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            log.error("reading failed: %s", _name(error))
            raise StorageUnavailable from error

    def _write_until_stopped(self, driver: sqlite3.Connection) -> None:
        while True:
            jobs, more = self._waiting()
            self._commit_together(driver, [job for job in jobs if job.future.set_running_or_notify_cancel()])
            if not more:
                return

    def _waiting(self) -> tuple[list[Job], bool]:
        """Returns the jobs that wait now, at least one or the end, and whether more may come."""
        jobs: list[Job] = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            try:
                job = self._jobs.get_nowait() if len(jobs) < MOST_TOGETHER else None
            except Empty:
                return jobs, True
            if job is None:
                return jobs, len(jobs) >= MOST_TOGETHER
        return jobs, False

    def _commit_together(self, driver: sqlite3.Connection, jobs: list[Job]) -> None:
        try:
            driver.execute("BEGIN IMMEDIATE")
            for job in jobs:
                self._run(driver, job)
            driver.execute("COMMIT")
        except sqlite3.Error as error:
            log.error("writing failed: %s", _name(error))
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            for job in jobs:
                # Also where a rule had refused: it may have looked at what is now undone.
                job.error = StorageUnavailable()
        for job in jobs:
            job.deliver()

    def _run(self, driver: sqlite3.Connection, job: Job) -> None:
        """Runs one job so that its failure takes no other with it."""
        driver.execute("SAVEPOINT job")
        try:
            job.result = job.rule(Connection(driver, self._statements))
        except Exception as error:
            # A full or failing disk may have ended the whole transaction: then this raises, and all are refused.
            driver.execute("ROLLBACK TO job")
            job.error = StorageUnavailable() if isinstance(error, sqlite3.OperationalError) else error
        driver.execute("RELEASE job")


def _keep_write_ahead_log(driver: sqlite3.Connection) -> None:
    """Turns a new database to its write-ahead log. SQLite does not wait for other processes here, so this does."""
    give_up = time.monotonic() + WAIT_FOR_OTHER_PROCESS
    while True:
        try:
            driver.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise StorageNotReady("Another process keeps the database locked: stop it, then start again.") from None
            time.sleep(0.02)


def _name(error: sqlite3.Error) -> str:
    """Returns SQLite's own name of the error; its message may quote what a caller wrote."""
    return getattr(error, "sqlite_errorname", type(error).__name__)
