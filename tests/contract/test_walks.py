"""The walks of docs/clone.md, done in a copy of the tree: each diff applies, and the result passes its tests."""

import re
import sys
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from dev.processes import ROOT
from dev.walks import Tree, blocks_of, files_of

OPERATION, BOOKMARKS = "Add an operation", "Make it a bookmarks plugin"
# What a walk may edit; everything else that it needs is in files of its own.
EDITED = ("spec/*", "handlers/*", "migrations/*", "tests/*", "README.md", "CHANGELOG.md")
# The tests that are about every operation, table and document.
OF_ALL = [
    *("tests/contract/test_undo.py", "tests/contract/test_tools.py", "tests/contract/test_spec.py"),
    *("tests/contract/test_documents.py", "tests/contract/test_migrations.py", "tests/contract/test_patterns.py"),
    *("tests/todo/domain/test_kinds.py", "tests/todo/http/test_problems.py", "tests/handlers/test_plugin.py"),
]


@pytest.fixture
def tree() -> Iterator[Tree]:
    # Not below pytest's own folder, in which no file may hold a secret of the tests: here all of them do.
    with tempfile.TemporaryDirectory(prefix="todo-walk-") as folder:
        yield Tree(Path(folder) / "tree")


def check(tree: Tree, *tests: str) -> None:
    """Runs what CONTRIBUTING says to run, but for types: mypy alone takes as long as all the rest."""
    tree.run(sys.executable, "-m", "dev.spec")
    tree.run("ruff", "check", "--no-cache", ".")
    tree.run("ruff", "format", "--no-cache", "--check", ".")
    tree.run("lint-imports", "--no-logo", "--no-cache")
    basetemp = f"--basetemp={tree.folder.parent / 'inner'}"
    pytest_run = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", basetemp]
    tree.run(*pytest_run, "-k", "not postgresql or (slow_on_postgresql and sqlite)", *tests)


@pytest.mark.slow
def test_an_operation_is_added(tree: Tree) -> None:
    for block in blocks_of(OPERATION):
        tree.do(block)
    check(tree, "tests/handlers/test_duplicates.py", *OF_ALL[:4])


@pytest.mark.slow
def test_a_bookmarks_plugin_is_made(tree: Tree) -> None:
    for block in blocks_of(BOOKMARKS):
        tree.do(block)
    check(tree, "tests/handlers/test_bookmarks.py", *OF_ALL)


def test_an_operation_needs_the_steps_that_contributing_names() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (steps,) = re.findall(r"^## Add an operation\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
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
