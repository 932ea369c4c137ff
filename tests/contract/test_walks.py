"""The walks of docs/clone.md, done in a copy of the tree: each diff applies, and the result passes its tests."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from dev.processes import BIN, ROOT

DOCUMENT = (ROOT / "docs/clone.md").read_text("utf-8")
OPERATION, BOOKMARKS = "Add an operation", "Make it a bookmarks plugin"
# What a walk may edit; everything else that it needs is in files of its own.
EDITED = ("spec/*", "handlers/*", "migrations/*", "tests/*", "README.md", "CHANGELOG.md")
# The tests that are about every operation, table and document.
OF_ALL = [
    *("tests/contract/test_undo.py", "tests/contract/test_tools.py", "tests/contract/test_spec.py"),
    *("tests/contract/test_documents.py", "tests/contract/test_migrations.py", "tests/contract/test_patterns.py"),
    *("tests/todo/http/test_problems.py", "tests/handlers/test_plugin.py"),
]
NOT_COPIED = {".env", ".git", ".venv", "data"}

Block = tuple[str, str]


def blocks_of(heading: str) -> list[Block]:
    """Returns the diffs and the commands of a walk, in their order, each as (diff or sh, text)."""
    (walk,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", DOCUMENT, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```(diff|sh)\n(.*?)^```$", walk, re.MULTILINE | re.DOTALL)


def files_of(blocks: list[Block]) -> Iterator[tuple[str, bool]]:
    """Yields each file that the diffs name, and whether it is new."""
    for kind, text in blocks:
        if kind == "diff":
            for before, after in re.findall(r"^--- (\S+)\n\+\+\+ b/(\S+)$", text, re.MULTILINE):
                yield after, before == "/dev/null"


def copy_tree(folder: Path) -> None:
    """Copies what git knows or would add, as it is in the folder now."""
    if not (ROOT / ".git").exists():
        shutil.copytree(ROOT, folder, ignore=lambda _, names: NOT_COPIED & {*names}, dirs_exist_ok=True)
        return
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, found.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


class Tree:
    """A copy of the tree in which a walk is done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "CITUS_"))}
        path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        self.environ = {**inherited, "PATH": path, "PYTHONPATH": "", "GIT_CEILING_DIRECTORIES": str(folder.parent)}
        folder.mkdir()
        copy_tree(folder)

    def run(self, *command: str, text: str = "") -> None:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}"

    def walk(self, blocks: list[Block]) -> None:
        for kind, text in blocks:
            if kind == "diff":
                self.run("git", "apply", "-", text=text)
            else:
                self.run("sh", "-eu", "-c", text)

    def check(self, *tests: str) -> None:
        """Runs what CONTRIBUTING says to run, but for types: mypy alone takes as long as all the rest."""
        self.run(sys.executable, "-m", "dev.spec")
        self.run("ruff", "check", "--no-cache", ".")
        self.run("ruff", "format", "--no-cache", "--check", ".")
        self.run("lint-imports", "--no-logo", "--no-cache")
        basetemp = f"--basetemp={self.folder.parent / 'inner'}"
        pytest_run = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", basetemp]
        self.run(*pytest_run, "-k", "not postgresql", *tests)


@pytest.fixture
def tree() -> Iterator[Tree]:
    # Not below pytest's own folder, in which no file may hold a secret of the tests: here all of them do.
    with tempfile.TemporaryDirectory(prefix="todo-walk-") as folder:
        yield Tree(Path(folder) / "tree")


@pytest.mark.slow
def test_an_operation_is_added(tree: Tree) -> None:
    tree.walk(blocks_of(OPERATION))
    tree.check("tests/handlers/test_duplicates.py", *OF_ALL[:4])


@pytest.mark.slow
def test_a_bookmarks_plugin_is_made(tree: Tree) -> None:
    tree.walk(blocks_of(BOOKMARKS))
    tree.check("tests/handlers/test_bookmarks.py", *OF_ALL)


def test_an_operation_needs_the_steps_that_contributing_names() -> None:
    (steps,) = re.findall(
        r"^## Add an operation\n(.*?)(?=^## )", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    named = [re.sub("<.+?>", "*", path) for path in re.findall(r"`([\w./<>-]+)`", steps)]
    touched = [file for file, _ in files_of(blocks_of(OPERATION))]
    assert touched
    for file in touched:
        assert any(fnmatch(file, path) for path in named), file


@pytest.mark.parametrize("walk", [OPERATION, BOOKMARKS])
def test_a_walk_edits_nothing_but_what_it_is_about(walk: str) -> None:
    edited = [file for file, is_new in files_of(blocks_of(walk)) if not is_new]
    assert edited
    for file in edited:
        assert any(fnmatch(file, pattern) for pattern in EDITED), file
