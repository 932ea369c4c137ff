"""The two units of work: what is answered is stored, what fails leaves no trace, and nothing waits in vain."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import migrated_postgresql, migrated_sqlite
from todo.domain import changes
from todo.domain.profiles import update
from todo.domain.users import Owner, find, open_list
from todo.errors import OutcomeUnknown, StorageUnavailable
from todo.storage import sqlite
from todo.storage.database import open_engine
from todo.storage.engine import Engine, StorageNotReady, newest_revision
from todo.storage.statements import Connection


def fail_after_writing(connection: Connection, owner: Owner) -> None:
    open_list(connection, owner)
    raise ValueError("on purpose")


def together(engine: Engine, *rules: Callable[[Any], Any]) -> list[Future[Any]]:
    """Submits the rules while the writer is held, so that they are one group, and returns what came of them."""
    started, go_on = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        started.set()
        go_on.wait(10)

    engine.submit_write(hold)
    assert started.wait(10)
    futures = [engine.submit_write(rule) for rule in rules]
    go_on.set()
    wait(futures, timeout=10)
    return futures


def test_write_then_read(engine: Engine) -> None:
    opened = engine.submit_write(open_list, Owner("kevin")).result()
    assert engine.submit_read(find, Owner("kevin")).result() == opened


def test_a_write_that_raises_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(ValueError, match="on purpose"):
        engine.submit_write(fail_after_writing, Owner("kevin")).result()
    assert engine.submit_read(find, Owner("kevin")).result().id == 0


def test_a_read_cannot_write(engine: Engine) -> None:
    with pytest.raises((StorageUnavailable, psycopg.errors.ReadOnlySqlTransaction)):
        engine.submit_read(open_list, Owner("kevin")).result()
    assert engine.submit_read(find, Owner("kevin")).result().id == 0


def test_writes_side_by_side_take_no_other_with_them(engine: Engine) -> None:
    owners = [Owner(f"user{number}") for number in range(40)]
    futures = [
        engine.submit_write(fail_after_writing if number % 3 == 0 else open_list, owner)
        for number, owner in enumerate(owners)
    ]
    wait(futures)
    for number, (owner, future) in enumerate(zip(owners, futures, strict=True)):
        assert (future.exception() is None) == bool(number % 3)
        assert bool(engine.submit_read(find, owner).result().id) == bool(number % 3)


def test_writes_to_one_list_queue_up(engine: Engine) -> None:
    user = engine.submit_write(open_list, Owner("kevin")).result()

    def next_id(connection: Connection) -> int:
        last = open_list(connection, Owner("kevin")).last_todo_id
        rest = {"last_change_id": 0, "last_series": 0, "open": 0, "done": 0, "deleted": 0, "bytes": 0}
        connection.save_counters(user_id=user.id, last_todo_id=last + 1, **rest, swept_on="", recent_adds="")
        return last + 1

    futures = [engine.submit_write(next_id) for _ in range(50)]
    assert sorted(future.result() for future in futures) == list(range(1, 51))


def test_who_has_written_reads_it_at_once_whoever_else_reads(engine: Engine) -> None:
    async def read_on(done: asyncio.Event) -> None:
        while not done.is_set():
            await engine.peek(find, Owner("reader"))
            await asyncio.sleep(0)

    async def write_and_read(name: str) -> bool:
        written = await engine.write(open_list, Owner(name))
        return (await engine.peek(find, Owner(name))).id == written.id

    async def run() -> list[bool]:
        done = asyncio.Event()
        readers = [asyncio.create_task(read_on(done)) for _ in range(3)]
        seen = [await write_and_read(f"user{number}") for number in range(30)]
        seen += await asyncio.gather(*(write_and_read(f"other{number}") for number in range(30)))
        done.set()
        await asyncio.gather(*readers)
        return seen

    assert asyncio.run(run()) == [True] * 60


def test_a_snapshot_ends_with_the_turn_of_the_loop(engine: Engine) -> None:
    async def run() -> tuple[int, bool]:
        before = await engine.peek(find, Owner("kevin"))
        opened = engine.submit_write(open_list, Owner("kevin")).result()
        await asyncio.sleep(0)
        return before.id, await engine.peek(find, Owner("kevin")) == opened

    assert asyncio.run(run()) == (0, True)


def test_a_read_sees_one_snapshot(engine: Engine) -> None:
    engine.submit_write(update, Owner("kevin"), "Asia/Tokyo").result()
    reading, written = threading.Event(), threading.Event()

    def read_twice(connection: Connection) -> list[str]:
        first = find(connection, Owner("kevin")).time_zone
        reading.set()
        assert written.wait(10)
        return [first, find(connection, Owner("kevin")).time_zone]

    future = engine.submit_read(read_twice)
    assert reading.wait(10)
    engine.submit_write(update, Owner("kevin"), "Europe/Berlin").result()
    written.set()
    assert future.result() == ["Asia/Tokyo", "Asia/Tokyo"]


def test_a_write_whose_caller_has_gone_is_not_begun(engine: Engine) -> None:
    started, go_on = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        started.set()
        assert go_on.wait(10)

    holding = [engine.submit_write(hold) for _ in range(8)]
    assert started.wait(10)
    futures = [engine.submit_write(open_list, Owner(f"user{number}")) for number in range(50)]
    cancelled = [future.cancel() for future in futures]
    go_on.set()
    assert [future.result(10) for future in holding] == [None] * 8
    assert any(cancelled)
    engine.submit_write(open_list, Owner("after")).result()
    for number, gone in enumerate(cancelled):
        assert not gone or engine.submit_read(find, Owner(f"user{number}")).result().id == 0


def test_stop_finishes_what_waits(migrated_database: str) -> None:
    engine = open_engine(migrated_database)
    engine.start()
    futures = [engine.submit_write(open_list, Owner(f"user{number}")) for number in range(200)]
    engine.stop()
    assert all(future.result() for future in futures)


def test_start_refuses_a_database_that_is_not_migrated(empty_database: str, tmp_path: Path) -> None:
    if empty_database.startswith("sqlite"):
        sqlite3.connect(tmp_path / "todo.db").execute("CREATE TABLE other (id)").connection.close()
    with pytest.raises(StorageNotReady, match=f"at revision none and this version needs {newest_revision()}"):
        open_engine(empty_database).start()


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"\xff" * 9000], ids=["empty", "damaged"])
def test_a_refused_start_leaves_no_file_open(tmp_path: Path, content: bytes) -> None:
    """And no thread, which would keep the process from ending."""
    file = tmp_path / "todo.db"
    file.write_bytes(content)
    threads = threading.active_count()
    engine = open_engine(f"sqlite:///{file}")
    with pytest.raises(StorageNotReady):
        engine.start()
    opened = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert not [name for name in opened if str(tmp_path) in name]
    assert threading.active_count() == threads


def test_start_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageNotReady, match="run `make migrate` first"):
        open_engine(f"sqlite:///{tmp_path}/missing.db").start()
    assert not (tmp_path / "missing.db").exists()


def test_start_refuses_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("todo.storage.transactions.WAIT_FOR_START", 0.3)
    with pytest.raises(StorageNotReady, match="DATABASE_URL cannot be reached") as error:
        open_engine("postgresql://user:secret@127.0.0.1:1/none").start()
    assert "secret" not in str(error.value)


class TestLostPostgreSQLConnection:
    @pytest.fixture
    def url(self, postgresql: str) -> str:
        return migrated_postgresql(postgresql)

    @pytest.fixture
    def engine(self, url: str) -> Iterator[Engine]:
        engine = open_engine(url)
        engine.start()
        yield engine
        engine.stop()

    @staticmethod
    def end_connections(url: str) -> None:
        """Ends every connection to the database, as a server that is started anew does."""
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def test_nobody_notices(self, engine: Engine, url: str) -> None:
        wait([engine.submit_write(open_list, Owner(f"before{number}")) for number in range(20)])
        self.end_connections(url)
        futures = [engine.submit_write(open_list, Owner(f"after{number}")) for number in range(20)]
        assert len({future.result().id for future in futures}) == 20
        self.end_connections(url)
        assert engine.submit_read(find, Owner("after7")).result().id

    def test_what_was_cut_off_before_its_commit_is_done_once(self, engine: Engine, url: str) -> None:
        attempts = []

        def add(connection: Connection) -> int:
            user = open_list(connection, Owner("kevin"))
            attempts.append(user.id)
            if len(attempts) == 1:
                self.end_connections(url)
            return open_list(connection, Owner("kevin")).id

        engine.submit_write(add).result()
        assert len(attempts) == 2
        assert engine.submit_read(find, Owner("kevin")).result().id == attempts[1]

    def test_what_may_have_been_committed_is_not_done_again(self, engine: Engine, url: str) -> None:
        attempts = []

        def add(connection: Connection) -> None:
            attempts.append(open_list(connection, Owner("kevin")))
            self.end_connections(url)

        with pytest.raises(OutcomeUnknown):
            engine.submit_write(add).result()
        assert len(attempts) == 1

    def test_a_server_that_stays_away_is_unavailable(self, engine: Engine, url: str) -> None:
        def fail(connection: Connection) -> None:
            self.end_connections(url)
            connection.database_answers()

        with pytest.raises(StorageUnavailable):
            engine.submit_read(fail).result()


class TestFromAnEventLoop:
    def test_reads_and_writes(self, engine: Engine) -> None:
        async def run() -> tuple[int, int, int]:
            written = await asyncio.gather(*[engine.write(open_list, Owner(f"user{number}")) for number in range(40)])
            peeked = await engine.peek(find, Owner("user7"))
            return len({user.id for user in written}), peeked.id, (await engine.read(find, Owner("user7"))).id

        users, peeked, read = asyncio.run(run())
        assert (users, peeked) == (40, read)

    def test_a_write_that_raises_reaches_its_caller_alone(self, engine: Engine) -> None:
        async def run() -> list[Any]:
            rules = [fail_after_writing if number % 2 else open_list for number in range(20)]
            calls = [engine.write(rule, Owner(f"user{number}")) for number, rule in enumerate(rules)]
            return await asyncio.gather(*calls, return_exceptions=True)

        assert [isinstance(result, ValueError) for result in asyncio.run(run())] == [bool(n % 2) for n in range(20)]

    def test_a_loop_that_has_gone_stops_nothing(self, engine: Engine) -> None:
        holding, go_on = threading.Event(), threading.Event()

        def hold(_: Connection) -> None:
            holding.set()
            assert go_on.wait(10)

        async def leave() -> None:
            waiting = [
                asyncio.create_task(engine.write(hold)),
                asyncio.create_task(engine.write(open_list, Owner("a"))),
            ]
            assert await asyncio.to_thread(holding.wait, 10)
            for task in waiting:
                task.cancel()

        asyncio.run(leave())
        go_on.set()
        assert engine.submit_write(open_list, Owner("after")).result().id


def test_a_queue_for_one_list_does_not_stop_reads(engine: Engine) -> None:
    holding, go_on = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        open_list(connection, Owner("kevin"))
        holding.set()
        assert go_on.wait(10)

    writes = [engine.submit_write(hold)]
    assert holding.wait(10)
    writes += [engine.submit_write(open_list, Owner("kevin")) for _ in range(20)]
    assert engine.submit_read(find, Owner("anna")).result(5).id == 0
    go_on.set()
    wait(writes)


class TestSQLite:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        migrated_sqlite(tmp_path)
        return tmp_path / "todo.db"

    @pytest.fixture
    def engine(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite.SQLiteEngine]:
        monkeypatch.setattr(sqlite, "WAIT_FOR_OTHER_PROCESS", 0.2)
        engine = sqlite.SQLiteEngine(file)
        engine.start()
        yield engine
        engine.stop()

    def test_every_commit_is_synced(self, engine: sqlite.SQLiteEngine) -> None:
        def settings(connection: Any) -> list[Any]:
            return [
                connection.driver.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
            ]

        assert engine.submit_write(settings).result() == ["wal", 2]

    def test_a_database_that_another_holds_is_unavailable_for_writes_only(
        self, engine: sqlite.SQLiteEngine, file: Path
    ) -> None:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable):
            engine.submit_write(open_list, Owner("kevin")).result()
        assert engine.submit_read(find, Owner("kevin")).result().id == 0
        other.execute("ROLLBACK")
        other.close()
        assert engine.submit_write(open_list, Owner("kevin")).result().id

    def test_a_transaction_that_the_disk_ends_refuses_all_of_it(self, engine: sqlite.SQLiteEngine) -> None:
        def end_everything(connection: Any) -> None:
            connection.driver.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")

        jobs = [sqlite.Job(rule) for rule in (lambda c: open_list(c, Owner("kevin")), end_everything)]
        engine._commit_together(engine._open(), jobs)
        for job in jobs:
            assert isinstance(job.future.exception(), StorageUnavailable)
        assert engine.submit_read(find, Owner("kevin")).result().id == 0

    def test_a_refusal_that_saw_what_was_undone_is_none(self, engine: sqlite.SQLiteEngine) -> None:
        def refuse(connection: Any) -> None:
            if find(connection, Owner("kevin")).id:
                raise ValueError("refused")

        def end_everything(connection: Any) -> None:
            connection.driver.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")

        jobs = [sqlite.Job(rule) for rule in (lambda c: open_list(c, Owner("kevin")), refuse, end_everything)]
        engine._commit_together(engine._open(), jobs)
        assert isinstance(jobs[1].future.exception(), StorageUnavailable)

    def test_a_failure_after_a_write_takes_no_other_job_with_it(self, engine: sqlite.SQLiteEngine) -> None:
        def add(connection: Any, name: str) -> Any:
            return changes.add(connection, Owner(name), {"action": "add", "todo": "Buy milk"}, None)

        def fail(connection: Any) -> None:
            open_list(connection, Owner("nobody"))
            raise ValueError("refused")

        rules = [partial(add, name=name) for name in ("kevin", "ada")]
        jobs = together(engine, rules[0], fail, fail, rules[1], fail, rules[0], fail)
        assert [place for place, job in enumerate(jobs) if isinstance(job.exception(), ValueError)] == [1, 2, 4, 6]
        assert [jobs[place].result()["id"] for place in (0, 3, 5)] == [1, 1, 2]
        assert [engine.submit_read(find, Owner(n)).result().open_count for n in ("kevin", "ada", "nobody")] == [2, 1, 0]

    def test_only_the_jobs_before_a_failure_are_done_again(self, engine: sqlite.SQLiteEngine) -> None:
        runs: list[int] = []

        def run(connection: Any, number: int) -> None:
            runs.append(number)
            open_list(connection, Owner(f"list{number}"))
            if number == 2:
                raise ValueError("refused")

        jobs = together(engine, *(partial(run, number=number) for number in range(6)))
        assert [number for number, job in enumerate(jobs) if job.exception()] == [2]
        assert runs == [0, 1, 2, 0, 1, 2, 3, 4, 5]

    def test_a_refusal_that_saw_what_was_undone_is_looked_at_again(self, engine: sqlite.SQLiteEngine) -> None:
        runs: list[str] = []

        def refuse_once(_: Connection) -> None:
            runs.append("refuse")
            if len(runs) == 1:
                raise ValueError("refused")

        def fail(connection: Any) -> None:
            open_list(connection, Owner("nobody"))
            raise ValueError("refused")

        first, second = together(engine, refuse_once, fail)
        assert (first.exception(), type(second.exception())) == (None, ValueError)

    def test_the_writer_outlives_whatever_a_rule_raises(self, engine: sqlite.SQLiteEngine) -> None:
        def leave(_: Connection) -> None:
            raise SystemExit

        assert isinstance(engine.submit_write(leave).exception(timeout=10), SystemExit)
        assert engine.submit_write(open_list, Owner("kevin")).result(timeout=10).id

    def test_a_refusal_before_any_write_needs_no_second_run(self, engine: sqlite.SQLiteEngine) -> None:
        runs: list[str] = []

        def run(connection: Any, name: str, error: Exception | None = None) -> None:
            runs.append(name)
            if error:
                raise error
            open_list(connection, Owner(name))

        jobs = [
            sqlite.Job(partial(run, name="kevin")),
            sqlite.Job(partial(run, name="no", error=ValueError("refused"))),
        ]
        engine._commit_together(engine._open(), jobs)
        assert runs == ["kevin", "no"]
        assert isinstance(jobs[1].future.exception(), ValueError)
        assert engine.submit_read(find, Owner("kevin")).result().id

    def test_an_error_of_the_disk_is_unavailability(self, engine: sqlite.SQLiteEngine) -> None:
        def fail(_: Connection) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        for submit in (engine.submit_read, engine.submit_write):
            with pytest.raises(StorageUnavailable):
                submit(fail).result()
