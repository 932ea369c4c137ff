"""Starts servers on 127.0.0.1, pinned to one core, and sends them requests."""

import contextlib
import http.client
import json
import os
import secrets
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dev import processes
from dev.processes import Child, Environ, started

KEY = secrets.token_urlsafe(32)
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
# One core for the server under test, another for the load; a machine with a single core shares it.
SERVER_CORE, LOAD_CORE = (sorted(os.sched_getaffinity(0)) * 2)[:2]


def exit_on_sigterm() -> None:
    """Turns SIGTERM into SystemExit, so that servers are stopped and temporary folders removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def environ_for(folder: Path, **given: str) -> Environ:
    """Returns a server's whole environment, with the key that wrk sends."""
    return processes.environ_for(folder, SERVICE_AUTH_KEY=KEY, **given)


@contextlib.contextmanager
def serving(command: list[str], environ: Environ, path: str = "/todos/reader", status: int = 200) -> Iterator[Child]:
    """Starts a program of this virtual environment; yields the server once `path` returns `status`, and stops it."""
    with started(command, environ, core=SERVER_CORE) as server:
        server.wait_until_ready(path, status)
        yield server
        server.terminate()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}
) -> tuple[int, bytes]:
    """Returns the status and body of one request, sent with the service key."""
    connection.request(method, path, None if body is None else json.dumps(body), {**HEADERS, **headers})
    response = connection.getresponse()
    return response.status, response.read()
