"""Threads that do the work of one lane one after another, and of different lanes side by side."""

import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any

from todo.errors import StorageUnavailable

MOST_WAITING = 100  # in one lane
MOST_SECONDS = 5.0  # from submission to start


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
            if time.monotonic() - self.since > MOST_SECONDS:
                raise StorageUnavailable
            result = self.call()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Lanes:
    """A pool of threads, in which a lane holds at most one of them and the longest waiting lane comes first."""

    def __init__(self, threads: int, name: str) -> None:
        self._changed = Condition()
        self._ready: deque[Hashable] = deque()  # the lanes that have work and no thread
        self._waiting: dict[Hashable, deque[Work]] = {}  # by lane, of each that has work or a thread
        self._stopping = False
        self._threads = [Thread(target=self._serve, name=f"{name}-{number}") for number in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, lane: Hashable | None, call: Callable[[], Any]) -> Future[Any]:
        """Returns the future of what `call` returns; without a lane it waits for nothing but a thread.

        The future has StorageUnavailable where the lane is full, or its turn came too late.
        """
        work = Work(call)
        with self._changed:
            if not self._add(work if lane is None else lane, work):
                work.future.set_exception(StorageUnavailable())
        return work.future

    def shutdown(self) -> None:
        """Returns when all that was submitted is done; what comes later is refused."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _add(self, lane: Hashable, work: Work) -> bool:
        """Returns whether there was room."""
        waiting = self._waiting.get(lane)
        if self._stopping or (waiting is not None and len(waiting) >= MOST_WAITING):
            return False
        if waiting is None:
            self._waiting[lane] = deque([work])
            self._ready.append(lane)
            self._changed.notify()
        else:
            waiting.append(work)
        return True

    def _serve(self) -> None:
        while self._serve_one():
            pass

    def _serve_one(self) -> bool:
        """Does what is next, and keeps nothing of it; returns False when there is nothing and will be nothing."""
        with self._changed:
            while not self._ready:
                if self._stopping:
                    return False
                self._changed.wait()
            lane = self._ready.popleft()
            work = self._waiting[lane].popleft()
        work.run()
        with self._changed:
            if self._waiting[lane]:
                self._ready.append(lane)  # this thread takes the next lane at once, so no other need wake
            else:
                del self._waiting[lane]
        return True
