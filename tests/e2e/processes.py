"""The service of dev/processes.py with the key that all tests know, and clients that ask it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from dev import processes
from dev.processes import BIN, PATIENCE, PROCFILE, ROOT, WEB, Child, Environ, free_port, serving, started
from tests.answers import check_answer
from tests.conftest import AUTHORIZATION, SERVICE_KEY, migrate, migrated_sqlite

__all__ = ["BIN", "PATIENCE", "PROCFILE", "ROOT", "WEB", "Child", "Environ", "free_port", "serving", "started"]


def environ_for(folder: Path, **given: str) -> Environ:
    """Returns all that a child sees, with the service key of the tests."""
    return processes.environ_for(folder, **{"SERVICE_AUTH_KEY": SERVICE_KEY, **given})


def migrated(folder: Path, **given: str) -> Environ:
    """Returns the environment of a service whose database is up to date."""
    environ = environ_for(folder, **given)
    if "DATABASE_URL" in given:
        migrate(environ["DATABASE_URL"])
    else:
        migrated_sqlite(folder)
    return environ


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


def wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    """Returns when the condition holds. Raises AssertionError with the message if that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)
