"""Starts servers on one core of 127.0.0.1, asks them, and reads from /proc what they use."""

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
PATIENCE = 30.0  # seconds for a start or an end
# One core for the server that is measured, another for the load; on a machine with one core they share it.
SERVER_CORE, LOAD_CORE = (sorted(os.sched_getaffinity(0)) * 2)[:2]

Environ = dict[str, str]


def leave_nothing_behind() -> None:
    """Makes SIGTERM end the program as an error does, so that it ends its servers and removes its folders."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def free_port() -> int:
    """Returns a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def environ_for(folder: Path, database_url: str | None = None) -> Environ:
    """Returns all that a server sees: every setting is there, so that no .env adds to it."""
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
        # Counted like any caller's, and never refused.
        "READS_PER_MINUTE": str(MAX_PER_MINUTE),
        "WRITES_PER_MINUTE": str(MAX_PER_MINUTE),
    }


def migrate(environ: Environ) -> None:
    """Brings the database up to date, as the Procfile's release line does."""
    subprocess.run([BIN / "alembic", "upgrade", "head"], cwd=ROOT, env=environ, check=True, capture_output=True)


@dataclass
class Server:
    """A server that runs, with every process that it forked."""

    process: subprocess.Popen[bytes]
    environ: Environ
    start_seconds: float = 0.0  # until it answered

    @property
    def url(self) -> str:
        return self.environ["PUBLIC_URL"]

    def connect(self) -> http.client.HTTPConnection:
        """Returns a connection that stays open between requests."""
        return http.client.HTTPConnection("127.0.0.1", int(self.environ["PORT"]), timeout=PATIENCE)

    def pids(self) -> list[int]:
        """Returns its processes, which share a session that is named by the first."""
        running = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
        return [pid for pid in running if _session(pid) == self.process.pid]

    def worker(self) -> int:
        """Returns the process that serves: the one that was forked, where the first only watches over it."""
        return next((pid for pid in self.pids() if pid != self.process.pid), self.process.pid)

    def cpu_seconds(self) -> float:
        """Returns what all its processes have used so far, in user and kernel mode."""
        return sum(float(ticks) for pid in self.pids() for ticks in _stat(pid)[11:13]) / TICKS

    def stop(self) -> None:
        """Ends all of its processes."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _stat(pid: int) -> list[str]:
    """Returns the fields of /proc/<pid>/stat after the name, which may hold spaces; none for one that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _session(pid: int) -> int | None:
    stat = _stat(pid)
    return int(stat[3]) if stat else None


@contextlib.contextmanager
def serving(command: list[str], environ: Environ, path: str = "/todos/reader", status: int = 200) -> Iterator[Server]:
    """Yields the server that a command of this Python's own starts, once it answers `status` for `path`."""
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
    """Returns status and body of the answer to one request with the key."""
    connection.request(method, path, None if body is None else json.dumps(body), {**HEADERS, **headers})
    response = connection.getresponse()
    return response.status, response.read()
