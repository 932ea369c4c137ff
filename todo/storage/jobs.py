"""Jobs: the writes that wait for the one writer of SQLite, and whose turn it is."""

import asyncio
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from todo.storage.statements import Connection

MAX_TOGETHER = 64
LONG_SECONDS = 0.05


@dataclass(eq=False)
class Job:
    """A write that waits for its turn, and then what came of it; its future belongs to `loop`, or to any thread."""

    rule: Callable[[Connection], Any]
    future: Future[Any] | asyncio.Future[Any] = field(default_factory=Future)
    loop: asyncio.AbstractEventLoop | None = None
    lane: Hashable | None = None
    result: Any = None
    error: BaseException | None = None

    def is_wanted(self) -> bool:
        """Whether its caller still waits; a thread cannot call it off from then on."""
        if isinstance(self.future, Future):
            return self.future.running() or self.future.set_running_or_notify_cancel()
        return not self.future.cancelled()

    def deliver(self) -> None:
        if self.loop and self.future.done():
            return  # its caller has gone meanwhile
        if self.error:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Jobs:
    """Jobs in groups, in the order in which they came, until one takes long.

    Its lane is slow from then on, for as long as it has more that waits. A job of a slow lane has a group to itself,
    and between two of these come all others: so nobody waits for more than one of them, and no lane waits for ever.
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[Job | None] = SimpleQueue()  # None is the end
        self._put_off: list[Job] = []
        self._slow: dict[Hashable, bool] = {}  # lanes, the one whose turn is next first
        self._was_slow = False  # the last group, or one job in it
        self._has_ended = False

    def put(self, job: Job) -> None:
        self._queue.put(job)

    def end(self) -> None:
        """Lets the groups end once all that waits has been in one."""
        self._queue.put(None)

    def groups(self) -> Iterator[list[Job]]:
        """Waits for jobs, and yields those that belong together."""
        while self._put_off or not self._has_ended:
            jobs = self._arrived()
            if self._put_off or self._slow:
                jobs = self._in_turn([*self._put_off, *jobs])
            yield [job for job in jobs if job.is_wanted()]

    def put_off(self, jobs: Iterable[Job]) -> None:
        """Takes back the rest of a group, which comes before what has come since."""
        self._put_off[:0] = jobs

    def took(self, job: Job, seconds: float) -> None:
        """Takes note of how long a job took."""
        if seconds > LONG_SECONDS and job.lane is not None:
            self._slow[job.lane] = self._was_slow = True

    def _arrived(self) -> list[Job]:
        """Returns what has come: all of it where jobs are put off, and else so much as goes together, one at least."""
        jobs: list[Job] = []
        waits = not self._put_off
        while not self._has_ended and (self._put_off or len(jobs) < MAX_TOGETHER):
            try:
                job = self._queue.get(waits)
            except Empty:
                break
            waits = False
            if job is None:
                self._has_ended = True
            else:
                jobs.append(job)
        return jobs

    def _in_turn(self, jobs: list[Job]) -> list[Job]:
        """Returns the next group of these, and puts off the others."""
        lanes = {job.lane for job in jobs}
        self._slow = {lane: True for lane in self._slow if lane in lanes}
        quick = [job for job in jobs if job.lane not in self._slow]
        self._was_slow = bool(self._slow) and not (quick and self._was_slow)
        group = [self._next_slow(jobs)] if self._was_slow else quick[:MAX_TOGETHER]
        taken = set(group)
        self._put_off = [job for job in jobs if job not in taken]
        return group

    def _next_slow(self, jobs: list[Job]) -> Job:
        lane = next(iter(self._slow))
        self._slow[lane] = self._slow.pop(lane)
        return next(job for job in jobs if job.lane == lane)
