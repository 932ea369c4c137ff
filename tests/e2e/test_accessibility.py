"""axe finds nothing on any page: in light and dark, on a phone, and at 400 % zoom."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.e2e.processes import Child
from tests.e2e.test_pages import PHONE
from tests.handlers.test_lists import HOSTILE, Assistant

DESK = {"width": 1280, "height": 800}
ZOOMED = {"width": 320, "height": 256}  # 1280 x 1024 at 400 % (WCAG 2.2, 1.4.10)
VIEWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESK, "color_scheme": "light"},
    "dark": {"viewport": DESK, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "has_touch": True, "is_mobile": True},
    "zoomed": {"viewport": ZOOMED, "color_scheme": "dark"},
}
OF_EVERYBODY = ("/", "/sign-in", "/sign-up", "/forgot-password", "/docs", "/legal", "/errors", "/s/no", "/missing")
OF_THE_PERSON = (
    "/",
    "/list",
    "/list?section=upcoming",
    "/list?edit=2&changed=1",
    "/list?list=Shopping",
    "/list?q=nothing+like+it",
    "/calendar",
    "/history",
    "/history/undo?who=assistant:ChatGPT&since_day=2020-01-01",
    "/trash",
    "/account",
)


@pytest.fixture
def shared(assistant: Assistant) -> str:
    """The path of a shared to-do, in a list that has something of everything."""
    assistant.add("Buy milk", due="2020-01-01", priority="high", tags=["home"], notes="n", repeat="FREQ=DAILY")
    path = assistant.call("POST", "/1/share")["url"].partition("/s/")[2]
    assistant.call("PATCH", "/1", todo="Buy oat milk, see https://example.org/milk")
    assistant.call("POST", "/1/complete")
    assistant.add("2", list="Shopping", create_list=True, steps=["Eggs", {"text": "Bread", "done": True}])
    assistant.add("3", steps=[f"{number}" for number in range(9)], due="2199-01-01")
    assistant.add("4")
    for text in HOSTILE:
        assistant.add(text, notes=text, tags=[text[:50]], priority="medium")
    assistant.call("DELETE", "/4")
    return f"/s/{path}"


@pytest.fixture(params=["light", *(pytest.param(view, marks=pytest.mark.slow) for view in VIEWS if view != "light")])
def page(chromium: Browser, service: Child, request: pytest.FixtureRequest) -> Iterator[Page]:
    with chromium.new_context(base_url=service.url, **VIEWS[request.param]) as context:
        yield context.new_page()


def assert_nothing_is_found(page: Page, path: str) -> None:
    page.goto(path)
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true })")
    found = Axe().run(page).response["violations"]
    assert not [(path, rule["id"], rule["nodes"][0]["html"]) for rule in found]


def test_pages_of_the_person(page: Page, service: Child, assistant: Assistant, shared: str) -> None:
    page.context.add_cookies([{"name": "session", "value": assistant.http.cookies["session"], "url": service.url}])
    for path in (*OF_THE_PERSON, shared):
        assert_nothing_is_found(page, path)
    page.goto("/list?list=Shopping")
    page.locator("li.todo").first.focus()
    lists = page.get_by_role("button", name="Lists")
    if lists.is_visible():
        lists.click()
    assert not Axe().run(page).response["violations"]


def test_pages_of_everybody(page: Page) -> None:
    for path in OF_EVERYBODY:
        assert_nothing_is_found(page, path)
