"""A thread pool with lanes: calls in one lane run in order, those in different lanes in parallel."""

import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

from todo.errors import StorageUnavailable

MAX_WAITING = 100  # in one lane
MAX_SECONDS = 5.0  # from submission to start


@dataclass(eq=False)
class Work:
    """A queued call and its future."""

    call: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            if time.monotonic() - self.since > MAX_SECONDS:
                raise StorageUnavailable
            result = self.call()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Lanes:
    """A thread pool in which each lane occupies at most one thread; lanes are served round-robin."""

    def __init__(self, threads: int, name: str) -> None:
        self._lock = Lock()
        self._ready: SimpleQueue[Hashable] = SimpleQueue()  # lanes with work but no thread; None stops a thread
        self._waiting: dict[Hashable, deque[Work]] = {}  # lanes with work or a thread
        self._stopping = False
        self._idle = Event()
        self._threads = [Thread(target=self._serve, name=f"{name}-{number}") for number in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, lane: Hashable | None, call: Callable[[], Any]) -> Future[Any]:
        """Queues a call and returns its future; without a lane, the call waits only for a free thread.

        The future raises StorageUnavailable if the lane is full or the call has waited over MAX_SECONDS.
        """
        work = Work(call)
        with self._lock:
            has_room = self._add(object() if lane is None else lane, work)
        if not has_room:
            work.future.set_exception(StorageUnavailable())
        return work.future

    def shutdown(self) -> None:
        """Refuses new calls, and returns once all queued ones are done."""
        with self._lock:
            self._stopping = True
            self._notify_if_idle()
        self._idle.wait()
        for _ in self._threads:
            self._ready.put(None)
        for thread in self._threads:
            thread.join()

    def _add(self, lane: Hashable, work: Work) -> bool:
        """Queues the work; returns False if the lane is full or the pool is stopping."""
        waiting = self._waiting.get(lane)
        if self._stopping or (waiting is not None and len(waiting) >= MAX_WAITING):
            return False
        if waiting is None:
            self._waiting[lane] = deque([work])
            self._ready.put(lane)
        else:
            waiting.append(work)
        return True

    def _serve(self) -> None:
        while (lane := self._ready.get()) is not None:
            self._serve_one(lane)

    def _serve_one(self, lane: Hashable) -> None:
        """Runs the next call in a lane, without keeping a reference to it."""
        self._waiting[lane].popleft().run()
        with self._lock:
            if self._waiting[lane]:
                self._ready.put(lane)
            else:
                del self._waiting[lane]
                self._notify_if_idle()

    def _notify_if_idle(self) -> None:
        if self._stopping and not self._waiting:
            self._idle.set()
