"""What the tests in a browser share."""

import functools
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.processes import Child, migrated, serving
from tests.e2e.visitors import signed_up
from tests.handlers.test_lists import Assistant

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOW = "no chromium is found: `apt-get install chromium` brings it"

expect.set_options(timeout=10_000)  # milliseconds; tests of how quick a page is have limits of their own

LONGEST = "test_convergence.py"  # minutes, in which it mostly waits

_opened = ExitStack()
_with_browser: set[Path] = set()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Begins with the longest test, so that it does not run alone in the end. Notes which modules need a browser."""
    items.sort(key=lambda item: LONGEST not in item.nodeid)
    _with_browser.update(item.path for item in items if "chromium" in item.fixturenames)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """The service behind a proxy, for all modules that need no other."""
    with serving(migrated(tmp_path_factory.mktemp("service"), PROXIES="1")) as child:
        yield child


@pytest.fixture
def assistant(service: Child) -> Iterator[Assistant]:
    """ChatGPT with the service key, at the list of somebody who has just signed up."""
    with signed_up(service) as assistant:
        yield assistant


@pytest.fixture(scope="module")
def chromium() -> Browser:
    """A browser that modules share while each follows on another; what they do in it is in contexts of their own."""
    if CHROMIUM is None and "CI" not in os.environ:
        pytest.skip(HOW)
    assert CHROMIUM, HOW
    return _start()


@functools.cache
def _start() -> Browser:
    playwright = _opened.enter_context(sync_playwright())
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    _opened.callback(browser.close)
    return browser


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Closes the browser before a module that does without: while it is there, no other event loop can be."""
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path not in _with_browser:
            _close()


def pytest_sessionfinish() -> None:
    _close()


def _close() -> None:
    _start.cache_clear()
    _opened.close()
