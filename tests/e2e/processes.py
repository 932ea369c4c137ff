"""Starts the real service as an operator does, in an environment of its own on 127.0.0.1, and ends it by its id."""

import contextlib
import os
import re
import resource
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import httpx

from tests.answers import check_answer
from tests.conftest import AUTHORIZATION, GENEROUS, SERVICE_KEY, migrate
from todo.config import Settings

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PROCFILE = dict(re.findall(r"^(\w+): *(.+)$", (ROOT / "Procfile").read_text(encoding="utf-8"), re.MULTILINE))
WEB = shlex.split(PROCFILE["web"])
PATIENCE = 30.0  # seconds: how long a start or an end may take, on a machine that is busy with other tests

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
        "SERVICE_AUTH_KEY": SERVICE_KEY,
        "DATABASE_URL": f"sqlite:///{folder}/todo.db",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        **{name.upper(): str(limit) for name, limit in GENEROUS.items()},
        **given,
    }


def migrated(folder: Path, **given: str) -> Environ:
    """Returns the environment of a service whose database is up to date."""
    environ = environ_for(folder, **given)
    migrate(environ["DATABASE_URL"])
    return environ


@dataclass
class Child:
    """A process that was started, the address that it serves, and the files that it writes to."""

    process: subprocess.Popen[bytes]
    environ: Environ
    out: Path
    err: Path

    @property
    def url(self) -> str:
        return self.environ["PUBLIC_URL"]

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

    def wait_until_ready(self) -> None:
        """Returns when the service answers. Raises AssertionError when it ends, or takes too long."""
        self._wait_until(self._is_ready)

    def wait_until_written(self, text: str, times: int = 1) -> None:
        """Returns when `text` stands in the output so often. Raises AssertionError when it ends, or takes too long."""
        self._wait_until(lambda: self.output.count(text) >= times)

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.output}"
            assert time.monotonic() < deadline, f"it took more than {PATIENCE} s:\n{self.output}"
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            return self.listens and httpx.get(f"{self.url}/readyz", trust_env=False, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def wait(self) -> int:
        """Returns the exit status once the process has ended."""
        return self.process.wait(PATIENCE)

    @property
    def worker(self) -> int:
        """The process id of what gunicorn has forked to serve."""
        (worker,) = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(worker)

    @property
    def memory(self) -> int:
        """How many bytes the worker holds in memory."""
        return int(Path(f"/proc/{self.worker}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def terminate(self) -> int:
        """Returns the exit status after SIGTERM, which a platform sends to end a service."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """Ends the process and those that it forked at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.wait()


@contextlib.contextmanager
def started(command: list[str], environ: Environ, descriptors: int | None = None) -> Iterator[Child]:
    """Yields the running command; nothing of it is left in the end. The command is one of this Python's own.

    It may open so many files and connections, where that is said.
    """

    def limit() -> None:
        if descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    folder = Path(environ["HOME"])
    out, err = folder / "stdout.txt", folder / "stderr.txt"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [BIN / command[0], *command[1:]],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=limit,
        )
    child = Child(process, environ, out, err)
    try:
        yield child
    finally:
        child.kill()


@contextlib.contextmanager
def serving(environ: Environ, descriptors: int | None = None) -> Iterator[Child]:
    """Yields the service that the Procfile's web command starts, once it answers."""
    with started(WEB, environ, descriptors) as child:
        child.wait_until_ready()
        yield child


def new_client(url: str) -> httpx.Client:
    """Returns an ordinary client, for any number of threads, that checks every answer against the contracts."""
    return httpx.Client(
        base_url=url,
        headers=AUTHORIZATION,
        event_hooks={"response": [check_answer]},
        limits=httpx.Limits(max_connections=None),
        timeout=PATIENCE,
        trust_env=False,
    )


def all_todos(client: httpx.Client, username: str) -> list[dict[str, Any]]:
    """Returns the open to-dos of a list, page by page."""
    todos: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        page = client.get(f"/todos/{username}", params={"limit": "100", **more}).raise_for_status().json()
        todos += page["todos"]
        if "next_cursor" not in page:
            return todos
        more = {"cursor": page["next_cursor"]}
