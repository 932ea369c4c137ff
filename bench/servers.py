"""Starts servers on 127.0.0.1, pinned to one core, and reads their CPU use from /proc."""

import contextlib
import http.client
import json
import os
import re
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from todo.config import MAX_PER_MINUTE, Settings

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
PROCFILE = dict(re.findall(r"^(\w+): *(.+)$", (ROOT / "Procfile").read_text(encoding="utf-8"), re.MULTILINE))
WEB = shlex.split(PROCFILE["web"])
KEY = secrets.token_urlsafe(32)
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 30.0  # seconds to start or to stop
# One core for the server under test, another for the load; a machine with a single core shares it.
SERVER_CORE, LOAD_CORE = (sorted(os.sched_getaffinity(0)) * 2)[:2]

Environ = dict[str, str]


def exit_on_sigterm() -> None:
    """Turns SIGTERM into SystemExit, so that servers are stopped and temporary folders removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def free_port() -> int:
    """Returns an unused port of 127.0.0.1."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def environ_for(folder: Path, database_url: str | None = None) -> Environ:
    """Returns a server's whole environment. Every setting is present, so that no .env adds to it."""
    port = str(free_port())
    return {
        "PATH": f"{BIN}{os.pathsep}{os.defpath}",
        "HOME": str(folder),
        **{setting.name.upper(): "" for setting in fields(Settings)},
        "WEB_CONCURRENCY": "1",
        "SERVICE_AUTH_KEY": KEY,
        "DATABASE_URL": database_url or f"sqlite:///{folder}/todo.db",
        "HOST": "127.0.0.1",
        "PORT": port,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        # Counted as in production, but never exceeded.
        "READS_PER_MINUTE": str(MAX_PER_MINUTE),
        "WRITES_PER_MINUTE": str(MAX_PER_MINUTE),
    }


def migrate(environ: Environ) -> None:
    """Migrates the database, as the Procfile's release line does."""
    subprocess.run([BIN / "alembic", "upgrade", "head"], cwd=ROOT, env=environ, check=True, capture_output=True)


@dataclass
class Server:
    """A running server, with all processes that it forked."""

    process: subprocess.Popen[bytes]
    environ: Environ
    start_seconds: float = 0.0  # from the command to the first response

    @property
    def url(self) -> str:
        return self.environ["PUBLIC_URL"]

    def connect(self) -> http.client.HTTPConnection:
        """Returns a keep-alive connection."""
        return http.client.HTTPConnection("127.0.0.1", int(self.environ["PORT"]), timeout=PATIENCE)

    def pids(self) -> list[int]:
        """Returns its process ids: all processes in the session of the first."""
        running = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
        return [pid for pid in running if _session(pid) == self.process.pid]

    def worker(self) -> int:
        """Returns the id of the process that serves: the forked one, or the only one."""
        return next((pid for pid in self.pids() if pid != self.process.pid), self.process.pid)

    def cpu_seconds(self) -> float:
        """Returns the CPU time of all its processes so far, in user and kernel mode."""
        return sum(float(ticks) for pid in self.pids() for ticks in _stat(pid)[11:13]) / TICKS

    def stop(self) -> None:
        """Stops all of its processes."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _stat(pid: int) -> list[str]:
    """Returns the fields of /proc/<pid>/stat after the name, which may contain spaces; [] if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _session(pid: int) -> int | None:
    stat = _stat(pid)
    return int(stat[3]) if stat else None


@contextlib.contextmanager
def serving(command: list[str], environ: Environ, path: str = "/todos/reader", status: int = 200) -> Iterator[Server]:
    """Starts a program of this virtual environment; yields the server once `path` returns `status`."""
    log = Path(environ["HOME"]) / "log.txt"
    begin = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [BIN / command[0], *command[1:]],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
        )
    server = Server(process, environ)
    try:
        _wait_for_answer(server, path, status, log)
        server.start_seconds = time.monotonic() - begin
        yield server
    finally:
        server.stop()


def _wait_for_answer(server: Server, path: str, status: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = server.connect()
            try:
                if ask(connection, "GET", path)[0] == status:
                    return
            finally:
                connection.close()
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The server did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.01)


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}
) -> tuple[int, bytes]:
    """Returns the status and body of one request, sent with the service key."""
    connection.request(method, path, None if body is None else json.dumps(body), {**HEADERS, **headers})
    response = connection.getresponse()
    return response.status, response.read()
