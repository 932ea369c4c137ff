"""make bench, second part: compares an MCP call with the same HTTP request and with generated tools."""

import argparse
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import record, wrk
from bench.compare import UVICORN
from bench.machine import about, describe
from bench.servers import ask, environ_for, exit_on_sigterm, serving
from bench.wrk import Figures
from dev.processes import WEB, Child, migrate

SCRIPT = Path(__file__).parent / "mcp.lua"
HTTP, OLDER, NEWER = "http", "2025-11-25", "2026-07-28"
OPERATIONS = ("list_todos", "add_todo")
MAX_RATIO = 2.0  # CPU of a call, as a multiple of its HTTP request


@dataclass(frozen=True)
class Row:
    """The result for one way to call an operation. `ratio` is its CPU as a multiple of the HTTP request's."""

    way: str
    operation: str
    figures: Figures
    ratio: float


def measure(service: Child, generated: Child, seconds: int, connections: int) -> list[Row]:
    """Runs one round. The generated server calls the service, so the CPU of both counts."""
    ways = {
        "HTTP": (service, HTTP, (service,)),
        f"MCP {OLDER}": (service, OLDER, (service,)),
        f"MCP {NEWER}": (service, NEWER, (service,)),
        f"generated, MCP {OLDER}": (generated, OLDER, (service, generated)),
    }
    rows = []
    for operation in OPERATIONS:
        base = 0.0
        for way, (server, version, used) in ways.items():
            figures = wrk.run_script(SCRIPT, server, [version, operation, wrk.new_name()], connections, seconds, used)
            base = base or figures.cpu_us
            rows.append(Row(way, operation, figures, figures.cpu_us / base))
    return rows


def medians(rounds: list[list[Row]]) -> list[Row]:
    """Returns the median of each figure over the rounds; errors are summed."""
    found = []
    for rows in zip(*rounds, strict=True):
        figures, ratio = wrk.median(row.figures for row in rows), statistics.median(row.ratio for row in rows)
        found.append(Row(rows[0].way, rows[0].operation, figures, ratio))
    return found


def kept(rounds: list[list[Row]]) -> list[dict[str, Any]]:
    """Returns what is kept: a row for each way and operation, with the spread of each figure over the rounds."""
    return [
        {
            "way": rows[0].way,
            "operation": rows[0].operation,
            **record.spreads(row.figures for row in rows),
            "ratio": record.spread(row.ratio for row in rows),
        }
        for rows in zip(*rounds, strict=True)
    ]


def table(rows: list[Row]) -> str:
    lines = [f"{f'{row.operation}, {row.way}':34}{wrk.row(row.figures, row.ratio)}" for row in rows]
    return "\n".join([f"{'':34}{wrk.COLUMNS}", *lines])


def check(server: Child, headers: dict[str, str]) -> None:
    """Raises AssertionError unless a call returns the to-dos: wrk only checks the status."""
    connection = server.connect()
    params = {"name": "list_todos", "arguments": {"username": "reader"}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    status, body = ask(connection, "POST", "/mcp", call, {"Accept": "application/json, text/event-stream", **headers})
    connection.close()
    assert status == 200, body
    assert body.count(b"Water plant ") == 2 * wrk.LISTED, body


@contextlib.contextmanager
def running(folder: Path) -> Iterator[tuple[Child, Child]]:
    """Yields the service, with its to-dos, and the generated server that calls it."""
    (home := folder / "service").mkdir()
    (other_home := folder / "generated").mkdir()
    environ = environ_for(home)
    migrate(environ["DATABASE_URL"])
    with serving(WEB, environ) as service:
        wrk.prepare(service)
        other_environ = {**environ_for(other_home), "BENCH_SERVICE": service.url}
        command = [*UVICORN, "--port", other_environ["PORT"], "bench.peers.generated_mcp:app"]
        with serving(command, other_environ, path="/mcp", status=405) as generated:
            yield service, generated


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="one second only, and write no results")
    options = parser.parse_args()
    wrk.require()
    exit_on_sigterm()
    machine = about()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, running(Path(name)) as (service, generated):
        for server in (service, generated):
            check(server, {"MCP-Protocol-Version": OLDER})
        measure(service, generated, 1, 8)  # warm up
        seconds = 1 if options.quick else options.seconds
        rounds = [measure(service, generated, seconds, 8) for _ in range(options.rounds)]
    rows = medians(rounds)
    print(f"\nMCP, 8 connections; ratio is of CPU, to HTTP. {describe(machine)}\n{table(rows)}")
    if any(row.figures.errors for row in rows):
        print("\nSome requests failed, so these results are invalid and were not written.")
        return 1
    too_slow = [row for row in rows if not row.way.startswith("generated") and row.ratio > MAX_RATIO]
    for row in too_slow:
        print(f"{row.operation} over {row.way} costs {row.ratio:.2f} times the request, more than {MAX_RATIO:g}.")
    if not options.quick:
        record.write("mcp", machine, {"rounds": options.rounds, "seconds_each": seconds}, kept(rounds))
    return 1 if too_slow else 0


if __name__ == "__main__":
    sys.exit(main())
