"""Tries the service on each other Python that is supported and found: `make run`, a to-do, and fast tests."""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from dev.processes import BIN, Environ, environ_for, started
from dev.tree import copy_tree

SUPPORTED = ("3.11", "3.12", "3.13")
# All rules, the contract and SQLite; what differs between versions of Python shows there, if not at the start.
TESTS = ("tests/todo/domain", "tests/todo/contract", "tests/todo/storage")
SECONDS = 300  # that the tests may take; alone on two cores it is half a minute


def interpreter(version: str) -> str | None:
    """Returns a Python of this version, of those on the PATH and those of pyenv."""
    of_pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for candidate in (shutil.which(f"python{version}"), *map(str, of_pyenv)):
        if candidate and _is(candidate, version):
            return candidate
    return None


def _is(python: str, version: str) -> bool:
    done = subprocess.run([python, "--version"], capture_output=True, text=True, check=False)
    return bool(re.match(rf"Python {re.escape(version)}\.", done.stdout))


def environment(home: Path) -> Environ:
    """Returns an environment in which packages are installed as in this one, and the service is alone."""
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    return {**os.environ, **environ_for(home), "XDG_CACHE_HOME": cache, "PATH": path}


class CannotInstall(Exception):
    """The packages cannot be had for this Python, here and now."""


def install(python: str, tree: Path, environ: Environ) -> None:
    """Installs all packages. Raises CannotInstall."""
    for requirements in ("requirements.txt", "requirements-dev.txt"):
        command = [str(tree / "bin" / "install"), requirements]
        if subprocess.run(command, cwd=tree, env={**environ, "PYTHON": python}, check=False).returncode:
            raise CannotInstall


def try_on(python: str) -> Iterator[str]:
    """Yields what works. Raises CannotInstall, AssertionError and CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix="todo-python-") as name:
        home = Path(name)
        tree = home / "tree"
        copy_tree(tree)
        environ = environment(home)
        install(python, tree, environ)
        began = time.monotonic()
        with started([str(shutil.which("make")), "run", f"PYTHON={python}"], environ, folder=tree) as service:
            service.wait_until_ready()
            with closing(service.connect()) as connection:
                assert _add(connection, service.authorization) == 201
        yield f"make run, a to-do after {time.monotonic() - began:.0f} s"
        tests = [str(tree / ".venv" / "bin" / "python"), "-m", "pytest", "-n", "2", "-k", "not postgresql", *TESTS]
        subprocess.run(tests, cwd=tree, env={**os.environ, "HOME": name}, check=True, timeout=SECONDS)
        yield f"tests of {', '.join(TESTS)}"


def _add(connection: http.client.HTTPConnection, authorization: dict[str, str]) -> int:
    headers = {**authorization, "Content-Type": "application/json"}
    connection.request("POST", "/todos/kevin", json.dumps({"todo": "Buy milk"}), headers)
    return connection.getresponse().status


def main() -> None:
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for version in SUPPORTED:
        if version == own:
            continue
        python = interpreter(version)
        if python is None:
            print(f"SKIPPED Python {version}: none is found.")  # noqa: T201
            continue
        try:
            for works in try_on(python):
                print(f"Python {version}: {works}.", flush=True)  # noqa: T201
        except CannotInstall:
            print(f"SKIPPED Python {version}: its packages cannot be installed here.")  # noqa: T201


if __name__ == "__main__":
    main()
