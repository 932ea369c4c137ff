"""make bench: compares the service with its peers, with one worker each and one under load at a time."""

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import chart, record, wrk
from bench.fill import EACH, fill
from bench.machine import about, describe
from bench.record import RESULTS
from bench.servers import environ_for, exit_on_sigterm, serving
from bench.wrk import GET, MIX, POST, Figures
from dev.processes import WEB, Child, migrate

PACKAGES = (
    *("connexion", "quart", "hypercorn", "fastapi", "pydantic", "flask", "sqlalchemy", "flask-sqlalchemy", "aiosqlite"),
    *("uvicorn", "uvloop", "httptools", "gunicorn"),
)
LOADS = (GET, POST, MIX)
CONNECTIONS = (1, 32, 128)


@dataclass(frozen=True)
class Peer:
    """A server to compare: its name and the command that starts it."""

    name: str
    command: tuple[str, ...]
    durable: bool = False  # stores to-dos in a database
    migrated: bool = False  # that database has the service's schema, to be created first
    lists: int | None = None  # lists in that database; reads pick one at random
    answers: bool = True  # with to-dos, not just a greeting


UVICORN = ("uvicorn", "--host", "127.0.0.1", "--no-access-log", "--log-level", "warning")
OURS = Peer("this service", tuple(WEB), durable=True, migrated=True)
# More lists than the page cache holds, so most reads build their page from rows.
OURS_AT_RANDOM = Peer("this service, any list", tuple(WEB), durable=True, migrated=True, lists=5000)
FASTAPI_DURABLE = Peer("FastAPI with SQLAlchemy", (*UVICORN, "bench.peers.fastapi_sqlalchemy:app"), durable=True)
GUNICORN = ("gunicorn", "--config", "bench/peers/gunicorn.py")
FLASK_DURABLE = Peer("Flask with SQLAlchemy", (*GUNICORN, "bench.peers.flask_sqlalchemy:app"), durable=True)
QUART = Peer("Quart under uvicorn", (*UVICORN, "bench.peers.tutorial:app"))
PEERS = (
    OURS,
    OURS_AT_RANDOM,
    QUART,
    Peer("Quart, its own app.run", ("python", "-m", "bench.peers.tutorial")),
    Peer("FastAPI in memory", (*UVICORN, "bench.peers.fastapi_memory:app")),
    FASTAPI_DURABLE,
    FLASK_DURABLE,
    Peer("stock Connexion", (WEB[0], "bench.peers.stock_connexion:app"), durable=True, migrated=True),
    Peer("bare uvicorn, hello", (*UVICORN, "bench.peers.hello:app"), answers=False),
)


@dataclass(frozen=True)
class Measured:
    """The result of one round: one load on one peer. `ratio` is relative to Quart under uvicorn in the same round."""

    round: int
    peer: str
    load: str
    connections: int
    figures: Figures
    ratio: float


def set_up(peer: Peer, folder: Path) -> None:
    """Creates a peer's folder, with its database if that is the service's."""
    folder.mkdir()
    database_url = environ_for(folder)["DATABASE_URL"]
    if peer.migrated:
        migrate(database_url)
    if peer.lists:
        fill(database_url, peer.lists * EACH, full=0)


def start(peer: Peer, folder: Path) -> Any:
    """Returns a context manager that runs the peer in its folder and yields its Child."""
    environ = environ_for(folder)
    port = ["--port", environ["PORT"]] if peer.command[0] == "uvicorn" else []
    return serving([*peer.command, *port], environ)


def check_survives(peer: Peer, folder: Path, server: Child) -> None:
    """Kills the server right after it has answered a POST, and starts it again.

    Raises AssertionError unless it lists the to-do.
    """
    wrk.post(server, "survivor", "Outlive a SIGKILL")
    server.kill()
    with start(peer, folder) as again:
        assert "Outlive a SIGKILL" in wrk.listed(again, "survivor"), f"{peer.name} lost a to-do"


def run(servers: dict[Peer, Child], rounds: int, seconds: int, connections: tuple[int, ...]) -> list[Measured]:
    """Runs all rounds. Peers alternate within a round, so that other activity on the machine affects all alike."""
    measured: list[Measured] = []
    for number in range(1, rounds + 1):
        for count in connections:
            for load in LOADS:
                given = {peer: wrk.run(server, load, count, seconds, peer.lists) for peer, server in servers.items()}
                base = given[QUART].requests_per_second
                fresh = [
                    Measured(number, peer.name, load.name, count, figures, figures.requests_per_second / base)
                    for peer, figures in given.items()
                ]
                print(f"\nRound {number}: {load.name}, {connections_of(count)}\n{table(fresh)}", flush=True)
                measured += fresh
    return measured


def measure(rounds: int, seconds: int, connections: tuple[int, ...]) -> list[Measured]:
    """Starts all peers and returns all rounds.

    Raises AssertionError if a peer does not list its to-dos, or a durable one loses any.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        folders = {peer: Path(name) / str(place) for place, peer in enumerate(PEERS)}
        for peer, folder in folders.items():
            set_up(peer, folder)
        servers = {peer: stack.enter_context(start(peer, folder)) for peer, folder in folders.items()}
        for peer, server in servers.items():
            if peer.answers:
                wrk.prepare(server)
            wrk.run(server, MIX, 32, 1, peer.lists)  # warm up
        measured = run(servers, rounds, seconds, connections)
        for peer, server in servers.items():
            if peer.answers:
                wrk.check(server)
            if peer.durable:
                check_survives(peer, folders[peer], server)
    return measured


def groups(measured: list[Measured]) -> dict[tuple[str, str, int], list[Measured]]:
    """Returns the rounds of each load, peer and number of connections."""
    found: dict[tuple[str, str, int], list[Measured]] = {}
    for one in measured:
        found.setdefault((one.load, one.peer, one.connections), []).append(one)
    return found


def medians(measured: list[Measured]) -> list[Measured]:
    """Returns the median of each figure over the rounds, as round 0; errors are summed."""
    found = []
    for (load, peer, connections), group in groups(measured).items():
        figures = wrk.median(one.figures for one in group)
        found.append(Measured(0, peer, load, connections, figures, statistics.median(one.ratio for one in group)))
    return found


def connections_of(count: int) -> str:
    return f"{count} connection{'s' if count > 1 else ''}"


def table(measured: list[Measured]) -> str:
    """Returns results as text, one line per peer."""
    return "\n".join(
        [f"{'':24}{wrk.COLUMNS}", *(f"{one.peer:24}{wrk.row(one.figures, one.ratio)}" for one in measured)]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="32 connections and one second only, and write no results")
    options = parser.parse_args()
    wrk.require()
    exit_on_sigterm()
    seconds, connections = (1, (32,)) if options.quick else (options.seconds, CONNECTIONS)

    machine = about()
    print(f"{describe(machine)}; {options.rounds} rounds of {seconds} s", flush=True)
    measured = measure(options.rounds, seconds, connections)
    summary = medians(measured)
    for count in connections:
        for load in LOADS:
            chosen = [one for one in summary if (one.load, one.connections) == (load.name, count)]
            print(f"\nMedian: {load.name}, {connections_of(count)}\n{table(chosen)}")
    errors = sum(one.figures.errors for one in measured)
    if errors:
        print(f"\n{errors} requests failed, so these results are invalid and were not written.")
        return 1
    if not options.quick:
        versions = {name: version(name) for name in PACKAGES}
        about_run = {"versions": versions, "rounds": options.rounds, "seconds_each": seconds}
        record.write("latest", machine, about_run, rows(measured))
        draw(machine, summary)
    return 0


def rows(measured: list[Measured]) -> list[dict[str, Any]]:
    """Returns what is kept: a row for each load and peer, with the spread of each figure over the rounds."""
    return [
        {
            "load": load,
            "peer": peer,
            "connections": connections,
            **record.spreads(one.figures for one in group),
            "ratio": record.spread(one.ratio for one in group),
        }
        for (load, peer, connections), group in groups(measured).items()
    ]


def draw(machine: dict[str, Any], summary: list[Measured]) -> None:
    """Writes latest.svg, the chart of the README."""
    bars = {
        load.name: [(one.peer, one.ratio) for one in summary if (one.load, one.connections) == (load.name, 32)]
        for load in LOADS
    }
    captions = [
        f"Requests per second at 32 connections, one worker on one core; {QUART.name} is 1.",
        f"{describe(machine)}, {datetime.now(UTC):%Y-%m-%d}.",
    ]
    (RESULTS / "latest.svg").write_text(chart.draw(bars, captions, OURS.name), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
