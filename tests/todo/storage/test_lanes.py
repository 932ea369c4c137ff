"""Lanes: in one lane one after another, in different ones side by side, and nobody waits without end."""

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import Future, wait
from typing import Any

import pytest

from todo.domain.users import Owner
from todo.errors import StorageUnavailable
from todo.storage import lanes
from todo.storage.engine import lane_of
from todo.storage.lanes import Lanes

PATIENCE = 10.0


@pytest.fixture
def pool() -> Iterator[Lanes]:
    pool = Lanes(3, "test")
    yield pool
    pool.shutdown()


class Held:
    """Work that runs until it is released."""

    def __init__(self, pool: Lanes, lane: str | None) -> None:
        self.started, self.released = threading.Event(), threading.Event()
        self.future: Future[Any] = pool.submit(lane, self.run)

    def run(self) -> None:
        self.started.set()
        assert self.released.wait(PATIENCE)


def test_it_gives_results_and_errors(pool: Lanes) -> None:
    assert pool.submit("a", lambda: 1).result() == 1
    with pytest.raises(ZeroDivisionError):
        pool.submit("a", lambda: 1 / 0).result()
    assert pool.submit("a", lambda: 2).result() == 2


def test_one_lane_keeps_its_order_and_never_runs_twice_at_once(pool: Lanes) -> None:
    running, seen = threading.Lock(), []

    def note(number: int) -> None:
        assert running.acquire(blocking=False)
        time.sleep(0.001)
        seen.append(number)
        running.release()

    for future in [pool.submit("a", lambda number=number: note(number)) for number in range(50)]:
        future.result(PATIENCE)
    assert seen == list(range(50))


def test_a_lane_holds_one_thread_and_others_go_on(pool: Lanes) -> None:
    held = Held(pool, "slow")
    assert held.started.wait(PATIENCE)
    queue = [pool.submit("slow", lambda: None) for _ in range(10)]
    assert [pool.submit(name, lambda name=name: name).result(PATIENCE) for name in ("a", "b")] == ["a", "b"]
    assert not any(future.done() for future in queue)
    held.released.set()
    assert not wait(queue, PATIENCE).not_done


def test_a_lane_that_has_had_its_turn_goes_to_the_end(pool: Lanes) -> None:
    holding = [Held(pool, f"holding {number}") for number in range(3)]
    assert all(held.started.wait(PATIENCE) for held in holding)
    seen: list[str] = []
    futures = [pool.submit(lane, lambda lane=lane: seen.append(lane)) for lane in ("a", "a", "a", "b", "c")]
    holding[0].released.set()  # one thread serves them all
    wait(futures, PATIENCE)
    for held in holding:
        held.released.set()
    assert seen == ["a", "b", "c", "a", "a"]


def test_work_without_a_lane_waits_for_threads_alone(pool: Lanes) -> None:
    holding = [Held(pool, None) for _ in range(3)]
    assert all(held.started.wait(PATIENCE) for held in holding)
    for held in holding:
        held.released.set()


def test_a_full_lane_refuses_at_once(pool: Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MAX_WAITING", 2)
    held = Held(pool, "slow")
    assert held.started.wait(PATIENCE)
    futures = [pool.submit("slow", lambda: 1) for _ in range(5)]
    assert [isinstance(future.exception(), StorageUnavailable) for future in futures[2:]] == [True] * 3
    held.released.set()
    assert [future.result(PATIENCE) for future in futures[:2]] == [1, 1]


def test_what_has_waited_too_long_is_refused(pool: Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MAX_SECONDS", 0.05)
    held = Held(pool, "slow")
    late = pool.submit("slow", lambda: 1)
    time.sleep(0.1)
    held.released.set()
    assert isinstance(late.exception(PATIENCE), StorageUnavailable)
    assert pool.submit("slow", lambda: 1).result(PATIENCE) == 1


def test_what_is_called_off_does_not_run(pool: Lanes) -> None:
    held, seen = Held(pool, "a"), []
    assert held.started.wait(PATIENCE)
    gone, stays = (pool.submit("a", lambda name=name: seen.append(name)) for name in ("gone", "stays"))
    assert gone.cancel()
    assert not held.future.cancel()
    held.released.set()
    stays.result(PATIENCE)
    assert seen == ["stays"]


def test_shutdown_finishes_what_waits_and_refuses_the_rest() -> None:
    pool = Lanes(2, "test")
    futures = [pool.submit(number % 3, lambda number=number: number) for number in range(30)]
    pool.shutdown()
    assert [future.result(0) for future in futures] == list(range(30))
    assert isinstance(pool.submit("a", lambda: 1).exception(0), StorageUnavailable)


@pytest.mark.parametrize("lane", ["a", None])
def test_an_idle_thread_keeps_no_result(pool: Lanes, lane: str | None) -> None:
    class Large:
        pass

    kept = weakref.ref(pool.submit(lane, Large).result())
    pool.submit("b", lambda: None).result()
    gc.collect()
    assert kept() is None


def test_the_lane_is_the_list() -> None:
    assert lane_of((Owner("kevin"), 1)) == lane_of((Owner("kevin", region="DE-BE"),)) != lane_of((Owner("anna"),))
    assert lane_of((7, "x")) == 7
    assert lane_of(("x",)) is lane_of(()) is None
