"""Imports run one way through the tree, and every setting is documented."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from tests.conftest import ROOT
from todo.config import Settings
from todo.contract import API, SITE

WEB = ["flask", "connexion", "starlette"]
DATABASE = ["sqlite3", "psycopg", "psycopg_pool", "aiosql"]
HANDLERS = sorted(ROOT.glob("handlers/*.py"))
PRODUCT = sorted(ROOT.glob("todo/**/*.py"))
STORAGE = sorted(ROOT.glob("todo/storage/*.py"))
RULES = sorted(ROOT.glob("todo/domain/*.py"))
WITHOUT_SETTINGS = [file for file in PRODUCT if file.name not in ("app.py", "cli.py")]


def imports(node: ast.AST) -> Iterator[str]:
    """Yields the full name of everything imported below `node`, but for what only a type checker reads."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "a relative import hides what it imports"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from imports(child)


@pytest.mark.parametrize(
    ("files", "forbidden"),
    [
        pytest.param(HANDLERS, ["todo.config", "todo.app", "wsgi", *DATABASE], id="handlers"),
        pytest.param(STORAGE, [*WEB, "handlers"], id="storage"),
        pytest.param(RULES, [*WEB, *DATABASE], id="rules"),
        pytest.param(WITHOUT_SETTINGS, ["todo.config", "todo.app"], id="all but app and cli"),
        pytest.param(PRODUCT, ["wsgi", "bench"], id="product"),
        pytest.param([f for f in PRODUCT if f.name != "app.py"], ["handlers"], id="all but app"),
    ],
)
def test_imports_run_one_way(files: list[Path], forbidden: list[str]) -> None:
    assert files
    for file in files:
        names = list(imports(ast.parse(file.read_text(encoding="utf-8"))))
        assert not [name for name in names if any(f"{name}.".startswith(f"{other}.") for other in forbidden)], file


@pytest.mark.parametrize("name", [field.name.upper() for field in fields(Settings)])
def test_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^#? ?{name}=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_lock_file_pins_everything(name: str) -> None:
    wanted = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?(==[\w.]+)", (ROOT / f"{name}.in").read_text("utf-8"), re.MULTILINE)
    locked = re.findall(r"^([\w.-]+)(.*)$", (ROOT / f"{name}.txt").read_text("utf-8"), re.MULTILINE)
    assert wanted
    assert all(re.match(r"==[\w.]+( ;|$)", version) for _, version in locked), "a dependency is not pinned"
    pins = {package.lower(): version.split(" ;")[0] for package, version in locked}
    assert {package: pins.get(package.lower()) for package, _ in wanted} == dict(wanted), "run `make lock`"


def test_security_page_tells_the_limits() -> None:
    """Its figures are those of the contracts, and it names no setting that there is not."""
    table = (ROOT / "docs/security.md").read_text("utf-8").partition("## What nobody can use up")[2]
    told = dict(re.findall(r"`([a-z_]+)`(?: (\d+))?", table.partition("\n\nAn address")[0]))
    limits = {**API.document["info"]["x-limits"], **SITE.document["info"]["x-limits"]}
    assert len(told) > 20
    assert {name: number for name, number in told.items() if number} == {
        name: str(limits[name]) for name, number in told.items() if number
    }
    settings = {field.name.upper() for field in fields(Settings)}
    assert set(re.findall(r"`([A-Z_]+)`", table)) <= settings
