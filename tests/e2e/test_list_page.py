"""The page of the list in a real browser: nothing typed is lost, the focus stays, and what is new is seen."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.e2e.processes import Child
from tests.e2e.test_pages import PHONE, opened, stop_polling, window
from tests.e2e.visitors import from_new_address
from tests.handlers.test_lists import Assistant
from tests.people import Person

RETRIED = 15_000  # milliseconds: how late what waits is sent again


@pytest.fixture
def context(chromium: Browser, service: Child, assistant: Assistant) -> Iterator[BrowserContext]:
    """A browser in which the person is signed in, and whose network fails where a test makes it."""
    with chromium.new_context(base_url=service.url, viewport={"width": 1280, "height": 800}) as context:
        context.add_cookies([{"name": "session", "value": assistant.http.cookies["session"], "url": service.url}])
        context.set_default_timeout(10_000)
        yield context


def texts(assistant: Assistant, query: str = "?status=all") -> list[str]:
    return sorted(todo["todo"] for todo in assistant.call("GET", query)["todos"])


def add_many(assistant: Assistant, count: int) -> None:
    assistant.call("POST", "/changes", actions=[{"action": "add", "todo": f"Old {n}"} for n in range(count)])


def is_in_view(page: Page, selector: str) -> bool:
    box = page.locator(selector).bounding_box()
    height: int = page.evaluate("innerHeight")
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= height


class TestEdits:
    def test_saving_keeps_what_an_assistant_has_set_meanwhile(
        self, context: BrowserContext, assistant: Assistant
    ) -> None:
        assistant.add("Slides", due="2199-01-01", notes="n")
        page = opened(context, "/list?edit=1")
        page.fill("#edit-todo", "My slides")
        assistant.call("PATCH", "/1", due="2199-12-24", notes="by ChatGPT")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("p.text")).to_have_text("My slides")
        saved = assistant.call("GET", "/1")
        assert (saved["todo"], saved["due"], saved["notes"]) == ("My slides", "2199-12-24", "by ChatGPT")

    @pytest.mark.parametrize(("button", "due"), [("Keep theirs", "2199-12-24"), ("Keep mine", "2199-02-02")])
    def test_a_conflict_is_told_in_the_row_and_asked_about(
        self, context: BrowserContext, assistant: Assistant, button: str, due: str
    ) -> None:
        add_many(assistant, 18)
        assistant.add("Slides", due="2199-01-01")
        assistant.call("POST", "/19/complete")
        page = opened(context, "/list?edit=19")
        page.fill("#edit-due_day", "2199-02-02")
        assistant.call("PATCH", "/19", due="2199-12-24")
        page.get_by_role("button", name="Save").click()
        told = page.locator("#todo-19 #conflict")
        expect(told).to_contain_text("Assistant “ChatGPT” moved this to 24 Dec")
        assert is_in_view(page, "#conflict")
        told.get_by_role("button", name=button).click()
        expect(told).to_have_count(0)
        assert assistant.call("GET", "/19")["due"] == due

    def test_back_returns_to_the_list(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Milk")
        page = opened(context)
        page.get_by_role("link", name="Edit: Milk").click()
        expect(page.locator("#edit-todo")).to_be_focused()
        page.go_back()
        expect(page.locator("p.text")).to_have_text("Milk")
        assert page.url.endswith("/list")

    def test_a_reload_keeps_what_was_typed(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Milk")
        page = opened(context, "/list?edit=1")
        page.fill("#todo", "Half a sent")
        page.fill("#edit-notes", "Oat")
        page.reload()
        expect(page.locator("#todo")).to_have_value("Half a sent")
        expect(page.locator("#edit-notes")).to_have_value("Oat")
        page.get_by_role("link", name="Cancel").click()
        expect(page.locator("#edit-notes")).to_have_count(0)
        page.goto("/list?edit=1")
        expect(page.locator("#edit-notes")).to_have_value("")


class TestNetwork:
    def test_a_lost_answer_does_not_double_the_to_do(self, context: BrowserContext, assistant: Assistant) -> None:
        page = opened(context)
        sent: list[str] = []

        def lose(route: Route) -> None:
            sent.append(route.request.post_data or "")
            if len(sent) == 1:
                route.fetch(max_redirects=0)
                route.abort("connectionreset")
            else:
                route.continue_()

        page.route("**/list", lambda route: lose(route) if route.request.method == "POST" else route.fallback())
        stop_polling(page)
        page.fill("#todo", "Milk")
        page.keyboard.press("Enter")
        expect(page.locator("#outbox")).to_contain_text("Not saved yet")
        expect(page.locator("#todo")).to_have_value("")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#outbox")).to_be_hidden()
        assert len(sent) == 2
        assert texts(assistant) == ["Milk"]
        expect(page.locator("p.text")).to_have_text("Milk")

    def test_offline_the_list_stays_and_all_is_sent_in_order_later(
        self, context: BrowserContext, assistant: Assistant
    ) -> None:
        assistant.add("Milk")
        page = opened(context)
        context.set_offline(True)
        page.get_by_role("button", name="Complete: Milk").click()
        expect(page.locator("#outbox")).to_contain_text("Complete: Milk")
        for text in ("Bread", "Eggs"):
            page.fill("#todo", text)
            page.keyboard.press("Enter")
            expect(page.locator("#outbox")).to_contain_text(text)
        expect(page.locator("p.text")).to_have_text("Milk")
        assert texts(assistant, "") == ["Milk"]
        context.set_offline(False)
        expect(page.locator("#outbox")).to_be_hidden(timeout=RETRIED)
        expect(page.locator("section[aria-labelledby=done] p.text")).to_have_text("Milk")
        assert texts(assistant, "?status=done") == ["Milk"]
        assert texts(assistant, "") == ["Bread", "Eggs"]

    def test_what_waits_outlives_a_reload(self, context: BrowserContext, assistant: Assistant) -> None:
        page = opened(context)
        page.route("**/list", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
        page.fill("#todo", "Milk")
        page.keyboard.press("Enter")
        expect(page.locator("#outbox")).to_contain_text("Milk")
        page.unroute_all()
        page.reload()
        expect(page.locator("p.text")).to_have_text("Milk", timeout=RETRIED)
        assert texts(assistant) == ["Milk"]

    def test_what_waits_is_never_sent_as_somebody_else(
        self, context: BrowserContext, service: Child, assistant: Assistant
    ) -> None:
        page = opened(context)
        page.route("**/list", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
        stop_polling(page)
        page.fill("#todo", "Mine alone")
        page.keyboard.press("Enter")
        expect(page.locator("#outbox")).to_contain_text("Mine alone")
        with httpx.Client(base_url=service.url, headers=from_new_address(), trust_env=False) as client:
            other = Person(client, f"{assistant.username}-other")
            assert other.sign_up().status_code == 303
            context.clear_cookies()
            context.add_cookies([{"name": "session", "value": client.cookies["session"], "url": service.url}])
            page.unroute("**/list")
            page.get_by_role("button", name="Try again").click()
            expect(page.locator("#outbox")).to_be_hidden(timeout=RETRIED)
            page.wait_for_timeout(500)
            assert "Mine alone" not in client.get("/list").text
            assert texts(assistant) == []

    def test_a_refusal_while_the_next_is_typed_is_kept(self, context: BrowserContext, assistant: Assistant) -> None:
        page = opened(context)
        page.evaluate("document.querySelector('#due_time').value = '18:00'")  # a time without a day is refused
        held: list[Route] = []
        page.route("**/list", lambda route: held.append(route))
        page.fill("#todo", "Refused")
        with page.expect_request(lambda request: request.method == "POST"):
            page.keyboard.press("Enter")
        page.fill("#todo", "The next")
        for route in held:
            route.continue_()
        expect(page.locator("#outbox")).to_contain_text("needs a day")
        expect(page.locator("#outbox")).to_contain_text("Refused")
        expect(page.locator("#todo")).to_have_value("The next")
        page.get_by_role("button", name="Discard").click()
        expect(page.locator("#outbox")).to_be_hidden()
        assert texts(assistant) == []


class TestPlaces:
    def test_a_new_one_is_seen_although_there_are_many(self, context: BrowserContext, assistant: Assistant) -> None:
        add_many(assistant, 30)
        for path in ("/list", "/list?tag=home"):
            page = opened(context, path)
            page.fill("#todo", f"New at {path}")
            page.keyboard.press("Enter")
            added = page.locator("p.text", has_text=f"New at {path}")
            expect(added).to_be_visible()
            assert is_in_view(page, f"li:has-text('New at {path}')")

    def test_undo_is_in_view_after_a_tick_further_down_and_the_focus_goes_on(
        self, context: BrowserContext, assistant: Assistant
    ) -> None:
        add_many(assistant, 20)
        page = opened(context)
        tick = page.locator("section[aria-labelledby=undated] .tick").nth(15)
        following = page.locator("section[aria-labelledby=undated] .tick").nth(16).get_attribute("id")
        tick.focus()
        page.keyboard.press("Space")
        expect(page.locator("#notice")).to_contain_text("You completed")
        assert is_in_view(page, "#undo-notice")
        expect(page.locator(f"#{following}")).to_be_focused()
        assert is_in_view(page, f"#{following}")
        page.keyboard.press("z")
        expect(page.locator("section[aria-labelledby=undated] .count")).to_have_text("20")

    def test_more_begins_at_the_top_and_there_is_a_way_back(
        self, context: BrowserContext, assistant: Assistant
    ) -> None:
        add_many(assistant, 80)
        page = opened(context, "/list?section=undated")
        page.get_by_role("link", name="More").click()
        expect(page.locator("p.text")).to_have_count(30)
        assert is_in_view(page, "#undated")
        page.go_back()
        expect(page.locator("p.text")).to_have_count(50)
        page.get_by_role("link", name="More").click()
        page.get_by_role("link", name="From the start").click()
        expect(page.locator("p.text")).to_have_count(50)

    def test_arrivals_move_nothing_and_are_marked(self, context: BrowserContext, assistant: Assistant) -> None:
        add_many(assistant, 25)
        page = opened(context)
        row = page.locator("section[aria-labelledby=undated] li").nth(12)
        row.scroll_into_view_if_needed()
        row.hover()
        page.locator("#tick-" + (row.get_attribute("id") or "").removeprefix("todo-")).focus()
        row = page.locator(f"#{row.get_attribute('id')}")
        before = row.bounding_box()
        focused = page.evaluate("document.activeElement.id")
        actions = [{"action": "add", "todo": f"Soon {n}", "due": "2020-01-01"} for n in range(8)]
        assistant.call("POST", "/changes", actions=actions)
        expect(page.locator("section[aria-labelledby=overdue] .new")).to_have_count(8)
        expect(page.locator("section[aria-labelledby=overdue] .new").first).to_have_text("“ChatGPT”, just now")
        after = row.bounding_box()
        assert before
        assert after
        assert abs(after["y"] - before["y"]) < 2
        assert page.evaluate("document.activeElement.id") == focused

    def test_the_notice_goes_away_by_itself(self, context: BrowserContext) -> None:
        page = opened(context)
        page.clock.install()
        page.fill("#todo", "Milk")
        page.keyboard.press("Enter")
        expect(page.locator("#notice")).to_be_visible()
        page.clock.run_for(8_500)
        expect(page.locator("#notice")).to_be_hidden()


class TestActions:
    def test_by_pointer(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Milk", due="2020-01-01")
        page = opened(context)
        page.locator("#todo-1").hover()
        page.get_by_role("button", name="Tomorrow").click()
        expect(page.locator("section[aria-labelledby=upcoming] p.text")).to_have_text("Milk")
        page.locator("#todo-1").hover()
        page.get_by_label("Priority").last.select_option("high")
        expect(page.locator("#todo-1 .priority-high")).to_be_attached()
        page.locator("#todo-1").hover()
        page.locator("#todo-1").get_by_role("button", name="Delete").click()
        expect(page.locator("p.text")).to_have_count(0)

    def test_a_date_and_a_tag_are_typed(self, context: BrowserContext, assistant: Assistant) -> None:
        """By Enter or on leaving the field, and not after each digit of the year."""
        assistant.add("Milk", due="2020-01-01")
        page = opened(context)
        press = page.keyboard.press
        press("j")
        page.locator("#change [name=day]").focus()
        page.keyboard.type("12242199")
        assert assistant.call("GET", "/1")["due"] == "2020-01-01"
        press("Enter")
        expect(page.locator("#in-upcoming p.text")).to_have_text("Milk")
        assert assistant.call("GET", "/1")["due"] == "2199-12-24"
        press("j")
        press("x")
        page.get_by_label("Add a tag").fill("home")
        press("Enter")
        expect(page.locator("#todo-1")).to_contain_text("#home")
        assert assistant.call("GET", "/1")["status"] == "open"

    def test_by_touch(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        assistant.add("Milk", due="2020-01-01")
        with chromium.new_context(base_url=service.url, viewport=PHONE, has_touch=True, is_mobile=True) as context:  # type: ignore[arg-type]
            context.add_cookies([{"name": "session", "value": assistant.http.cookies["session"], "url": service.url}])
            page = opened(context)
            page.locator("#todo-1 .text").tap()
            page.get_by_role("button", name="Tomorrow").tap()
            expect(page.locator("section[aria-labelledby=upcoming] p.text")).to_have_text("Milk")

    def test_by_keys(self, context: BrowserContext, assistant: Assistant) -> None:
        for text in "ABC":
            assistant.add(text, due="2020-01-01")
        page = opened(context)
        press = page.keyboard.press
        press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        press("Escape")
        for key in ("j", "x", "j", "x"):
            press(key)
        expect(page.locator(".selected")).to_have_text("2 selected")
        press("#")
        expect(page.locator("p.text")).to_have_count(1)
        expect(page.locator("#notice")).to_contain_text("You deleted 2 to-dos.")
        press("z")
        expect(page.locator("p.text")).to_have_count(3)
        press("q")
        expect(page.locator("#todo")).to_be_focused()
        press("Escape")
        press("/")
        expect(page.locator("#q")).to_be_focused()
        press("Escape")
        press("j")
        press("c")
        expect(page.locator("section[aria-labelledby=done] p.text")).to_have_count(1)
        press("e")
        expect(page.locator("#edit-todo")).to_be_focused()
        press("Escape")
        expect(page.locator("#edit-todo")).to_have_count(0)

    def test_several_are_changed_at_once(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("In it", list="Shopping", create_list=True)
        for text in "AB":
            assistant.add(text, due="2020-01-01")
        page = opened(context)
        for number in (2, 3):
            page.locator(f"#todo-{number} .text").click(modifiers=["Shift"], position={"x": 5, "y": 5})
        page.get_by_label("Move to").select_option("Shopping")
        expect(page.locator("#notice")).to_contain_text("2 to-dos")
        assert [assistant.call("GET", f"/{number}")["list"] for number in (2, 3)] == ["Shopping", "Shopping"]
        assert assistant.call("GET", "/changes")["changes"][0]["id"] == 4


@pytest.mark.parametrize(("size", "rows"), [((360, 740), 7), ((1280, 800), 10)])
def test_the_first_screen_is_the_list(
    context: BrowserContext, assistant: Assistant, size: tuple[int, int], rows: int
) -> None:
    for number in range(6):
        assistant.add(f"Soon {number}", due="2020-01-01", tags=["home"])
        assistant.add(f"Later {number}", notes="And more about it")
    page = opened(context)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_timeout(100)
    boxes = [box for row in page.locator("li.todo").all() if (box := row.bounding_box())]
    assert all(44 <= box["height"] <= 52 for box in boxes)
    assert sum(box["y"] + box["height"] <= size[1] for box in boxes) >= rows


def test_window_notes_nothing_on_the_page(chromium: Browser, service: Child, assistant: Assistant) -> None:
    with window(chromium, service, assistant) as context:
        page = opened(context)
        page.fill("#todo", "Milk")
        page.keyboard.press("Enter")
        expect(page.locator("p.text")).to_have_text("Milk")
