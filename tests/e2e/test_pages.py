"""The pages in a real browser: by keyboard alone, without script, in two windows, and while an assistant writes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.processes import Child
from tests.handlers.test_lists import HOSTILE, Assistant
from tests.hosts import NEWER, OLDER, done
from tests.people import PASSWORD, Client, Person, bearer

SOON = 2_000  # milliseconds: how late an open page may ask what an assistant did
WIDTHS = (320, 360, 1280)
PHONE = {"width": 360, "height": 740}
PAGES = {"document", "fetch"}  # which may refuse something: tests look at what they say
NOT_LOADED = "Failed to load resource"  # what a browser says of any status from 400 on


@contextmanager
def window(chromium: Browser, service: Child, assistant: Assistant, *, script: bool = True) -> Iterator[BrowserContext]:
    """Yields a browser in which the person is signed in. Raises AssertionError at its end if a page had a problem."""
    with chromium.new_context(
        java_script_enabled=script, base_url=service.url, viewport={"width": 1280, "height": 800}
    ) as context:
        context.add_cookies([{"name": "session", "value": assistant.http.cookies["session"], "url": service.url}])
        context.set_default_timeout(10_000)
        problems = watch(context, f"{service.url}/")
        yield context
    assert not problems


def stop_polling(page: Page) -> None:
    """Keeps the page from hearing of changes, and from trying again what could not be sent, before a test does."""
    page.route("**/live", lambda route: route.abort("aborted"))  # which `watch` does not take for a failure


def watch(context: BrowserContext, home: str) -> list[str]:
    """Returns the list to which each failed script, failed resource and request beyond `home` will be added."""
    problems: list[str] = []

    def note(text: str, *, is_problem: bool = True) -> None:
        if is_problem:
            problems.append(text)

    context.on("weberror", lambda error: note(str(error.error)))
    context.on("console", lambda said: note(said.text, is_problem=said.type == "error" and NOT_LOADED not in said.text))
    context.on("request", lambda request: note(request.url, is_problem=not request.url.startswith(home)))
    # A page that is left while its icon loads has not failed.
    context.on("requestfailed", lambda request: note(request.url, is_problem=request.failure != "net::ERR_ABORTED"))
    context.on(
        "response",
        lambda answer: note(answer.url, is_problem=answer.status >= 400 and answer.request.resource_type not in PAGES),
    )
    return problems


def opened(context: BrowserContext, path: str = "/list") -> Page:
    page = context.new_page()
    page.goto(path)
    return page


def tab_to(page: Page, name: str) -> None:
    """Presses Tab until what has the focus is called so. Raises AssertionError when it never is."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { const e = document.activeElement;"
            " return e.ariaLabel || e.labels?.[0]?.textContent.trim() || e.textContent.trim() }"
        )
        if focused == name:
            return
    raise AssertionError(f"Tab never came to {name}")


class TestByKeyboardAlone:
    def test_the_whole_way(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        with window(chromium, service, assistant) as context:
            page = opened(context)
            press = page.keyboard.press
            tab_to(page, "Add a to-do")
            page.keyboard.type("Buy milk")
            press("Enter")
            expect(page.locator("#notice")).to_contain_text("You added “Buy milk”.")
            expect(page.locator("#todo")).to_be_focused()  # so that one can add the next
            tab_to(page, "Edit: Buy milk")
            press("Enter")
            expect(page.locator("#edit-todo")).to_be_focused()
            press("End")
            page.keyboard.type(" and bread")
            press("Enter")
            expect(page.locator(".text")).to_have_text("Buy milk and bread")
            expect(page.locator("#todo-1")).to_be_focused()
            tab_to(page, "Complete: Buy milk and bread")
            press("Space")
            expect(page.locator("section[aria-labelledby=done] .text")).to_have_text("Buy milk and bread")
            tab_to(page, "Undo")
            press("Enter")
            expect(page.locator("section[aria-labelledby=undated] .text")).to_have_text("Buy milk and bread")
            tab_to(page, "Edit: Buy milk and bread")
            press("Enter")
            expect(page.locator("#edit-todo")).to_be_focused()
            tab_to(page, "Delete")
            press("Enter")
            expect(page.locator("#notice")).to_contain_text("You deleted")  # what is edited shows no text before that
            expect(page.locator(".text")).to_have_count(0)
            page.goto("/trash")
            tab_to(page, "Restore: Buy milk and bread")
            press("Enter")
            expect(page.locator("#notice")).to_contain_text("You restored")
            page.goto("/history")
            tab_to(page, "Undo change 1: added “Buy milk”")
            press("Enter")
            expect(page.get_by_role("heading", level=1)).to_have_text("Something has changed since")
            page.goto("/list?q=bread")
            press("/")
            press("Enter")
            expect(page.locator(".text")).to_have_text("Buy milk and bread")


class TestWithoutScript:
    def test_the_whole_way(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        with window(chromium, service, assistant, script=False) as context:
            page = opened(context)
            page.fill("#todo", "Buy milk")
            page.locator("#more summary").click()
            page.fill("#due_day", "2199-11-27")
            page.fill("#tags", "home")
            page.get_by_role("button", name="Add").click()
            expect(page.locator("#notice")).to_contain_text("You added “Buy milk”.")
            page.get_by_role("link", name="Edit: Buy milk").click()
            page.fill("#edit-todo", "Buy oat milk")
            page.get_by_role("button", name="Save").click()
            page.get_by_role("button", name="Complete: Buy oat milk").click()
            expect(page.locator("section[aria-labelledby=done] .text")).to_have_text("Buy oat milk")
            page.get_by_role("button", name="Undo").click()
            page.get_by_role("link", name="#home").click()
            page.get_by_role("link", name="Edit: Buy oat milk").click()
            page.get_by_role("button", name="Delete").click()
            page.get_by_role("link", name="Trash").click()
            page.get_by_role("button", name="Restore: Buy oat milk").click()
            assistant.add("By ChatGPT")
            page.get_by_role("link", name="History").click()
            page.get_by_text("Undo many changes at once").click()
            page.select_option("#undo-who", value="assistant:ChatGPT")
            page.get_by_role("button", name="Preview").click()
            expect(page.locator("main")).to_contain_text("Service key, calls itself “ChatGPT”: 1 change")
            page.get_by_role("button", name="Undo it").click()
            expect(page.locator("#notice")).to_contain_text("You undid 1 change.")
            page.get_by_role("link", name="List", exact=True).click()
            expect(page.locator(".text")).to_have_text(["Buy oat milk"])
            page.get_by_role("link", name="Edit: Buy oat milk").click()
            page.get_by_role("button", name="Create a link").click()
            page.get_by_role("link", name="shared").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Buy oat milk")

    def test_the_files(self, chromium: Browser, service: Child, assistant: Assistant, tmp_path: Path) -> None:
        assistant.add("=1+1", tags=["a", "b"])
        with window(chromium, service, assistant, script=False) as context:
            page = opened(context, "/account")
            with page.expect_download() as download:
                page.get_by_role("link", name="Download the to-dos as CSV").click()
            download.value.save_as(tmp_path / "todo.csv")
            assert "'=1+1" in (tmp_path / "todo.csv").read_text(encoding="utf-8-sig")
            page.set_input_files("#file", tmp_path / "todo.csv")
            page.get_by_role("button", name="Import").click()
            expect(page.locator("#notice")).to_contain_text("You imported 1 to-do.")
            expect(page.locator(".text")).to_have_text(["=1+1", "=1+1"])


class TestListsAndSteps:
    @pytest.mark.parametrize("script", [True, False])
    def test_the_whole_way_on_a_phone(
        self, chromium: Browser, service: Child, assistant: Assistant, script: bool
    ) -> None:
        assistant.add("Tax")
        with window(chromium, service, assistant, script=script) as context:
            page = opened(context)
            page.set_viewport_size(PHONE)
            drawer, lists = page.locator("#lists"), page.get_by_role("button", name="Lists")
            expect(drawer).to_be_hidden()
            lists.click()
            page.get_by_label("New list", exact=True).fill("Shopping")
            page.get_by_role("button", name="Create", exact=True).click()
            expect(page.locator("#notice")).to_contain_text("You created the list “Shopping”.")
            expect(page.get_by_role("heading", level=1)).to_have_text("Shopping")
            expect(drawer).to_be_hidden()
            page.locator("#more summary").click()
            page.fill("#todo", "Buy food")
            page.fill("#steps", "Eggs\nBread")
            page.get_by_role("button", name="Add").click()
            expect(page.locator("p.text")).to_have_text("Buy food")
            for step in ("Eggs", "Bread"):
                open_steps(page, 2)
                page.get_by_role("button", name=f"Check: {step}").click()
                expect(page.get_by_role("button", name=f"Uncheck: {step}")).to_be_visible()
            assert [step["done"] for step in assistant.call("GET", "/2")["steps"]] == [True, True]
            lists.click()
            page.get_by_text("Change this list").click()
            page.get_by_label("Name of the list").fill("Groceries")
            page.get_by_role("button", name="Rename").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Groceries")
            lists.click()
            page.get_by_role("link", name="All").click()
            expect(page.locator("p.text")).to_have_text(["Buy food", "Tax"])
            expect(drawer).to_be_hidden()
            page.get_by_role("link", name="in the list Groceries").click()
            expect(page.locator("p.text")).to_have_text("Buy food")
            lists.click()
            page.locator("#change-list summary").click()
            page.get_by_label("Its to-dos go to").select_option("Inbox")
            page.get_by_role("button", name="Delete the list").click()
            expect(page.locator("p.text")).to_have_text(["Buy food", "Tax"])
            assert assistant.call("GET", "/2")["list"] == "Inbox"

    @pytest.mark.parametrize("script", [True, False])
    def test_the_drawer_by_keyboard_alone(
        self, chromium: Browser, service: Child, assistant: Assistant, script: bool
    ) -> None:
        assistant.add("Milk", list="Shopping", create_list=True)
        with window(chromium, service, assistant, script=script) as context:
            page = opened(context)
            page.set_viewport_size(PHONE)
            press = page.keyboard.press
            tab_to(page, "Lists")
            press("Enter")
            expect(page.locator("#lists")).to_be_visible()
            tab_to(page, "New list")  # which is in it
            press("Escape")
            expect(page.locator("#lists")).to_be_hidden()
            expect(page.get_by_role("button", name="Lists")).to_be_focused()
            press("Space")
            tab_to(page, "Shopping 1 open")
            press("Enter")
            expect(page.get_by_role("heading", level=1)).to_have_text("Shopping")

    def test_a_side_bar_where_there_is_room(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        assistant.add("Milk", list="Shopping", create_list=True, steps=["Eggs", "Bread"])
        with window(chromium, service, assistant) as context:
            page = opened(context)
            expect(page.get_by_role("button", name="Lists")).to_be_hidden()
            tab_to(page, "Shopping 1 open")
            press = page.keyboard.press
            press("Enter")
            expect(page.get_by_role("heading", level=1)).to_have_text("Shopping")
            tab_to(page, "☑ 0/2 steps done: Milk")
            press("Enter")
            tab_to(page, "Check: Bread")
            press("Space")
            expect(page.get_by_role("button", name="Uncheck: Bread")).to_be_focused()  # so that one can go on

    def test_a_drawer_that_is_open_stays_so(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        with window(chromium, service, assistant) as context:
            page = opened(context)
            page.set_viewport_size(PHONE)
            page.get_by_role("button", name="Lists").click()
            assistant.add("Milk")
            expect(page.locator("p.text")).to_have_text("Milk")
            expect(page.locator("#lists")).to_be_visible()

    def test_everything_is_large_enough_to_hit(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        """At least 24 pixels high and wide (WCAG 2.2, 2.5.8), and 44 where one taps (2.5.5)."""
        assistant.add("Milk", list="Shopping", create_list=True, steps=["Eggs"])
        with chromium.new_context(base_url=service.url, viewport=PHONE, has_touch=True, is_mobile=True) as phone:  # type: ignore[arg-type]
            phone.add_cookies([{"name": "session", "value": assistant.http.cookies["session"], "url": service.url}])
            page = opened(phone, "/list?list=Shopping")
            open_steps(page, 1)
            page.get_by_role("button", name="Lists").tap()
            page.get_by_text("Change this list").tap()
            assert smallest(page, "#lists a, #lists button, #lists summary, #lists input, .steps button, .opener") >= 44
        with window(chromium, service, assistant) as context:
            page = opened(context, "/list?list=Shopping")
            open_steps(page, 1)
            page.get_by_text("Change this list").click()
            assert smallest(page, "#lists a, #lists button:not(.opener button), #lists summary, .steps button") >= 24


def open_steps(page: Page, todo_id: int) -> None:
    page.evaluate(f"document.getElementById('steps-{todo_id}').open = true")


def smallest(page: Page, selector: str) -> float:
    """Returns the smallest height or width of what a selector finds, in pixels."""
    boxes = [found.bounding_box() for found in page.locator(selector).all()]
    return min(side for box in boxes if box for side in (box["width"], box["height"]))


class TestSignedOutWhileTyping:
    @pytest.mark.parametrize("script", [True, False])
    @pytest.mark.parametrize("form", ["add", "edit"])
    def test_what_was_typed_is_still_there_after_sign_in(
        self, chromium: Browser, service: Child, assistant: Assistant, script: bool, form: str
    ) -> None:
        assistant.add("Buy bread")
        path, field, button = {"add": ("/list", "#todo", "Add"), "edit": ("/list?edit=1", "#edit-todo", "Save")}[form]
        with window(chromium, service, assistant, script=script) as context:
            page = opened(context, path)
            page.fill(field, "Buy milk")
            Person(assistant.http, assistant.username).send("/sign-out")
            if script:
                expect(page.locator("#outbox")).to_contain_text("You have been signed out")
            expect(page.locator(field)).to_have_value("Buy milk")
            page.get_by_role("button", name=button, exact=True).click()
            if script:
                expect(page.locator("#outbox")).to_contain_text("Not saved yet")
                page.get_by_role("link", name="Sign in").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
            page.fill("#username", assistant.username)
            page.fill("#password", PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            if not script:
                expect(page.locator(field)).to_have_value("Buy milk")
                assert [todo["todo"] for todo in assistant.call("GET")["todos"]] == ["Buy bread"]
                page.get_by_role("button", name=button, exact=True).click()
            expect(page.locator("#notice")).to_contain_text("“Buy milk”")
            assert "Buy milk" in [todo["todo"] for todo in assistant.call("GET")["todos"]]


@pytest.fixture
def chatgpt(service: Child, assistant: Assistant) -> Iterator[httpx.Client]:
    """ChatGPT over MCP, which the person has connected."""
    client = Client.registered(assistant.http, client_name="ChatGPT")
    tokens = client.connect(Person(assistant.http, assistant.username))
    with httpx.Client(base_url=service.url, trust_env=False, headers=bearer(tokens["access_token"])) as http:
        yield http


class TestWhileAnAssistantWrites:
    @pytest.mark.parametrize("era", [OLDER, NEWER])
    def test_two_pages_follow_and_undo_at_once(
        self, chromium: Browser, service: Child, assistant: Assistant, chatgpt: httpx.Client, era: str
    ) -> None:
        with window(chromium, service, assistant) as one, window(chromium, service, assistant) as other:
            listed, told = opened(one), opened(other, "/history")
            todo_id = done(chatgpt, "add_todo", era, todo="Buy milk")["id"]
            expect(listed.locator(".text")).to_have_text("Buy milk")
            expect(told.locator(".told")).to_have_text("added “Buy milk”")
            done(chatgpt, "complete_todo", era, todo_id=todo_id)
            expect(listed.locator("section[aria-labelledby=done] .text")).to_have_text("Buy milk")
            expect(told.locator(".told").first).to_have_text("completed “Buy milk”")
            # Both press the button before either learns of the other.
            again = opened(one, "/history")
            stop_polling(told)
            again.locator("#undo-2").click(no_wait_after=True)
            told.locator("#undo-2").click(no_wait_after=True)
            expect(listed.locator("section[aria-labelledby=undated] .text")).to_have_text("Buy milk")
            changes = done(chatgpt, "list_changes", era)["changes"]
            assert [change.get("undoes") for change in changes] == [2, None, None]
            assert [(change["actor"], change.get("client")) for change in changes[1:]] == [("assistant", "ChatGPT")] * 2

    def test_a_page_soon_asks_what_has_changed(self, chromium: Browser, service: Child, assistant: Assistant) -> None:
        with window(chromium, service, assistant) as context:
            page = context.new_page()
            page.clock.install(time=0)
            page.clock.pause_at(1)  # from here on it is the page's own time, however slow the machine is
            page.goto("/list")
            with page.expect_request("**/live"):
                page.clock.run_for(SOON)

    def test_what_somebody_types_is_not_taken_away(
        self, chromium: Browser, service: Child, assistant: Assistant
    ) -> None:
        with window(chromium, service, assistant) as context:
            page = opened(context)
            page.fill("#todo", "Half a sent")
            assistant.add("Buy milk")
            expect(page.locator(".text")).to_have_text("Buy milk")
            expect(page.locator("#todo")).to_have_value("Half a sent")
            expect(page.locator("#todo")).to_be_focused()

    def test_a_page_of_who_signs_out_elsewhere_goes_to_sign_in(
        self, chromium: Browser, service: Child, assistant: Assistant
    ) -> None:
        with window(chromium, service, assistant) as context:
            page, account = opened(context), opened(context, "/account")
            account.get_by_role("button", name="Sign out").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
            page.fill("#password", PASSWORD)


class TestLayout:
    @pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
    def test_hostile_text_is_text_and_breaks_nothing(
        self, chromium: Browser, service: Child, assistant: Assistant, tmp_path: Path, scheme: str
    ) -> None:
        for text in HOSTILE:
            fields = {"notes": text, "tags": [text[:50]], "steps": [text[:200]], "due": "2199-01-01"}
            assistant.add(text, **fields, list=text[:50].replace("/", "-"), create_list=True)
        assistant.call("PATCH", "/1", todo=HOSTILE[-2], notes=HOSTILE[0])
        shared = assistant.call("POST", "/5/share")["url"].removeprefix(service.url)
        assistant.call("DELETE", "/6")
        with window(chromium, service, assistant) as context:
            page = opened(context)
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.on("dialog", lambda _: pytest.fail("a script of a to-do ran"))
            for path in ("/list", "/list?edit=5", "/list?changed=1", "/history", "/trash", shared, "/account"):
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": 800})
                    page.goto(path)
                    file = tmp_path / f"{re.sub('[^a-z]', '', path)}-{width}-{scheme}.png"
                    assert page.screenshot(path=file, full_page=True)
                    assert page.evaluate("document.documentElement.scrollWidth") <= width, file
            page.goto("/list")
            assert HOSTILE[0] not in page.content()
            expect(page.locator(".text").first).to_contain_text("WWW")


def test_pages_ask_no_other_host(chromium: Browser, service: Child, assistant: Assistant) -> None:
    with window(chromium, service, assistant) as context:
        page = context.new_page()
        for path in ("/", "/list", "/history", "/trash", "/account", "/legal", "/errors"):
            with page.expect_request("**/site.css"):
                page.goto(path)


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ("<script>throw new Error('broken')</script>", "broken"),
        ("<script>console.error('wrong')</script>", "wrong"),
        ("<img src='/missing.png'>", "/missing.png"),
        ("<img src='http://127.0.0.1:9/elsewhere.png'>", "elsewhere.png"),
    ],
)
def test_watch_notes_problems(chromium: Browser, service: Child, page: str, problem: str) -> None:
    with chromium.new_context(base_url=service.url) as context:
        problems = watch(context, f"{service.url}/")
        context.route("**/list", lambda route: route.fulfill(body=page, content_type="text/html"))
        opened(context)
    assert any(problem in noted for noted in problems), problems
