"""Linters of OpenAPI written by others find nothing in the two contracts, and do find what is planted."""

from pathlib import Path

import pytest

from conformance import node
from todo.contract import SPEC

CONFIGURED = node.HERE / "contract"
CONTRACTS = (SPEC / "openapi.yaml", SPEC / "site.yaml")
LINTERS = {
    "Spectral": ("spectral", "lint", "--fail-severity", "hint", "--ruleset", str(CONFIGURED / "spectral.yaml")),
    "Redocly": ("redocly", "lint", "--config", str(CONFIGURED / "redocly.yaml")),
}
PLANTED = """\
openapi: 3.0.3
info: {title: Planted, description: A path with an undeclared parameter., version: 1.0.0}
paths:
  /todos/{username}:
    get: {operationId: list_todos, responses: {'200': {description: The to-dos.}}}
"""
each_linter = pytest.mark.parametrize("linter", LINTERS)


def lint(linter: str, home: Path, *files: Path) -> tuple[int, str]:
    """Returns the exit status and what is said of the files, warnings included."""
    ran = node.run(home, *LINTERS[linter], *map(str, files))
    return ran.returncode, ran.stdout + ran.stderr


@each_linter
def test_finds_nothing(linter: str, tmp_path: Path) -> None:
    status, said = lint(linter, tmp_path, *CONTRACTS)
    assert status == 0, said
    assert "warning" not in said.lower(), said


@each_linter
def test_finds_what_is_planted(linter: str, tmp_path: Path) -> None:
    planted = tmp_path / "planted.yaml"
    planted.write_text(PLANTED, encoding="utf-8")
    status, said = lint(linter, tmp_path, planted)
    assert status == 1
    assert "username" in said
