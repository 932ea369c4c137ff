"""Threads that do the work of one lane one after another, and of different lanes side by side."""

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
    """A call that waits for its turn."""

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
    """A pool of threads, in which a lane holds at most one of them and the longest waiting lane comes first."""

    def __init__(self, threads: int, name: str) -> None:
        self._lock = Lock()
        self._ready: SimpleQueue[Hashable] = SimpleQueue()  # the lanes that have work and no thread; None ends a thread
        self._waiting: dict[Hashable, deque[Work]] = {}  # by lane, of each that has work or a thread
        self._stopping = False
        self._idle = Event()
        self._threads = [Thread(target=self._serve, name=f"{name}-{number}") for number in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, lane: Hashable | None, call: Callable[[], Any]) -> Future[Any]:
        """Returns the future of what `call` returns; without a lane it waits for nothing but a thread.

        The future has StorageUnavailable where the lane is full, or its turn came too late.
        """
        work = Work(call)
        with self._lock:
            has_room = self._add(object() if lane is None else lane, work)
        if not has_room:
            work.future.set_exception(StorageUnavailable())
        return work.future

    def shutdown(self) -> None:
        """Returns when all that was submitted is done; what comes later is refused."""
        with self._lock:
            self._stopping = True
            self._tell_if_idle()
        self._idle.wait()
        for _ in self._threads:
            self._ready.put(None)
        for thread in self._threads:
            thread.join()

    def _add(self, lane: Hashable, work: Work) -> bool:
        """Returns whether there was room."""
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
        """Does what is next in a lane, and keeps nothing of it."""
        self._waiting[lane].popleft().run()
        with self._lock:
            if self._waiting[lane]:
                self._ready.put(lane)
            else:
                del self._waiting[lane]
                self._tell_if_idle()

    def _tell_if_idle(self) -> None:
        if self._stopping and not self._waiting:
            self._idle.set()
