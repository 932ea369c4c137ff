"""The history in a real browser: what changed on a line, redo, and choosing what to undo, with and without script."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.e2e.processes import Child
from tests.e2e.test_pages import PHONE, opened, window
from tests.handlers.test_history import Connected
from tests.handlers.test_lists import Assistant
from tests.people import Person


@pytest.fixture
def claude(assistant: Assistant) -> Assistant:
    """Claude, which the person has connected, with some changes; ChatGPT with the service key has made one."""
    connected = Connected(Person(assistant.http, assistant.username), assistant.http, "Claude")
    for text in ("Buy milk", "Call the plumber about the kitchen tap", "Renew passport"):
        connected.add(text, due="2027-12-01")
    connected.call("PATCH", "/2", due="2027-12-03")
    connected.call("POST", "/1/complete")
    assistant.add("By a program")
    return connected


@pytest.mark.parametrize("script", [True, False])
def test_a_line_opens_and_what_is_undone_can_be_redone(
    chromium: Browser, service: Child, assistant: Assistant, claude: Assistant, script: bool
) -> None:
    with window(chromium, service, assistant, script=script) as context:
        page = opened(context, "/history")
        glance = page.locator(".glance li").filter(has_text="Claude")
        expect(glance).to_contain_text("3 added, 1 changed, 1 completed")
        moved = page.locator("#change-4")
        expect(moved.locator(".told")).to_have_text(
            "changed “Call the plumber about the kitchen tap”: due 1 Dec 2027 → 3 Dec 2027"
        )
        expect(moved.locator("table")).to_be_hidden()
        moved.locator("summary").click()
        expect(moved.locator("tbody")).to_contain_text("Friday 3 December 2027")
        moved.get_by_role("button", name="Undo").click()
        expect(moved).to_have_class("change undone")
        expect(moved).to_contain_text("undone")
        assert claude.call("GET", "/2")["due"] == "2027-12-01"
        moved.get_by_role("button", name="Redo").click()
        expect(moved).to_have_class("change")
        assert claude.call("GET", "/2")["due"] == "2027-12-03"


@pytest.mark.parametrize("script", [True, False])
def test_undo_all_leaves_what_is_not_ticked(
    chromium: Browser, service: Child, assistant: Assistant, claude: Assistant, script: bool
) -> None:
    with window(chromium, service, assistant, script=script) as context:
        page = opened(context, "/history")
        glance = page.locator(".glance li").filter(has_text="Claude")
        glance.get_by_role("link", name="Undo all").click()
        boxes = page.get_by_role("checkbox")
        expect(boxes).to_have_count(5)
        page.get_by_role("checkbox", name="completed “Buy milk”").uncheck()
        page.get_by_role("button", name="Undo what is ticked").click()
        # Adding it stays as well then, which the preview has not shown: so it asks.
        expect(page.get_by_role("alert")).to_contain_text("Nothing has been undone yet")
        expect(page.locator(".staying li")).to_contain_text("completed “Buy milk”")
        expect(page.get_by_role("checkbox", name="completed “Buy milk”")).not_to_be_checked()
        assert claude.call("GET", "?status=all")["total"] == 4
        page.get_by_role("button", name="Undo what is ticked").click()
        expect(page.locator(".undone")).to_have_count(3)
        left = claude.call("GET", "?status=all&sort=oldest")["todos"]
        assert [(todo["todo"], todo["status"]) for todo in left] == [("Buy milk", "done"), ("By a program", "open")]


def test_on_a_phone_lines_are_low_and_nothing_sticks_out(
    chromium: Browser, service: Child, assistant: Assistant, claude: Assistant
) -> None:
    assert claude
    with window(chromium, service, assistant) as context:
        page = context.new_page()
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.goto("/history")
        undo = page.locator(".glance a").filter(has_text="undo all").first.get_attribute("href")
        for path in ("/history", undo or ""):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.goto("/history")
        assert page.locator("#change-3").evaluate("line => line.offsetHeight") <= 80
        for button in page.locator(".change button").all():
            box = button.bounding_box()
            assert box
            assert box["height"] >= 44


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing(
    chromium: Browser, service: Child, assistant: Assistant, claude: Assistant, scheme: str
) -> None:
    person = Person(assistant.http, assistant.username)
    assert person.send("/history/undo", change_id="5").status_code == 303
    assert person.send("/list/edit", id="3", version="1", todo="Mine").status_code == 303
    claude.call("PATCH", "/3", todo="Claude's again")
    with window(chromium, service, assistant) as context:
        page = context.new_page()
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto("/history")
        glance = page.locator(".glance li").filter(has_text="Claude")
        undo = glance.get_by_role("link", name="Undo all").get_attribute("href")
        for path in ("/history", undo or ""):
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true })")
            expect(page.locator(".undone").first).to_be_visible()
            found = Axe().run(page).response["violations"]
            assert not [(path, rule["id"], rule["nodes"][0]["html"]) for rule in found]
