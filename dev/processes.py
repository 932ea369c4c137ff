"""Starts the real service as an operator does, in an environment of its own on 127.0.0.1, and ends it by its id."""

import contextlib
import http.client
import os
import re
import resource
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from alembic import command as alembic
from alembic.config import Config

from todo.config import MAX_PER_MINUTE, Settings

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PROCFILE = dict(re.findall(r"^(\w+): *(.+)$", (ROOT / "Procfile").read_text(encoding="utf-8"), re.MULTILINE))
WEB = shlex.split(PROCFILE["web"].partition(" exec ")[2])  # what is left running of it
PATIENCE = 30.0  # seconds: how long a start or an end may take, on a machine that is busy with other tests
# Requests are counted as always, and never refused: tests and benchmarks ask faster than a person's assistant.
GENEROUS = {"reads_per_minute": MAX_PER_MINUTE, "writes_per_minute": MAX_PER_MINUTE}

Environ = dict[str, str]


def free_port() -> int:
    """Returns a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def environ_for(folder: Path, **given: str) -> Environ:
    """Returns all that a child sees. Every setting is in it, so that a developer's own .env adds none."""
    port = free_port()
    return {
        "PATH": f"{BIN}{os.pathsep}{os.defpath}",
        "HOME": str(folder),
        **{setting.name.upper(): "" for setting in fields(Settings)},
        "WEB_CONCURRENCY": "1",  # gunicorn reads it too, and fails on an empty one
        "SERVICE_AUTH_KEY": secrets.token_hex(32),
        "DATABASE_URL": f"sqlite:///{folder}/todo.db",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        **{name.upper(): str(limit) for name, limit in GENEROUS.items()},
        **given,
    }


def migrate(database_url: str, revision: str = "head") -> None:
    """Brings a database to a revision, as the release process does."""
    alembic.upgrade(alembic_config(database_url), revision)


def alembic_config(database_url: str) -> Config:
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = database_url
    return config


@dataclass
class Child:
    """A process that was started, the address that it serves, and the files that it writes to."""

    process: subprocess.Popen[bytes]
    environ: Environ
    out: Path
    err: Path
    started_at: float  # by the monotonic clock
    start_seconds: float = 0.0  # until it answered

    @property
    def url(self) -> str:
        return self.environ["PUBLIC_URL"]

    @property
    def authorization(self) -> dict[str, str]:
        """The header with the service key, if its environment has one."""
        key = self.environ.get("SERVICE_AUTH_KEY", "").partition(",")[0]
        return {"Authorization": f"Bearer {key}"} if key else {}

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", int(self.environ["PORT"])

    @property
    def listens(self) -> bool:
        """Whether anybody accepts a connection at its address."""
        with socket.socket() as probe:
            return probe.connect_ex(self.address) == 0

    @property
    def output(self) -> str:
        """All that it has written so far."""
        return self.out.read_text(encoding="utf-8") + self.err.read_text(encoding="utf-8")

    def connect(self) -> http.client.HTTPConnection:
        """Returns a connection that stays open between requests."""
        return http.client.HTTPConnection(*self.address, timeout=PATIENCE)

    def wait_until_ready(self, path: str = "/readyz", status: int = 200) -> None:
        """Returns when a GET of `path` with the service key has this status.

        Raises AssertionError when it ends, or takes too long.
        """
        self._wait_until(lambda: self._answers(path, status))
        self.start_seconds = time.monotonic() - self.started_at

    def wait_until_written(self, text: str, times: int = 1) -> None:
        """Returns when `text` stands in the output so often. Raises AssertionError when it ends, or takes too long."""
        self._wait_until(lambda: self.output.count(text) >= times)

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.output}"
            assert time.monotonic() < deadline, f"it took more than {PATIENCE} s:\n{self.output}"
            time.sleep(0.02)

    def _answers(self, path: str, status: int) -> bool:
        try:
            with contextlib.closing(self.connect()) as connection:
                connection.request("GET", path, headers=self.authorization)
                return connection.getresponse().status == status
        except (OSError, http.client.HTTPException):
            return False

    def wait(self) -> int:
        """Returns the exit status once the process has ended."""
        return self.process.wait(PATIENCE)

    @property
    def pids(self) -> list[int]:
        """Its processes, which share a session that is named by the first."""
        running = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
        return [pid for pid in running if _stat(pid)[3:4] == [str(self.process.pid)]]

    @property
    def worker(self) -> int:
        """The process id of what gunicorn has forked to serve; its own where nothing was forked."""
        (worker,) = children_of(self.process.pid) or [self.process.pid]
        return worker

    @property
    def memory(self) -> int:
        """How many bytes the worker holds in memory."""
        return int(Path(f"/proc/{self.worker}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def cpu_seconds(self) -> float:
        """What all its processes have used so far, in user and kernel mode."""
        return sum(_cpu_seconds(pid) for pid in self.pids)

    def terminate(self) -> int:
        """Returns the exit status after SIGTERM, which a platform sends to end a service."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """Ends the process and those that it forked at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.wait()


def children_of(pid: int) -> list[int]:
    """Returns the ids of what a running process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu_seconds(pid: int) -> float:
    """Returns what a process has used, to the nanosecond (clock_getcpuclockid(3)); 0 for one that has ended."""
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0


def _stat(pid: int) -> list[str]:
    """Returns the fields of /proc/<pid>/stat after the name, which may hold spaces; none for one that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


@contextlib.contextmanager
def started(
    command: list[str],
    environ: Environ,
    *,
    folder: Path = ROOT,
    descriptors: int | None = None,
    core: int | None = None,
) -> Iterator[Child]:
    """Yields the running command; nothing of it is left in the end. The command is one of this Python's own.

    It runs in the folder of a tree. It may open so many files and connections, and run on this core alone, where that
    is said.
    """

    def limit() -> None:
        if descriptors is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        if core is not None:
            os.sched_setaffinity(0, {core})

    home = Path(environ["HOME"])
    out, err = home / "stdout.txt", home / "stderr.txt"
    started_at = time.monotonic()
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [BIN / command[0], *command[1:]],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=limit,
        )
    child = Child(process, environ, out, err, started_at)
    try:
        yield child
    finally:
        child.kill()


@contextlib.contextmanager
def serving(environ: Environ, descriptors: int | None = None) -> Iterator[Child]:
    """Yields the service that the Procfile's web command starts, once it answers."""
    with started(WEB, environ, descriptors=descriptors) as child:
        child.wait_until_ready()
        yield child
