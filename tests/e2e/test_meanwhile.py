"""What happens elsewhere while somebody types: nothing that is typed goes away, and nothing moves under a hand."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.processes import wait_until
from tests.e2e.test_list_page import RETRIED, add_many, context, texts
from tests.e2e.test_pages import opened
from tests.handlers.test_lists import Assistant
from tests.people import PASSWORD, Person

__all__ = ["context"]  # the fixture


def seen(page: Page, assistant: Assistant) -> None:
    """Returns when the page shows what an assistant has done until now."""
    assistant.add("A mark", due="2000-01-01")
    expect(page.locator("p.text", has_text="A mark")).to_be_visible(timeout=RETRIED)


def leave_after_it_is_deleted(page: Page, assistant: Assistant) -> None:
    """Stays in a field of the first to-do's form while that is deleted, and expects the form to go once it is left."""
    page.focus("#edit-notes")
    assistant.call("DELETE", "/1")
    seen(page, assistant)
    expect(page.locator("#edit-notes")).to_be_focused()
    page.evaluate("document.activeElement.blur()")
    expect(page.locator("#edit-notes")).to_have_count(0, timeout=RETRIED)


class TestEditing:
    def test_a_to_do_that_is_deleted(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Milk")
        assistant.add("Bread")
        page = opened(context, "/list?edit=1")
        page.fill("#edit-notes", "Oat, if there is any")
        assistant.call("DELETE", "/1")
        seen(page, assistant)
        expect(page.locator("#edit-notes")).to_have_value("Oat, if there is any")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".refused")).to_be_visible()
        assistant.add("Eggs")
        expect(page.locator("p.text", has_text="Eggs")).to_be_visible(timeout=RETRIED)
        expect(page.locator(".refused")).to_be_visible()
        expect(page.locator("#notes")).to_have_value("Oat, if there is any")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator("p.text", has_text="Milk")).to_be_visible()
        assert "Milk" in texts(assistant, "")

    def test_a_form_that_somebody_leaves_as_it_was_follows(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Milk")
        page = opened(context, "/list?edit=1")
        leave_after_it_is_deleted(page, assistant)

    def test_a_form_that_somebody_leaves_follows_while_another_holds_text(
        self, context: BrowserContext, assistant: Assistant
    ) -> None:
        assistant.add("Milk")
        page = opened(context, "/list?edit=1")
        page.fill("#todo", "Half a sent")
        leave_after_it_is_deleted(page, assistant)
        expect(page.locator("#todo")).to_have_value("Half a sent")

    def test_a_refused_text_comes_to_a_field_that_was_cleared(
        self, context: BrowserContext, assistant: Assistant
    ) -> None:
        assistant.add("Milk")
        page = opened(context, "/list?edit=1")
        for text in ("Bread", ""):
            page.fill("#todo", text)
        page.fill("#edit-todo", "Oat milk")
        assistant.call("DELETE", "/1")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".refused")).to_be_visible()
        expect(page.locator("#todo")).to_have_value("Oat milk")

    def test_the_last_one_that_is_deleted(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Milk")
        page = opened(context, "/list?edit=1")
        page.fill("#edit-todo", "Oat milk")
        assistant.call("DELETE", "/1")
        seen(page, assistant)
        expect(page.locator("#edit-todo")).to_have_value("Oat milk")
        expect(page.locator("#edit-todo")).to_be_focused()

    def test_a_to_do_that_goes_to_another_section(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Milk")
        page = opened(context, "/list?edit=1")
        page.fill("#edit-todo", "Oat milk")
        page.keyboard.press("ArrowLeft")
        assistant.call("PATCH", "/1", due="2199-12-24")
        seen(page, assistant)
        expect(page.locator("section[aria-labelledby=upcoming] #edit-todo")).to_have_value("Oat milk")
        expect(page.locator("#edit-todo")).to_have_count(1)
        expect(page.locator("#edit-todo")).to_be_focused()
        page.keyboard.type("y")
        page.keyboard.press("Enter")
        expect(page.locator("p.text", has_text="Oat milyk")).to_be_visible()
        assert assistant.call("GET", "/1")["due"] == "2199-12-24"

    def test_the_focus_stays_in_its_field(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Milk")
        page = opened(context, "/list?edit=1")
        page.fill("#edit-notes", "Oat")
        for _ in range(2):
            seen(page, assistant)
            expect(page.locator("#edit-notes")).to_be_focused()
            assistant.call("DELETE", f"/{assistant.call('GET')['todos'][0]['id']}")

    def test_a_list_that_is_deleted(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Milk", list="Shopping", create_list=True)
        page = opened(context, "/list?list=Shopping")
        page.fill("#todo", "Half a sent")
        other = opened(context, "/list?list=Shopping")
        other.get_by_text("Change this list").click()
        other.get_by_role("button", name="Delete the list").click()
        expect(other.locator("#notice")).to_contain_text("deleted 1 list")
        seen(page, assistant)
        expect(page.locator("#todo")).to_have_value("Half a sent")
        page.keyboard.type("ence")
        page.keyboard.press("Enter")
        expect(page.locator("#notice, .refused, #outbox").first).to_be_visible()
        if "Half a sentence" not in texts(assistant, ""):
            expect(page.locator("#todo")).to_have_value("Half a sentence")

    def test_a_reload_after_a_question(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Milk")
        page = opened(context, "/list?edit=1")
        page.fill("#edit-todo", "Oat milk")
        assistant.call("PATCH", "/1", todo="Cow's milk")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#conflict")).to_be_visible()
        page.reload()
        expect(page.locator("#edit-todo")).to_have_value("Oat milk")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("p.text")).to_have_text("Oat milk")


# A person at each tab who is faster than any: in turns, so that neither page waits for the other.
ADD_TWENTY = """name => {
    window.added = 0;
    const field = document.querySelector("#todo");
    const timer = setInterval(() => {
        field.value = `${name}${window.added++}`;
        field.form.requestSubmit();
        if (window.added === 20) clearInterval(timer);
    }, 3);
}"""


# A service that takes longer to answer a form than the page takes to look for changes.
SLOW_FORMS = """
const fetchNow = window.fetch;
window.fetch = async (address, options) => {
    const answer = await fetchNow(address, options);
    if (options?.method === "POST") await new Promise((resolve) => setTimeout(resolve, 2500));
    return answer;
};
"""


class TestSlowForms:
    def test_what_was_done_is_told(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Milk")
        context.add_init_script(SLOW_FORMS)
        page = opened(context, "/list?edit=1")
        page.get_by_role("button", name="Delete", exact=True).click()
        expect(page.locator("#notice")).to_contain_text("You deleted", timeout=RETRIED)
        page.keyboard.press("z")
        expect(page.locator("p.text")).to_have_text("Milk", timeout=RETRIED)
        expect(page.locator("#conflict")).to_have_count(0)

    def test_each_of_two_at_once_is_shown_and_can_be_undone(
        self, context: BrowserContext, assistant: Assistant
    ) -> None:
        for text in ("Milk", "Bread", "Eggs"):
            assistant.add(text)
        context.add_init_script(SLOW_FORMS)
        page = opened(context)
        done = page.locator("section[aria-labelledby=done] p.text")
        for text in ("Milk", "Bread"):
            page.get_by_role("button", name=f"Complete: {text}").click()
        expect(done).to_have_count(2, timeout=RETRIED)
        expect(page.locator("#notice")).to_contain_text("“Bread”")
        for left in (1, 0):
            page.keyboard.press("z")
            expect(done).to_have_count(left, timeout=RETRIED)
        assert assistant.call("GET", "?status=open")["total"] == 3


# A service that the first form does not reach, and a page that looks for no changes.
FIRST_FORM_FAILS = """
const fetchNow = window.fetch;
let hasFailed = false;
window.fetch = async (address, options) => {
    if (address === "/live") return new Promise(() => {});
    if (options?.method !== "POST" || hasFailed) return fetchNow(address, options);
    hasFailed = true;
    throw new TypeError("The network has failed.");
};
"""


# A service that no form reaches while `isDown` is set.
FORMS_CAN_FAIL = """
const fetchNow = window.fetch;
window.fetch = async (address, options) => {
    if (options?.method === "POST" && window.isDown) throw new TypeError("The network has failed.");
    return fetchNow(address, options);
};
"""


class TestWhatWaits:
    def test_a_refusal_is_told_although_another_form_was_sent_meanwhile(
        self, context: BrowserContext, assistant: Assistant
    ) -> None:
        assistant.add("Milk")
        context.add_init_script(FIRST_FORM_FAILS)
        page = opened(context, "/list?edit=1")
        page.fill("#edit-todo", "Oat milk")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#outbox")).to_contain_text("Not saved yet")
        assistant.call("PATCH", "/1", todo="Cow's milk")
        page.fill("#todo", "Bread")
        page.keyboard.press("Enter")
        expect(page.locator("#conflict")).to_be_visible()
        expect(page.locator("#edit-todo")).to_have_value("Oat milk")
        page.get_by_role("button", name="Keep mine").click()
        wait_until(lambda: texts(assistant, "") == ["Bread", "Oat milk"], "what was typed is not stored")

    def test_each_refusal_is_told(self, context: BrowserContext, assistant: Assistant) -> None:
        for text in ("Milk", "Bread"):
            assistant.add(text)
        page = opened(context)
        context.set_offline(True)
        for text in ("Refused one", "Refused two"):
            page.fill("#todo", text)
            page.evaluate("document.querySelector('#due_time').value = '18:00'")  # a time without a day
            page.keyboard.press("Enter")
            expect(page.locator("#outbox")).to_contain_text(text)
        page.fill("#todo", "Fine")
        page.keyboard.press("Enter")
        expect(page.locator("#outbox")).to_contain_text("Fine")
        context.set_offline(False)
        bar = page.locator("#outbox")
        expect(bar).to_contain_text("needs a day", timeout=RETRIED)
        expect(bar).to_contain_text("Refused one")
        expect(bar).to_contain_text("Refused two")
        page.get_by_role("button", name="Discard").click()
        expect(page.locator("#todo")).to_have_value("Refused two")  # nobody types there any more
        page.fill("#due_time", "")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(bar).to_be_hidden(timeout=RETRIED)
        expect(page.locator("p.text", has_text="Fine")).to_be_visible(timeout=RETRIED)
        assert texts(assistant, "") == ["Bread", "Fine", "Milk", "Refused two"]

    def test_an_edit_that_comes_too_late_waits_while_somebody_adds(
        self, context: BrowserContext, assistant: Assistant
    ) -> None:
        assistant.add("Milk")
        page = opened(context, "/list?edit=1")
        context.set_offline(True)
        page.fill("#edit-todo", "Oat milk")
        page.get_by_role("button", name="Save").click()
        bar = page.locator("#outbox")
        expect(bar).to_contain_text("Oat milk")
        assistant.call("DELETE", "/1")
        page.focus("#todo")  # where a refused edit comes back, as its to-do is gone
        context.set_offline(False)
        expect(bar).to_contain_text("no longer exists", timeout=RETRIED)
        expect(bar).to_contain_text("Oat milk")
        page.evaluate("document.activeElement.blur()")
        bar.get_by_role("button", name="Try again").click()
        expect(page.locator("#todo")).to_have_value("Oat milk", timeout=RETRIED)

    def test_a_question_waits_while_somebody_types(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Milk")
        page = opened(context)
        page.get_by_role("button", name="Complete: Milk").click()
        undo = page.locator("#notice").get_by_role("button", name="Undo")
        expect(undo).to_be_visible()
        context.set_offline(True)
        undo.click()
        bar = page.locator("#outbox")
        expect(bar).to_contain_text("Undo")
        assistant.call("POST", "/1/reopen")
        page.fill("#todo", "Half a sent")
        context.set_offline(False)
        expect(bar).to_contain_text("Something has changed since.", timeout=RETRIED)
        page.keyboard.type("ence")
        expect(page.locator("#todo")).to_have_value("Half a sentence")
        bar.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Something has changed since")
        expect(bar).to_be_hidden()
        page.goto("/list")
        expect(page.locator("#todo")).to_have_value("Half a sentence")

    def test_a_late_conflict_takes_the_place_of_another_edit(
        self, context: BrowserContext, assistant: Assistant
    ) -> None:
        for text in ("Milk", "Bread"):
            assistant.add(text)
        context.add_init_script(FORMS_CAN_FAIL)
        page = opened(context, "/list?edit=1")
        page.evaluate("window.isDown = true")
        page.fill("#edit-todo", "Oat milk")
        page.get_by_role("button", name="Save").click()
        bar = page.locator("#outbox")
        expect(bar).to_contain_text("Oat milk")
        assistant.call("PATCH", "/1", todo="Cow's milk")
        page.get_by_role("link", name="Edit: Bread").click()
        expect(page.locator("#todo-2 #edit-todo")).to_be_visible()
        page.evaluate("window.isDown = false")
        bar.get_by_role("button", name="Try again").click()
        expect(page.locator("#todo-1 #conflict")).to_be_visible()
        seen(page, assistant)
        expect(page.locator("#edit-todo")).to_have_count(1)
        expect(page.locator("#edit-todo")).to_have_value("Oat milk")

    def test_two_tabs_send_it_once(self, context: BrowserContext, assistant: Assistant) -> None:
        one, other = opened(context), opened(context, "/list?q=nothing")
        context.set_offline(True)
        for text in ("Milk", "Bread", "Eggs"):
            one.fill("#todo", text)
            one.keyboard.press("Enter")
            expect(one.locator("#outbox")).to_contain_text(text)
        other.fill("#todo", "Half a sent")
        context.set_offline(False)
        for page in (one, other):
            expect(page.locator("#outbox")).to_be_hidden(timeout=RETRIED)
        assert texts(assistant) == ["Bread", "Eggs", "Milk"]
        expect(one.locator("p.text")).to_have_count(3)
        expect(other.locator("p.text")).to_have_count(0)
        expect(other.locator("#todo")).to_have_value("Half a sent")

    def test_two_tabs_keep_all_that_is_added_at_once(self, context: BrowserContext, assistant: Assistant) -> None:
        tabs = [opened(context) for _ in range(2)]
        context.set_offline(True)
        for page, name in zip(tabs, "ab", strict=True):
            page.evaluate(ADD_TWENTY, name)
        wait_until(lambda: all(page.evaluate("window.added") == 20 for page in tabs), "the tabs have not added all")
        context.set_offline(False)
        for page in tabs:
            expect(page.locator("#outbox")).to_be_hidden(timeout=RETRIED)
        assert texts(assistant, "?limit=100") == sorted(f"{name}{number}" for name in "ab" for number in range(20))

    def test_somebody_signs_out_in_another_tab(self, context: BrowserContext, assistant: Assistant) -> None:
        page = opened(context)
        context.set_offline(True)
        page.fill("#todo", "Milk")
        page.keyboard.press("Enter")
        expect(page.locator("#outbox")).to_contain_text("Milk")
        page.fill("#todo", "Half a sent")
        Person(assistant.http, assistant.username).send("/sign-out")
        context.set_offline(False)
        page.locator("#outbox").get_by_role("link", name="Sign in").click(timeout=RETRIED)
        page.fill("#username", assistant.username)
        page.fill("#password", PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.locator("p.text")).to_have_text("Milk", timeout=RETRIED)
        expect(page.locator("#todo")).to_have_value("Half a sent")


def test_nothing_comes_while_a_row_is_dragged(context: BrowserContext, assistant: Assistant) -> None:
    add_many(assistant, 4)
    page = opened(context)
    rows = page.locator("section[aria-labelledby=undated] li.todo")
    grip, target = rows.nth(0).locator(".grip"), rows.nth(2)
    first = rows.nth(0).get_attribute("id")
    rows.nth(0).hover()
    grip.hover()
    page.mouse.down()
    box = target.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + box["height"] - 4, steps=5)
    expect(page.locator(".dragged")).to_have_count(1)
    with page.expect_response(lambda answer: answer.url.endswith("/live") and answer.status == 200):
        assistant.add("Soon", due="2000-01-01")
    page.wait_for_timeout(1_000)
    expect(page.locator(".dragged")).to_have_count(1)
    expect(page.locator("p.text", has_text="Soon")).to_have_count(0)
    page.mouse.up()
    expect(page.locator("p.text", has_text="Soon")).to_be_visible(timeout=RETRIED)
    expect(rows.nth(2)).to_have_id(first or "")
