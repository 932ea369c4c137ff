"""What the tests in a browser share."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOW = "no chromium is found: `apt-get install chromium` brings it"

expect.set_options(timeout=10_000)  # milliseconds; tests of how quick a page is have limits of their own

LONGEST = "test_convergence.py"  # minutes, in which it mostly waits


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with the longest test, so that it does not run alone in the end."""
    items.sort(key=lambda item: LONGEST not in item.nodeid)


@pytest.fixture(scope="module")  # and no longer: while it is there, no other event loop can be
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None and "CI" not in os.environ:
        pytest.skip(HOW)
    assert CHROMIUM, HOW
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
