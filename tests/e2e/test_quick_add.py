"""Quick add in a real browser: what is understood while one types, and what a click makes plain text again."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.processes import Child
from tests.e2e.test_pages import PHONE, opened, window
from tests.handlers.test_lists import Assistant

SAYS = "Call mum tomorrow 6pm #family !high every week"
UNDERSTOOD = ["tomorrow 18:00", "#family", "high priority", "every week"]
CHIPS, MARKS = ".understood button", ".mirror mark"


@pytest.fixture
def page(chromium: Browser, service: Child, assistant: Assistant) -> Iterator[Page]:
    with window(chromium, service, assistant) as context:
        yield opened(context)


def only(assistant: Assistant) -> dict[str, Any]:
    """Returns the one to-do in the list."""
    (todo,) = assistant.call("GET")["todos"]
    return dict(todo)


def test_what_is_understood_is_shown_while_one_types(page: Page, assistant: Assistant) -> None:
    line = page.locator("#todo")
    line.press_sequentially(SAYS)
    expect(page.locator(CHIPS)).to_have_text(UNDERSTOOD)
    expect(page.locator(MARKS)).to_have_text(["tomorrow 6pm", "#family", "!high", "every week"])
    expect(page.locator(".add [role=status]")).to_have_text(", ".join(UNDERSTOOD))
    expect(line).to_be_focused()
    assert not Axe().run(page).response["violations"]
    line.press("Enter")
    expect(page.locator("#notice")).to_contain_text("You added “Call mum”")
    todo = only(assistant)
    assert (todo["todo"], todo["tags"], todo["priority"], todo["repeat"], todo["due"][10:]) == (
        "Call mum", ["family"], "high", "FREQ=WEEKLY", "T18:00",
    )  # fmt: skip


def test_a_click_makes_a_part_plain_text(page: Page, assistant: Assistant) -> None:
    line = page.locator("#todo")
    line.fill(SAYS)
    page.get_by_role("button", name="tomorrow 18:00: keep “tomorrow 6pm” as text").click()
    expect(page.locator(CHIPS)).to_have_text([*UNDERSTOOD[1:3], "every week, from today"])
    expect(line).to_be_focused()
    line.press("Enter")
    expect(page.locator("#notice")).to_contain_text("You added “Call mum tomorrow 6pm”")
    assert "T" not in only(assistant)["due"]


def test_by_keyboard_alone(page: Page) -> None:
    line = page.locator("#todo")
    line.press_sequentially("Buy milk today")
    expect(page.locator(CHIPS)).to_have_text(["today"])
    for _ in range(3):  # Add, more, and the first part
        page.keyboard.press("Tab")
    expect(page.locator(CHIPS)).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator(CHIPS)).to_have_count(0)
    expect(line).to_be_focused()
    line.fill("Buy bread")  # what was plain text is no more in it
    line.fill("Buy bread today")
    expect(page.locator(CHIPS)).to_have_text(["today"])


def test_marks_lie_under_the_words_also_in_a_long_line(page: Page) -> None:
    page.set_viewport_size(PHONE)
    line = page.locator("#todo")
    line.press_sequentially("Call mum about the flight and the hotel in the mountains tomorrow")
    expect(page.locator(MARKS)).to_have_text(["tomorrow"])
    scrolled = "() => [...document.querySelectorAll('.quick > *')].map((e) => Math.round(e.scrollLeft))"
    mirror, typed = page.evaluate(scrolled)
    assert mirror == typed > 0
    line.press("Home")
    page.wait_for_function(f"(({scrolled})()).every((left) => left === 0)")


def test_the_last_answer_counts(page: Page) -> None:
    waiting: list[Route] = []
    page.route("**/list/read?todo=Buy+milk+today**", lambda route: waiting.append(route))
    line = page.locator("#todo")
    with page.expect_request("**/list/read?todo=Buy+milk+today**"):
        line.fill("Buy milk today")
    line.fill("Buy milk tomorrow")
    expect(page.locator(CHIPS)).to_have_text(["tomorrow"])
    assert waiting


def test_offline_it_is_a_line_to_type_in(page: Page) -> None:
    page.route("**/list/read**", lambda route: route.abort("aborted"))
    line = page.locator("#todo")
    with page.expect_event("requestfailed"):
        line.press_sequentially("Buy milk today")
    expect(line).to_have_value("Buy milk today")
    expect(page.locator(CHIPS)).to_have_count(0)


def test_without_script(chromium: Browser, service: Child, assistant: Assistant) -> None:
    with window(chromium, service, assistant, script=False) as context:
        page = opened(context)
        page.fill("#todo", SAYS)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator("#notice")).to_contain_text("You added “Call mum”")
    assert only(assistant)["tags"] == ["family"]


def test_in_the_browsers_language(chromium: Browser, service: Child, assistant: Assistant) -> None:
    with window(chromium, service, assistant) as context:
        context.set_extra_http_headers({"Accept-Language": "de-AT,de;q=0.9"})
        page = opened(context)
        page.fill("#todo", "Mama übermorgen um 18 Uhr anrufen")
        expect(page.locator(MARKS)).to_have_text(["übermorgen um 18 Uhr"])
