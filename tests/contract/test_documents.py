"""What stands beside the code agrees with it: settings, pinned dependencies, the figures of the security page."""

import re
from dataclasses import fields

import pytest

from tests.conftest import ROOT
from todo.config import Settings
from todo.contract import API, SITE


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
    table = (ROOT / "docs/security.md").read_text("utf-8").partition("## What nobody can use up")[2]
    told = dict(re.findall(r"`([a-z_]+)`(?: (\d+))?", table.partition("\n\nAn address")[0]))
    limits = {**API.document["info"]["x-limits"], **SITE.document["info"]["x-limits"]}
    assert len(told) > 20
    assert {name: number for name, number in told.items() if number} == {
        name: str(limits[name]) for name, number in told.items() if number
    }
    settings = {field.name.upper() for field in fields(Settings)}
    assert set(re.findall(r"`([A-Z_]+)`", table)) <= settings
