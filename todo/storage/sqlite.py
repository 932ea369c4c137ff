"""SQLite: one thread writes, several read, and a write is acknowledged only once it is on disk."""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, cast

from todo.errors import ReadTooSlow, StorageUnavailable
from todo.storage.cache import PageCache
from todo.storage.engine import Engine, StorageNotReady, lane_of, require_revision
from todo.storage.jobs import Job, Jobs
from todo.storage.lanes import Lanes
from todo.storage.not_ready import require_file, why_sqlite
from todo.storage.read_limits import seconds_for
from todo.storage.snapshots import Reader, Watch
from todo.storage.statements import Connection, load
from todo.storage.write_lock import WriteLock

log = logging.getLogger(__name__)

READERS = 4
PEEK_SECONDS = 0.2  # on the event loop, which does nothing else meanwhile
# A checkpoint copies each page once, however many writes have changed it, so fewer checkpoints write less.
PAGES_IN_LOG = 4000
WRITER_CACHE = 4_000  # KiB
GROUP_SECONDS = 0.2  # after this, the rest of a group moves to the next one, so that nobody waits for all of it
WAIT_FOR_OTHER_PROCESS = 10.0  # seconds


class FileReplaced(Exception):
    """The file at the database's path was replaced or deleted, so what is written to the open one would be lost."""


class GroupFailed(Exception):
    """A job failed after it had written something, so its group must be rolled back."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job


class SQLiteEngine(Engine):
    """Writes that wait together commit together, so one fsync serves them all.

    Rules check everything before their first statement, so that a refused job has nothing to roll back and none needs a
    savepoint. If one fails later anyway, the group is rolled back, the jobs before it run again, and it comes first in
    the next group, where its failure affects no other job.
    """

    name = "SQLite"

    def __init__(self, file: Path, public_url: str = "") -> None:
        self.file = file
        self._statements = partial(load("sqlite3"), cache=PageCache(), public_url=public_url)
        self._jobs = Jobs()
        self._local = threading.local()
        self._drivers: list[sqlite3.Connection] = []

    def start(self) -> None:
        if not self.file.exists():
            raise StorageNotReady(f"There is no database at {self.file}: run `make migrate` first.")
        require_file(self.file)
        self._opened = _identity(self.file)
        try:
            writer = self._open_writer()
        except sqlite3.Error as error:
            self._close_all()
            raise why_sqlite(error, self.file) or error from None
        except BaseException:
            self._close_all()
            raise
        self._write_lock = WriteLock(self.file.resolve())
        self._watch = Watch()
        self._readers = Lanes(READERS, "sqlite-reader")
        self._writer = threading.Thread(target=self._write_until_stopped, args=(writer,), name="sqlite-writer")
        self._writer.start()

    def stop(self) -> None:
        self._jobs.end()
        self._writer.join()
        self._readers.shutdown()
        self._watch.stop()
        self._write_lock.close()
        self._close_all()

    def _close_all(self) -> None:
        while self._drivers:
            self._drivers.pop().close()

    def submit_read(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        return self._readers.submit(lane_of(args), partial(self._read, rule, *args, **kwargs))

    def submit_write(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        job = Job(lambda connection: rule(connection, *args, **kwargs), lane=lane_of(args))
        self._jobs.put(job)
        return cast("Future[Any]", job.future)

    async def peek(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Reads on the event loop. All peeks of one iteration share a snapshot, as beginning one is the slowest part.

        It ends before the next iteration's requests, so that no request gets a state from before it was sent. A slow
        read is interrupted and repeated in a thread.
        """
        try:
            reader = self._reader()
            if reader.begin(PEEK_SECONDS):
                asyncio.get_running_loop().call_soon(reader.end)
            return rule(reader.connection, *args, **kwargs)
        except sqlite3.DatabaseError as error:
            if not _is_interrupted(error):
                raise _refusal(error, "reading") from error
        return await self.read(rule, *args, **kwargs)

    async def write(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        loop = asyncio.get_running_loop()
        job = Job(lambda connection: rule(connection, *args, **kwargs), loop.create_future(), loop, lane_of(args))
        self._jobs.put(job)
        return await job.future  # type: ignore[misc]

    def _open(self) -> Connection:
        driver = sqlite3.connect(
            f"{self.file.resolve().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=WAIT_FOR_OTHER_PROCESS,
        )
        self._drivers.append(driver)
        driver.row_factory = sqlite3.Row
        driver.execute("PRAGMA synchronous = FULL")
        driver.execute("PRAGMA foreign_keys = ON")
        return self._statements(driver)

    def _open_writer(self) -> Connection:
        """Returns the writer's connection. Raises StorageNotReady and SQLite's errors."""
        connection = self._open()
        writer = connection.driver
        _keep_write_ahead_log(writer)
        writer.execute(f"PRAGMA wal_autocheckpoint = {PAGES_IN_LOG}")
        writer.execute(f"PRAGMA cache_size = -{WRITER_CACHE}")
        writer.execute("PRAGMA temp_store = MEMORY")
        writer.execute("PRAGMA busy_timeout = 0")  # as WriteLock requires
        known = writer.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = connection.database_revision() if known else None
        require_revision(row["version_num"] if row else None)
        return connection

    def _read(self, rule: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            self._require_same_file()
            reader = self._reader()
            reader.begin(seconds_for(rule))
            try:
                return rule(reader.connection, *args, **kwargs)
            finally:
                reader.end()
        except (sqlite3.DatabaseError, FileReplaced) as error:
            raise _refusal(error, "reading") from error

    def _reader(self) -> Reader:
        """Returns this thread's reader."""
        if not hasattr(self._local, "reader"):
            self._local.reader = Reader(self._open())
            self._watch.add(self._local.reader)
        reader: Reader = self._local.reader
        return reader

    def _require_same_file(self) -> None:
        """Raises FileReplaced."""
        if _identity(self.file) != self._opened:
            raise FileReplaced

    def _write_until_stopped(self, connection: Connection) -> None:
        for jobs in self._jobs.groups():
            self._commit_together(connection, jobs)

    def _commit_together(self, connection: Connection, jobs: list[Job]) -> None:
        try:
            self._commit(connection, jobs)
        except GroupFailed as failure:
            connection.driver.execute("ROLLBACK")
            number = jobs.index(failure.job)
            settled = number or 1  # the first job has read nothing that is rolled back, so its error is final
            self._jobs.put_off(jobs[settled:])
            del jobs[settled:]
            if number:
                self._commit_together(connection, jobs)
                return
        _deliver(jobs)

    def _commit(self, connection: Connection, jobs: list[Job]) -> None:
        """Runs the jobs in one transaction, or only the first of them if these take long. Raises GroupFailed."""
        driver = connection.driver
        try:
            self._write_lock.begin(driver, WAIT_FOR_OTHER_PROCESS)
            self._run_some(connection, jobs)
            driver.execute("COMMIT")
            self._require_same_file()  # afterwards: what is acknowledged was in the file that the next start opens
        except (sqlite3.Error, TimeoutError, FileReplaced) as error:
            log.error("writing failed: %s", _name(error))
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            for job in jobs:
                # Even if its rule refused: it may have read what is now rolled back.
                job.error = StorageUnavailable()

    def _run_some(self, connection: Connection, jobs: list[Job]) -> None:
        """Runs jobs for up to GROUP_SECONDS, with those that arrive meanwhile, which are added to the list.

        Removes the others from the list, to run next. Raises GroupFailed.
        """
        begun = ended = time.monotonic()
        for number, job in enumerate(jobs):
            if ended - begun > GROUP_SECONDS:
                self._jobs.put_off(jobs[number:])
                del jobs[number:]
                return
            self._run(connection, job)
            before, ended = ended, time.monotonic()
            self._jobs.took(job, ended - before)
            if number == len(jobs) - 1:
                jobs += self._jobs.joining(jobs)

    def _run(self, connection: Connection, job: Job) -> None:
        """Runs one job. Raises GroupFailed if it fails after writing, and SQLite's error if that ends the
        transaction."""
        driver = connection.driver
        written = driver.total_changes
        job.error = None  # from an earlier run, which was rolled back
        try:
            job.result = job.rule(connection)
        except BaseException as error:
            if not driver.in_transaction:  # a full or failing disk has ended the transaction
                raise sqlite3.OperationalError("The transaction has ended.") from error
            job.error = _refusal(error, "writing") if isinstance(error, sqlite3.DatabaseError) else error
            if driver.total_changes != written:
                raise GroupFailed(job) from job.error


def _deliver(jobs: list[Job]) -> None:
    """Delivers the results; an event loop is woken once for all of its jobs."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, settled in by_loop.items():
        if loop is None:
            _deliver_all(settled)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(_deliver_all, settled)


def _deliver_all(jobs: list[Job]) -> None:
    for job in jobs:
        job.deliver()


def _keep_write_ahead_log(driver: sqlite3.Connection) -> None:
    """Puts a new database into WAL mode. SQLite does not wait for other processes here, so this does."""
    give_up = time.monotonic() + WAIT_FOR_OTHER_PROCESS
    while True:
        try:
            driver.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise StorageNotReady("Another process keeps the database locked: stop it, then start again.") from None
            time.sleep(0.02)


def _identity(file: Path) -> tuple[int, int] | None:
    """Returns the file's device and inode, or None if there is no file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _refusal(error: Exception, doing: str) -> Exception:
    """Returns the error for the caller: StorageUnavailable or ReadTooSlow, or the error itself if it is a bug."""
    if isinstance(error, sqlite3.Error) and _is_interrupted(error):
        return ReadTooSlow()
    if isinstance(error, (sqlite3.OperationalError, FileReplaced)) or type(error) is sqlite3.DatabaseError:
        log.error("%s failed: %s", doing, _name(error))
        return StorageUnavailable()
    return error


def _is_interrupted(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT


def _name(error: Exception) -> str:
    """Returns SQLite's name for the error. Its message is not logged, as it may quote a caller's input."""
    return getattr(error, "sqlite_errorname", type(error).__name__)
