"""Rate limits: reads and writes per minute and caller, by the generic cell rate algorithm (GCRA).

A caller's state is one number, the time at which all its requests would be paid for. It may be ahead of now by the
burst. A request that costs more than is left is still done, and the caller waits afterwards: so a batch of 50 is never
refused for being larger than the burst.
"""

import logging
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from time import monotonic
from typing import TYPE_CHECKING, Literal

from starlette.types import Scope

from todo.contract import API, SITE
from todo.errors import RateLimited
from todo.http.client_address import address_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

WINDOW = 60.0  # seconds
BURST = float(API.limit("burst_seconds"))
ROUNDING = 1e-6  # seconds by which a sum of intervals may be off
TODOS_PER_WRITE = SITE.limit("todos_per_write")
MAX_CALLERS = 50_000  # about 10 MB
REDIS_TIMEOUT = 0.25  # seconds
REDIS_PAUSE = 5.0  # seconds without Redis after it has failed, so that an outage slows nobody down

Kind = Literal["reads", "writes"]


@dataclass(frozen=True)
class Policy:
    """The limit for one kind of request, per minute."""

    kind: Kind
    per_minute: int

    @cached_property
    def interval(self) -> float:
        """Returns the seconds that one request costs."""
        return WINDOW / self.per_minute

    @cached_property
    def ahead(self) -> float:
        """Returns how many seconds ahead a caller may be before its next request: the burst, less that request."""
        return max(0.0, BURST - self.interval) + ROUNDING

    def refusal(self, wait: float) -> RateLimited:
        """Returns the refusal, with the header fields of draft-ietf-httpapi-ratelimit-headers-10."""
        return RateLimited(self.kind, self.per_minute, int(WINDOW), seconds=max(1, math.ceil(wait)))


def writes_of(todos: int) -> int:
    """Returns how many writes a change of this many to-dos costs, in addition to its request."""
    return todos // TODOS_PER_WRITE


class Counters(ABC):
    """Stores the state of each caller."""

    @abstractmethod
    async def take(self, kind: Kind, caller: str, cost: float, ahead: float) -> float:
        """Charges `cost` seconds and returns 0, or returns the seconds to wait."""

    @abstractmethod
    async def close(self) -> None:
        """Releases its resources."""


class Memory(Counters):
    """Counters in this worker's memory."""

    def __init__(self) -> None:
        self._due: dict[tuple[Kind, str], float] = {}

    async def take(self, kind: Kind, caller: str, cost: float, ahead: float) -> float:
        return self.take_now(kind, caller, cost, ahead)

    def take_now(self, kind: Kind, caller: str, cost: float, ahead: float) -> float:
        """The synchronous form of `take`."""
        now = monotonic()
        key = (kind, caller)
        due = max(self._due.get(key, now), now)
        if due - now > ahead:
            return due - now - ahead
        if len(self._due) >= MAX_CALLERS and key not in self._due:
            self._make_room(now)
        self._due[key] = due + cost
        return 0.0

    async def close(self) -> None:
        self._due.clear()

    def _make_room(self, now: float) -> None:
        """Drops callers that are no longer ahead or, if all are ahead, the older half."""
        self._due = {key: due for key, due in self._due.items() if due > now}
        for key in list(self._due)[: max(0, len(self._due) - MAX_CALLERS // 2)]:
            del self._due[key]


# The same in one step for all workers, by the clock of Redis. It returns numbers as text, since Redis truncates them.
TAKE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = due - now - tonumber(ARGV[2])
if wait > 0 then return tostring(wait) end
due = due + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.6f', due), 'PX', math.ceil((due - now) * 1000) + 1)
return '0'
"""


class Shared(Counters):
    """Counters in Redis, shared by all workers. While Redis is unreachable, each worker counts on its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._redis: Redis | None = None
        self._own = Memory()
        self._paused_until = 0.0

    async def take(self, kind: Kind, caller: str, cost: float, ahead: float) -> float:
        if monotonic() >= self._paused_until:
            from redis.exceptions import RedisError

            try:
                return float(await self._take(_key(kind, caller), cost, ahead))
            except (RedisError, OSError, ValueError) as error:
                log.error("rate limits: Redis failed (%s), so each worker counts for itself", type(error).__name__)
                self._paused_until = monotonic() + REDIS_PAUSE
        return self._own.take_now(kind, caller, cost, ahead)

    async def _take(self, key: str, cost: float, ahead: float) -> bytes:
        if self._redis is None:
            from redis.asyncio import Redis

            self._redis = Redis.from_url(
                self._url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT, retry=None
            )
            self._script = self._redis.register_script(TAKE)
        return bytes(await self._script(keys=[key], args=[cost, ahead]))

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None


def _key(kind: Kind, caller: str) -> str:
    """Returns the Redis key: a hash, so that it reveals no name or address."""
    return f"todo:rate:{kind}:{blake2b(caller.encode(), digest_size=16).hexdigest()}"


class RateLimits:
    """The rate limits of a service."""

    def __init__(
        self, reads_per_minute: int, writes_per_minute: int, redis_url: str | None = None, proxies: int = 0
    ) -> None:
        """0 per minute disables a limit; `proxies` is the number of proxies in front."""
        self._proxies = proxies
        policies = (Policy("reads", reads_per_minute), Policy("writes", writes_per_minute))
        self._policies = {policy.kind: policy for policy in policies if policy.per_minute}
        self._counters: Counters = Shared(redis_url) if redis_url else Memory()
        self._take_now = self._counters.take_now if isinstance(self._counters, Memory) else None

    async def charge(self, kind: Kind, caller: str) -> None:
        """Charges a caller for one request. Raises RateLimited."""
        policy = self._policies.get(kind)
        if policy:
            # Without Redis there is nothing to await, which saves time on each request.
            take_now = self._take_now
            wait = (
                take_now(kind, caller, policy.interval, policy.ahead)
                if take_now
                else await self._counters.take(kind, caller, policy.interval, policy.ahead)
            )
            if wait:
                raise policy.refusal(wait)

    async def charge_address(self, kind: Kind, scope: Scope) -> None:
        """Charges an anonymous request to its address. Raises RateLimited."""
        await self.charge(kind, f"address {address_of(scope, self._proxies)}")

    async def charge_more(self, kind: Kind, caller: str, count: int) -> None:
        """Charges a caller for `count` more requests, without refusing: the caller waits for them afterwards."""
        policy = self._policies.get(kind)
        if policy and count > 0:
            await self._counters.take(kind, caller, policy.interval * count, math.inf)

    async def close(self) -> None:
        """Closes the connection to Redis."""
        await self._counters.close()
