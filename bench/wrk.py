"""The load generator: wrk with a Lua script, on a core of its own."""

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.servers import KEY, LOAD_CORE, ask
from dev.processes import Child

LISTED = 20  # to-dos in the list to read
SCRIPT = Path(__file__).parent / "load.lua"


@dataclass(frozen=True)
class Load:
    """A kind of load: `writes` of every ten requests."""

    name: str
    writes: int


GET = Load("GET", 0)
POST = Load("POST", 10)
MIX = Load("mix", 1)


@dataclass(frozen=True)
class Figures:
    """The figures of one run of wrk. Errors are statuses of 400 and above, and requests without a response."""

    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float  # of the server's processes, per request
    errors: int


COLUMNS = f"{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}{'ratio':>8}{'errors':>8}"


def row(seen: Figures, ratio: float) -> str:
    """Returns figures and their ratio as text, aligned with COLUMNS."""
    return (
        f"{seen.requests_per_second:11,.0f}{seen.p50_ms:9.2f}{seen.p99_ms:9.2f}{seen.cpu_us:9.0f}"
        f"{ratio:8.2f}{seen.errors:8}"
    )


def median(runs: Iterable[Figures]) -> Figures:
    """Returns the median of each figure over some runs; errors are summed."""
    given = [asdict(run) for run in runs]
    found = {name: statistics.median(each[name] for each in given) for name in given[0]}
    return Figures(**{**found, "errors": sum(each["errors"] for each in given)})


def require() -> None:
    """Exits if wrk is not installed."""
    if not shutil.which("wrk"):
        print("wrk is missing: install it with `apt-get install wrk`, or with your system's own package manager.")
        sys.exit(2)


def prepare(server: Child) -> None:
    """Adds the to-dos that load.lua reads."""
    for number in range(LISTED):
        post(server, "reader", f"Water plant {number}")
    check(server)


def check(server: Child) -> None:
    """Raises AssertionError unless a read returns those to-dos: wrk only checks the status."""
    body = listed(server, "reader")
    assert body.count("Water plant ") == LISTED, body


def post(server: Child, username: str, todo: str) -> None:
    """Adds a to-do. Raises AssertionError if the server refuses it."""
    with contextlib.closing(server.connect()) as connection:
        status, body = ask(connection, "POST", f"/todos/{username}", {"todo": todo})
    assert status in (200, 201), body


def listed(server: Child, username: str) -> str:
    """Returns the body of a list. Raises AssertionError unless the status is 200."""
    with contextlib.closing(server.connect()) as connection:
        status, body = ask(connection, "GET", f"/todos/{username}")
    assert status == 200, body
    return body.decode()


def run(server: Child, load: Load, connections: int, seconds: int, lists: int | None = None) -> Figures:
    """Runs wrk against a server. Reads are of one list, or of one of `lists` from bench/fill.py at random."""
    arguments = [str(load.writes), new_name(), *([str(lists)] if lists else [])]
    return run_script(SCRIPT, server, arguments, connections, seconds, [server])


def new_name() -> str:
    """Returns a unique prefix for list names."""
    return f"w{uuid.uuid4().hex[:8]}-"


def run_script(
    script: Path, server: Child, arguments: list[str], connections: int, seconds: int, used: Iterable[Child]
) -> Figures:
    """Runs wrk against a server and returns its figures, with the CPU of all servers in `used`."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), server.url]
    command += ["--", *arguments]
    before = sum(each.cpu_seconds for each in used)
    output = subprocess.run(
        command,
        env={**os.environ, "SERVICE_AUTH_KEY": KEY},
        preexec_fn=lambda: os.sched_setaffinity(0, {LOAD_CORE}),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return figures(output, sum(each.cpu_seconds for each in used) - before)


def figures(output: str, cpu_seconds: float) -> Figures:
    """Returns the figures that report.lua wrote as the last line of wrk's output."""
    said = json.loads(output.splitlines()[-1])
    requests = said["requests"]
    return Figures(
        requests=requests,
        requests_per_second=requests / said["duration"] * 1e6,
        p50_ms=said["p50"] / 1e3,
        p99_ms=said["p99"] / 1e3,
        cpu_us=cpu_seconds / max(requests, 1) * 1e6,
        errors=said["errors"],
    )
