"""The documents agree with the code: settings, paths, links, make targets, layers, dependencies, limits, versions."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from dev.processes import ROOT
from todo.config import Settings
from todo.contract import API, SITE
from todo.mcp.tools import tools_of
from todo.storage.engine import newest_revision

DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "bench/README.md",
    ROOT / "evals/README.md",
]
FOLDERS = "audit|bench|bin|conformance|docs|evals|handlers|migrations|spec|tests|todo"


@pytest.fixture(params=DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def document(request: pytest.FixtureRequest) -> Path:
    file: Path = request.param
    return file


def anchors_of(text: str) -> set[str]:
    """Returns what a link may name after the #: each heading in lower case, with hyphens."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8")):
        if not link.startswith("https://"):
            path, _, anchor = link.partition("#")
            target = document.parent / path if path else document
            assert target.exists(), link
            assert not anchor or anchor in anchors_of(target.read_text("utf-8")), link


def test_paths_exist(document: Path) -> None:
    text = re.sub(r"^```(?!mermaid).*?^```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for path in re.findall(rf"\b(?:{FOLDERS})/[\w./-]*[\w/](?![\w.*<{{-])", text):
        assert (ROOT / path).exists(), path


def test_make_targets_exist(document: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    text = document.read_text("utf-8")
    commands = "".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    named = re.findall(r"`make ([a-z-]+)", text) + re.findall(r"^make ([a-z-]+)", commands, re.MULTILINE)
    assert set(named) <= {*targets}


def test_readme_is_short() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len([line for line in lines if not line.startswith("| `")]) <= 127  # without a line for each operation


def test_every_operation_is_in_the_readme() -> None:
    named = set(re.findall(r"`([a-z_]+)`", (ROOT / "README.md").read_text("utf-8")))
    assert {operation.id for operation in API.operations} <= named


def test_tools_in_the_drawn_chat_exist() -> None:
    drawn = re.findall(r">([a-z]+_[a-z_]+)<", (ROOT / "docs/screenshots/chat.svg").read_text("utf-8"))
    assert drawn
    assert set(drawn) <= tools_of(API).keys()


def test_layers_are_drawn_as_they_are_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (layers,) = (
        contract["layers"] for contract in project["tool"]["importlinter"]["contracts"] if "layers" in contract
    )
    drawn = " --> ".join(re.sub(r" [|:] ", " & ", layer).replace("todo.", "") for layer in layers)
    assert f"    {drawn}\n" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_names_are_where_contributing_says() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Where to find what")[2].partition("\n## ")[0]
    places = re.findall(r"((?:`[\w.]+`, )*`[\w.]+`) in `([\w./]+)`", table)
    assert len(places) > 3
    for names, path in places:
        for name in re.findall(r"(\w+)`", names):
            assert re.search(rf"\b{name}\b", (ROOT / path).read_text("utf-8")), f"{name} is not in {path}"


def test_changelog_has_this_version_and_the_revision_of_its_database() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert released[0] == API.document["info"]["version"]
    assert text.startswith("# Changelog\n")
    assert re.findall(r"^## \[Unreleased\]$", text, re.MULTILINE)
    assert len(re.findall(r"[Dd]atabase revision: (\d+)\.", text)) == len(released) + 1
    assert re.findall(r"[Dd]atabase revision: (\d+)\.", text)[0] == newest_revision()


@pytest.mark.parametrize("name", [field.name.upper() for field in fields(Settings)])
def test_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/operating.md").read_text(encoding="utf-8")
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
    table = (ROOT / "docs/security.md").read_text("utf-8").partition("## Resource limits")[2]
    told = dict(re.findall(r"`([a-z_]+)`(?: (\d+))?", table.partition("\n\nThe caller's address")[0]))
    limits = {**API.document["info"]["x-limits"], **SITE.document["info"]["x-limits"]}
    assert len(told) > 20
    figures = {name: number for name, number in told.items() if number}
    assert figures
    assert figures == {name: str(limits[name]) for name in figures}
    settings = {field.name.upper() for field in fields(Settings)}
    assert set(re.findall(r"`([A-Z_]+)`", table)) <= settings
