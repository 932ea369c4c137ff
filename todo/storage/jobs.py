"""Jobs: writes queued for SQLite's single writer, and the order in which they run."""

import asyncio
import math
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
    """A queued write, and then its result. The future belongs to `loop`, or to any thread if that is None."""

    rule: Callable[[Connection], Any]
    future: Future[Any] | asyncio.Future[Any] = field(default_factory=Future)
    loop: asyncio.AbstractEventLoop | None = None
    lane: Hashable | None = None
    result: Any = None
    error: BaseException | None = None

    def is_wanted(self) -> bool:
        """Whether the caller still waits. After this, a thread can no longer cancel it."""
        if isinstance(self.future, Future):
            return self.future.running() or self.future.set_running_or_notify_cancel()
        return not self.future.cancelled()

    def deliver(self) -> None:
        if self.loop and self.future.done():
            return  # the caller was cancelled
        if self.error:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Jobs:
    """Groups jobs for one transaction each, in order of arrival.

    The lane of a job that took long is slow until its queue is empty. Jobs of slow lanes run alone, and all other jobs
    run between two of them, so that nobody waits for more than one slow job and no lane waits forever.
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[Job | None] = SimpleQueue()  # None is the end
        self._put_off: list[Job] = []
        self._slow: dict[Hashable, bool] = {}  # lanes, in the order of their turns
        self._was_slow = False  # whether the last group, or a job in it, was slow
        self._has_ended = False

    def put(self, job: Job) -> None:
        self._queue.put(job)

    def end(self) -> None:
        """Ends `groups` after all queued jobs."""
        self._queue.put(None)

    def groups(self) -> Iterator[list[Job]]:
        """Waits for jobs and yields them in groups."""
        while self._put_off or not self._has_ended:
            jobs = self._arrived(math.inf if self._put_off else MAX_TOGETHER, waits=not self._put_off)
            if self._put_off or self._slow:
                jobs = self._in_turn([*self._put_off, *jobs])
            yield _wanted(jobs)

    def joining(self, group: list[Job]) -> list[Job]:
        """Returns the jobs that have arrived since this group was yielded and may join it, so that it commits for them.

        None may while others wait for their turn, which comes between groups.
        """
        if self._put_off or self._slow:
            return []
        return _wanted(self._arrived(MAX_TOGETHER - len(group), waits=False))

    def put_off(self, jobs: Iterable[Job]) -> None:
        """Puts the rest of a group back, ahead of jobs that have arrived since."""
        self._put_off[:0] = jobs

    def took(self, job: Job, seconds: float) -> None:
        """Records how long a job took."""
        if seconds > LONG_SECONDS and job.lane is not None:
            self._slow[job.lane] = self._was_slow = True

    def _arrived(self, most: float, *, waits: bool) -> list[Job]:
        """Returns up to so many jobs that have arrived, after waiting for the first one if `waits`."""
        jobs: list[Job] = []
        while not self._has_ended and len(jobs) < most:
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
        """Returns the next group of these jobs, and puts the others off."""
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


def _wanted(jobs: list[Job]) -> list[Job]:
    return [job for job in jobs if job.is_wanted()]
