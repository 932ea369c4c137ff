"""The order of to-dos in a real browser: by mouse, by finger and by keyboard."""

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from tests.e2e.processes import Child
from tests.e2e.test_pages import PHONE, opened, window
from tests.handlers.test_lists import HOSTILE, Assistant
from tests.people import Person

DAY = "2199-12-06"
# The script handles a press of the mouse when the button is up again.
LATE_PRESS = """(selector) => document.querySelector(selector).dispatchEvent(
    new PointerEvent("pointerdown", { bubbles: true, cancelable: true, pointerId: 1, pointerType: "mouse" }))"""


def add(assistant: Assistant, *texts: str, **fields: Any) -> None:
    assistant.call("POST", "/changes", actions=[{"action": "add", "todo": text, **fields} for text in texts])


def texts(page: Page, section: str = "undated") -> Locator:
    return page.locator(f"section[aria-labelledby={section}] .text")


def middle(of: Locator, down: float = 0.5) -> tuple[float, float]:
    box = of.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] * down


def grab(page: Page, todo_id: int) -> None:
    page.locator(f"#todo-{todo_id}").hover()
    page.mouse.move(*middle(page.locator(f"#todo-{todo_id} .grip")))
    page.mouse.down()
    expect(page.locator(f"#todo-{todo_id}")).to_have_class(re.compile("dragged"))


def stored(assistant: Assistant) -> str:
    """Returns the order that the server shows, once the page has sent what it sends."""
    page = Person(assistant.http, assistant.username).browser.get("/list").text
    return "".join(part.split("<bdi>")[1].split("</bdi>")[0] for part in page.split('<p class="text">')[1:])


class TestByMouse:
    @pytest.mark.parametrize(
        ("dragged", "target", "down", "order"), [(1, 3, 0.2, "1 3 2"), (3, 1, 0.8, "2 1 3"), (2, 3, 0.2, "2 3 1")]
    )
    def test_to_a_place_and_back_by_undo(
        self,
        chromium: Browser,
        service: Child,
        assistant: Assistant,
        dragged: int,
        target: int,
        down: float,
        order: str,
    ) -> None:
        add(assistant, "1", "2", "3")
        with window(chromium, service, assistant) as context:
            page = opened(context)
            grab(page, dragged)
            page.mouse.move(*middle(page.locator(f"#todo-{target}"), down), steps=5)
            expect(page.locator(f"#todo-{target}")).to_have_class(
                f"todo open drop-{'before' if down < 0.5 else 'after'}"
            )
            page.mouse.up()
            expect(page.locator("#notice")).to_contain_text(f"You moved “{dragged}”.")
            expect(texts(page)).to_have_text(order.split())
            assert stored(assistant) == order.replace(" ", "")
            page.get_by_role("button", name="Undo", exact=True).first.click()
            expect(texts(page)).to_have_text(["3", "2", "1"])

    def test_a_press_that_ends_before_the_script_is_there_lifts_nothing(
        self, chromium: Browser, service: Child, assistant: Assistant
    ) -> None:
        add(assistant, "1", "2", "3")
        with window(chromium, service, assistant) as context:
            page = opened(context)
            page.locator("#todo-1").hover()
            page.evaluate(LATE_PRESS, "#todo-1 .grip")
            page.mouse.move(*middle(page.locator("#todo-3")), steps=5)
            page.wait_for_timeout(200)  # several frames
            expect(page.locator(".dragged")).to_have_count(0)
            grab(page, 1)  # the next press does
            page.keyboard.press("Escape")
            assert stored(assistant) == "321"

    def test_onto_a_list(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        assistant.add("1", list="Work", create_list=True)
        assistant.add("2")
        with window(chromium, service, assistant) as context:
            page = opened(context)
            grab(page, 2)
            work = page.get_by_role("navigation", name="Lists").get_by_role("link", name="Work")
            page.mouse.move(*middle(work), steps=5)
            expect(work).to_have_class("drop-into")
            page.mouse.up()
            expect(page.locator("#notice")).to_contain_text("You moved “2”.")
            page.goto("/list?list=Work")
            expect(texts(page)).to_have_text(["2", "1"])

    def test_within_a_day_and_no_further(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        add(assistant, "1", "2", due=DAY)
        add(assistant, "later", due="2199-12-07")
        with window(chromium, service, assistant) as context:
            page = opened(context)
            grab(page, 1)
            page.mouse.move(*middle(page.locator("#todo-3")), steps=5)
            expect(page.locator(".dragged")).to_have_count(1)
            expect(page.locator(".drop-before, .drop-after")).to_have_count(0)
            page.mouse.up()
            grab(page, 2)
            page.mouse.move(*middle(page.locator("#todo-1"), 0.2), steps=5)
            page.mouse.up()
            expect(page.locator("#notice")).to_contain_text("You moved “2”.")
            expect(texts(page, "upcoming")).to_have_text(["2", "1", "later"])

    def test_escape_puts_it_back(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        add(assistant, "1", "2", "3")
        with window(chromium, service, assistant) as context:
            page = opened(context)
            grab(page, 1)
            page.mouse.move(*middle(page.locator("#todo-3"), 0.2), steps=5)
            expect(page.locator(".drop-before")).to_have_count(1)
            page.keyboard.press("Escape")
            expect(page.locator(".dragged, .drop-before")).to_have_count(0)
            page.mouse.up()
            expect(page.locator("p[role=status].unseen")).to_have_text("1: put back")
            assert stored(assistant) == "321"

    def test_at_the_edge_the_page_scrolls(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        add(assistant, *(f"{number}" for number in range(20)))
        with window(chromium, service, assistant) as context:
            page = opened(context)
            page.set_viewport_size({"width": 1280, "height": 500})
            page.locator("#todo-20").scroll_into_view_if_needed()
            grab(page, 20)
            page.mouse.move(640, 490, steps=5)
            expect(page.locator("footer")).to_be_in_viewport(ratio=1)  # so that it has scrolled to the end
            page.mouse.move(*middle(page.locator("#todo-1"), 0.8), steps=5)
            page.mouse.up()
            expect(page.locator("#notice")).to_contain_text("You moved “19”.")
            expect(texts(page).last).to_have_text("19")


def is_after_a_while(page: Page, before: int) -> bool:
    page.wait_for_timeout(20)
    return bool(page.evaluate("scrollY") != before)


def touch(finger: CDPSession, kind: str, x: float, y: float) -> None:
    points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
    finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


class TestByTouch:
    def test_a_long_press_lifts(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        add(assistant, "1", "2", "3")
        with chromium.new_context(base_url=service.url, viewport=PHONE, has_touch=True, is_mobile=True) as context:  # type: ignore[arg-type]
            context.add_cookies([{"name": "session", "value": assistant.http.cookies["session"], "url": service.url}])
            page = opened(context)
            page.get_by_role("heading", level=1).tap()
            page.locator("#todo-1").scroll_into_view_if_needed()
            finger = context.new_cdp_session(page)
            x, y = middle(page.locator("#todo-1 .text"))
            touch(finger, "touchStart", x, y)
            expect(page.locator("#todo-1.dragged")).to_have_count(1)
            x, y = middle(page.locator("#todo-3"), 0.2)
            touch(finger, "touchMove", x, y + 5)
            touch(finger, "touchMove", x, y)
            expect(page.locator("#todo-3.drop-before")).to_have_count(1)
            touch(finger, "touchEnd", x, y)
            expect(page.locator("#notice")).to_contain_text("You moved “1”.")
            expect(texts(page)).to_have_text(["1", "3", "2"])

    def test_who_scrolls_lifts_nothing(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        add(assistant, *(f"{number}" for number in range(1, 20)))
        with chromium.new_context(base_url=service.url, viewport=PHONE, has_touch=True, is_mobile=True) as context:  # type: ignore[arg-type]
            context.add_cookies([{"name": "session", "value": assistant.http.cookies["session"], "url": service.url}])
            page = opened(context)
            page.locator("#todo-15").scroll_into_view_if_needed()
            before = page.evaluate("scrollY")
            finger = context.new_cdp_session(page)
            x, y = middle(page.locator("#todo-15 .text"))
            touch(finger, "touchStart", x, y)
            for step in range(1, 8):
                touch(finger, "touchMove", x, y - 20 * step)
            assert any(is_after_a_while(page, before) for _ in range(100))
            expect(page.locator(".dragged")).to_have_count(0)
            touch(finger, "touchEnd", x, y)


class TestByKeyboard:
    def test_alt_and_an_arrow(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        add(assistant, "1", "2", "3")
        with window(chromium, service, assistant) as context:
            page = opened(context)
            said = page.locator("p[role=status].unseen")
            page.locator("#todo-1").focus()
            page.keyboard.press("Alt+ArrowUp")
            expect(said).to_have_text("1: 2 of 3")
            expect(page.locator("#notice")).to_contain_text("You moved “1”.")
            expect(texts(page)).to_have_text(["3", "1", "2"])
            expect(page.locator("#todo-1")).to_be_focused()
            page.keyboard.press("Alt+ArrowUp")
            expect(texts(page)).to_have_text(["1", "3", "2"])
            expect(page.locator("#todo-1")).to_be_focused()
            page.keyboard.press("Alt+ArrowUp")
            expect(said).to_have_text("1: already first")
            page.keyboard.press("Alt+ArrowDown")
            expect(said).to_have_text("1: 2 of 3")
            expect(page.locator("#notice")).to_be_visible()
            page.reload()
            expect(texts(page)).to_have_text(["3", "1", "2"])


def test_a_new_one_is_seen_among_many(chromium: Browser, service: Child, assistant: Assistant) -> None:
    """Wrong at 30126ee: with more than 20 undated to-dos, a new one was not on the page."""
    add(assistant, *(f"{number}" for number in range(30)), tags=["home"])
    with window(chromium, service, assistant) as context:
        page = opened(context, "/list?tag=home")
        assistant.add("by the assistant", tags=["home"])
        expect(texts(page).first).to_have_text("by the assistant")
        page.goto("/list")
        page.fill("#todo", "by the person")
        page.keyboard.press("Enter")
        expect(texts(page).first).to_have_text("by the person")


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


class TestOnPaper:
    def test_forty_to_dos_are_one_page(
        self, chromium: Browser, service: Child, assistant: Assistant, tmp_path: Path
    ) -> None:
        add(assistant, *(f"Dated {number}" for number in range(20)), due=DAY, tags=["home"])
        add(assistant, *(f"Something to do without a date, number {number}" for number in range(20)), priority="high")
        assistant.call("PATCH", "/1", notes="A note", steps=["Eggs", "Bread"])
        with window(chromium, service, assistant) as context:
            page = opened(context)
            assert pages_of(page.pdf(path=tmp_path / "list.pdf", format="A4")) == 1
            page.emulate_media(media="print")
            expect(page.locator(".todo:visible")).to_have_count(40)
            expect(page.locator(".tick:visible").first).to_be_visible()
            for hidden in (".top", "footer", "form", ".side", ".edit", ".grip"):
                assert page.locator(f"{hidden}:visible").count() == 0, hidden

    def test_a_month_is_one_page(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        add(assistant, *(f"Dated {number}" for number in range(20)), due=DAY)
        with window(chromium, service, assistant) as context:
            page = opened(context, "/calendar?month=2199-12")
            assert pages_of(page.pdf(format="A4", landscape=True)) == 1
            assert pages_of(page.pdf(format="A4")) == 1


class TestMonth:
    @pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
    @pytest.mark.parametrize("width", [320, *(pytest.param(width, marks=pytest.mark.slow) for width in (360, 1280))])
    def test_it_fits_and_axe_finds_nothing(
        self, chromium: Browser, service: Child, assistant: Assistant, scheme: str, width: int
    ) -> None:
        for text in HOSTILE:
            assistant.add(text, due=DAY)
        assistant.add("overdue", due="2020-02-03")
        with window(chromium, service, assistant) as context:
            page = opened(context)
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 740})
            for path in ("/calendar?month=2199-12", "/calendar?month=2020-02", f"/calendar?day={DAY}", "/calendar"):
                page.goto(path)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path
                found = Axe().run(page).response["violations"]
                assert not [(path, rule["id"], rule["nodes"][0]["html"]) for rule in found]

    def test_on_a_phone_only_days_with_something(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        add(assistant, "Buy milk", due=DAY)
        with window(chromium, service, assistant) as context:
            page = opened(context, "/calendar?month=2199-12")
            expect(page.locator(".month td:visible")).to_have_count(
                42 if page.locator(".month tr").count() == 7 else 35
            )
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            expect(page.locator(".month td:visible")).to_have_count(1)
            expect(page.get_by_text("Friday 6 December 2199")).to_be_visible()
            page.get_by_role("link", name="Buy milk").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Friday 6 December 2199")
            page.get_by_role("button", name="Complete: Buy milk").click()
            expect(page.locator("#notice")).to_contain_text("You completed “Buy milk”.")
            expect(page.get_by_role("heading", level=1)).to_have_text("Friday 6 December 2199")
            page.get_by_role("link", name="The month").click()
            page.get_by_role("link", name="Previous: November 2199").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("November 2199")
