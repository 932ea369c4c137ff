"""Jobs: one list's long writes never stand together before the short ones of others."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import migrated_sqlite
from todo.domain import changes, import_export, undo
from todo.domain.users import Owner, User, find, open_list
from todo.storage.jobs import MAX_TOGETHER, Job, Jobs
from todo.storage.sqlite import SQLiteEngine
from todo.storage.statements import Connection

LONG = 0.3  # seconds


@pytest.fixture
def file(tmp_path: Path) -> Path:
    migrated_sqlite(tmp_path)
    return tmp_path / "todo.db"


@pytest.fixture
def engine(file: Path) -> Iterator[SQLiteEngine]:
    engine = SQLiteEngine(file)
    engine.start()
    yield engine
    engine.stop()


def names(jobs: Jobs, groups: int) -> list[list[Any]]:
    """Returns the rules of so many groups, which are names here; a lane takes as long as its name begins with."""
    found = []
    for _, group in zip(range(groups), jobs.groups(), strict=False):
        found.append([job.rule for job in group])
        for job in group:
            jobs.took(job, LONG if str(job.lane).startswith("long") else 0.001)
    return found


def put(jobs: Jobs, *lanes: str | None) -> None:
    for lane in lanes:
        number = next(numbers)
        jobs.put(Job(f"{lane} {number}", lane=lane))  # type: ignore[arg-type]


numbers = count()


class TestOrder:
    @pytest.fixture(autouse=True)
    def number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(globals(), "numbers", count())

    def test_short_ones_go_together_as_they_came(self) -> None:
        jobs = Jobs()
        put(jobs, *["a", None, "b"] * 30)
        jobs.end()
        groups = names(jobs, 9)
        assert [len(group) for group in groups] == [MAX_TOGETHER, 90 - MAX_TOGETHER]
        assert [int(name.split()[1]) for group in groups for name in group] == list(range(90))

    def test_slow_lanes_take_turns_with_all_others_and_with_each_other(self) -> None:
        jobs = Jobs()
        put(jobs, "long", "longer")
        assert names(jobs, 1) == [["long 0", "longer 1"]]
        put(jobs, "long", "long", "longer", "a", "longer", "b", "a")
        assert names(jobs, 1) == [["a 5", "b 7", "a 8"]]
        put(jobs, "c")
        assert names(jobs, 2) == [["long 2"], ["c 9"]]
        put(jobs, "d")
        jobs.end()
        assert names(jobs, 9) == [["longer 4"], ["d 10"], ["long 3"], ["longer 6"]]

    def test_without_end_of_short_ones_a_slow_lane_still_comes(self) -> None:
        jobs = Jobs()
        put(jobs, "long", "long", "long")
        done = []
        for _ in range(5):
            put(jobs, *["a"] * MAX_TOGETHER * 2)
            (group,) = names(jobs, 1)
            done += [name for name in group if name.startswith("long")]
        assert done == ["long 0", "long 1", "long 2"]

    def test_lane_that_has_nothing_waiting_is_slow_no_more(self) -> None:
        jobs = Jobs()
        put(jobs, "long")
        names(jobs, 1)
        put(jobs, "a")
        names(jobs, 1)
        put(jobs, "long", "a", "long")
        assert names(jobs, 1) == [["long 2", "a 3", "long 4"]]

    def test_rest_of_a_group_comes_before_what_has_come_since(self) -> None:
        jobs = Jobs()
        put(jobs, "a", "b", "a")
        group = next(jobs.groups())
        put(jobs, "c")
        jobs.put_off(group[1:])
        jobs.end()
        assert names(jobs, 9) == [["b 1", "a 2", "c 3"]]

    def test_what_arrives_while_a_group_runs_joins_it_up_to_the_limit(self) -> None:
        jobs = Jobs()
        put(jobs, "a")
        group = next(jobs.groups())
        assert jobs.joining(group) == []
        put(jobs, *["b"] * MAX_TOGETHER)
        assert [job.rule for job in jobs.joining(group)] == [f"b {number}" for number in range(1, MAX_TOGETHER)]
        jobs.end()
        assert names(jobs, 9) == [[f"b {MAX_TOGETHER}"]]

    def test_nothing_joins_a_group_while_others_wait_for_their_turn(self) -> None:
        jobs = Jobs()
        put(jobs, "a", "b")
        group = next(jobs.groups())
        jobs.put_off(group[1:])
        put(jobs, "c")
        assert jobs.joining(group[:1]) == []
        assert names(jobs, 1) == [["b 1", "c 2"]]
        put(jobs, "long")
        group = next(jobs.groups())
        jobs.took(group[0], LONG)
        put(jobs, "d")
        assert jobs.joining(group) == []
        jobs.end()
        assert names(jobs, 9) == [["d 4"]]

    def test_what_joins_can_be_called_off_and_the_end_comes_after_it(self) -> None:
        jobs = Jobs()
        put(jobs, "a")
        groups = jobs.groups()
        group = next(groups)
        called_off = Job("called off")  # type: ignore[arg-type]
        assert called_off.future.cancel()
        jobs.put(called_off)
        put(jobs, "b")
        jobs.end()
        assert [job.rule for job in jobs.joining(group)] == ["b 1"]
        assert list(groups) == []

    def test_what_is_put_off_can_be_called_off(self) -> None:
        async def call_off() -> list[list[Any]]:
            jobs, loop = Jobs(), asyncio.get_running_loop()
            waiting = [Job(name, loop.create_future(), loop) for name in "abc"]  # type: ignore[arg-type]
            for job in waiting:
                jobs.put(job)
            jobs.put_off(next(jobs.groups())[1:])
            waiting[1].future.cancel()
            jobs.end()
            return names(jobs, 9)

        assert asyncio.run(call_off()) == [["c"]]


def test_a_short_write_gets_in_between_the_long_ones_of_another_list(engine: SQLiteEngine) -> None:
    started, order = threading.Event(), []

    def take_long(_: Connection, owner: Owner, number: int) -> None:
        started.set()
        time.sleep(LONG)
        order.append(number)

    def add(_: Connection, owner: Owner) -> None:
        order.append(owner.username)

    futures: list[Future[None]] = [engine.submit_write(take_long, Owner("eve"), number) for number in range(4)]
    assert started.wait(5)
    futures += [engine.submit_write(add, Owner("kevin")), engine.submit_write(add, Owner("anna"))]
    futures[4].result(5)
    assert not futures[2].done()
    wait(futures)
    assert order == [0, "kevin", "anna", 1, 2, 3]


def test_what_arrives_while_a_group_runs_commits_with_it(engine: SQLiteEngine) -> None:
    submitted, later = threading.Event(), list[Future[bool]]()

    def add(connection: Connection, owner: Owner) -> User:
        assert submitted.wait(5)
        later.append(engine.submit_write(is_first_told, Owner("anna")))
        return open_list(connection, owner)

    def is_first_told(_: Connection, owner: Owner) -> bool:
        return first.done()

    first = engine.submit_write(add, Owner("kevin"))
    submitted.set()
    assert first.result(5).username == "kevin"
    assert later[0].result(5) is False


def test_what_joins_a_group_and_fails_fails_alone(engine: SQLiteEngine) -> None:
    later = list[Future[None]]()

    def add(connection: Connection, owner: Owner) -> User:
        if not later:  # it runs again after the other one has failed
            later.append(engine.submit_write(fail, Owner("anna")))
        return open_list(connection, owner)

    def fail(connection: Connection, owner: Owner) -> None:
        open_list(connection, owner)
        raise ValueError("after it has written")

    kevin = engine.submit_write(add, Owner("kevin")).result(5)
    assert isinstance(later[0].exception(5), ValueError)
    assert engine.submit_read(find, Owner("kevin")).result(5).id == kevin.id
    assert engine.submit_read(find, Owner("anna")).result(5).id == 0


def test_what_is_not_run_with_a_group_is_not_refused_with_it(engine: SQLiteEngine, file: Path) -> None:
    away = file.with_suffix(".away")

    def lose(_: Connection, owner: Owner) -> None:
        time.sleep(LONG)
        file.rename(away)

    def bring_back(connection: Connection, owner: Owner) -> User:
        away.rename(file)
        return open_list(connection, owner)

    lost, later = engine.submit_write(lose, Owner("eve")), engine.submit_write(bring_back, Owner("kevin"))
    assert lost.exception(5)
    assert later.result(5).id == engine.submit_read(find, Owner("kevin")).result(5).id


def test_a_stop_waits_for_what_is_put_off(file: Path) -> None:
    engine = SQLiteEngine(file)
    engine.start()
    futures: list[Future[Any]] = [engine.submit_write(lambda _, owner: time.sleep(LONG), Owner("eve")) for _ in "123"]
    futures += [engine.submit_write(open_list, Owner(f"user{number}")) for number in range(100)]
    engine.stop()
    assert not [future for future in futures if not future.done() or future.exception()]


@pytest.mark.slow
def test_an_add_waits_for_no_more_than_one_import_or_undo_of_another_list(engine: SQLiteEngine) -> None:
    rows = "".join(f"Number {number},{'x' * 200},2026-12-24\n" for number in range(2000))
    file, eve = import_export.Import.of(import_export.read_file(f"todo,notes,due\n{rows}")), Owner("eve")
    large: list[Future[Any]] = []
    for number in range(15):  # the changes count on from 1
        large.append(engine.submit_write(import_export.add_all, eve, file))
        large.append(engine.submit_write(undo.undo, eve, 2 * number + 1, force=False))
    waited_for = []
    while not large[-1].done():
        done = sum(future.done() for future in large)
        engine.submit_write(changes.add, Owner("kevin"), {"action": "add", "todo": "Buy milk"}, None).result(30)
        waited_for.append(sum(future.done() for future in large) - done)
        time.sleep(0.01)
    assert not [future for future in large if future.exception()]
    assert max(waited_for) <= 2  # the one that was running, and one more that may end as this is counted
