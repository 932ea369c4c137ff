"""Two tabs, an assistant and a phone that is offline at times change the same ten to-dos at random.

Every text that is typed has a mark of its own. In the end each mark is on the list, in the trash or in the history, and
all that look at the list see the same.
"""

import os
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page

from tests.e2e.processes import Child, migrated, serving, wait_until
from tests.handlers.test_lists import CHATGPT
from tests.people import Person

QUICK = 1_000  # milliseconds: what takes longer, such as a link without a network, the person leaves
MOST_OPEN = 16  # so that every open to-do is on the first page
SECONDS_PER_STEP = 6
IS_LATE = re.compile(r"Timeout|net::|detached|interrupted by another navigation|Execution context was destroyed")
NAME = "converging"
SHOWN = """[...document.querySelectorAll('li.todo.open')].map((row) => [
    row.querySelector('.tick').ariaLabel.replace('Complete: ', ''),
    row.querySelector('time')?.getAttribute('datetime') ?? '',
    row.querySelector('.notes')?.textContent ?? '',
])"""
TYPED = """[...document.querySelectorAll('input, textarea')].map((field) => field.value).join(' ')
    + document.querySelector('#outbox').textContent + JSON.stringify(sessionStorage)"""
IS_CHANGED = "(field) => field.value !== (field.defaultValue ?? field.value)"
# Of a page that does not follow: where it is, what it has read, where the person seems to be, and what they have typed.
STATE = f"""[location.href, document.querySelector('main').dataset.version,
    document.activeElement.outerHTML.slice(0, 200),
    document.documentElement.dataset.offlineSince,
    document.querySelector('#outbox').textContent,
    [...document.querySelectorAll('.editing, .refused, .typed')].map((part) => [part.outerHTML.slice(0, 300),
        [...part.elements ?? []].filter({IS_CHANGED}).map((field) => [field.name, field.value])])]"""
# Whether a form holds what somebody has typed and not sent, such as what was refused.
IS_TYPED = f"(form) => form.matches('.typed') || [...form.elements].some({IS_CHANGED})"
DAYS = ["2199-12-01", "2199-12-24", "2000-01-01", ""]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with serving(migrated(tmp_path_factory.mktemp("convergence"))) as child:
        yield child


class Marks:
    """Texts that nobody has typed before, and those that were sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self._numbers = count()

    def new(self, what: str) -> str:
        return f"{what} m{next(self._numbers):04}m"


class Assistant:
    """ChatGPT with the service key. It is told of what is gone meanwhile, and then does nothing."""

    def __init__(self, http: httpx.Client, marks: Marks, chance: random.Random) -> None:
        self._http = http
        self._marks = marks
        self._chance = chance

    def call(self, method: str, path: str = "", **body: Any) -> dict[str, Any]:
        answer = self._http.request(method, f"/todos/{NAME}{path}", json=body or None, headers=CHATGPT)
        assert answer.status_code < 300 or answer.status_code in (404, 409), answer.text
        return dict(answer.json())

    def say(self, method: str, path: str = "", **fields: str) -> None:
        """Sends texts, which count as sent unless they are refused."""
        if "id" in self.call(method, path, **fields):
            self._marks.sent += fields.values()

    def everything(self, status: str) -> list[dict[str, Any]]:
        """Returns all to-dos of a status."""
        return self._pages(f"?status={status}&limit=100", "todos")

    def history(self) -> list[dict[str, Any]]:
        return self._pages("/changes?limit=100", "changes")

    def _pages(self, path: str, name: str) -> list[dict[str, Any]]:
        found, cursor = [], ""
        while True:
            page = self.call("GET", f"{path}{cursor}")
            found += page[name]
            if "next_cursor" not in page:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def step(self) -> None:
        """Does one thing to one to-do."""
        todos = self.everything("open")
        todo = self._chance.choice(todos or [{"id": 1}])["id"]
        match self._chance.choice(["add", "text", "notes", "due", "complete", "delete", "undo"]):
            case "add" if len(todos) < MOST_OPEN:
                self.say("POST", todo=self._marks.new("Assistant adds"))
            case "text":
                self.say("PATCH", f"/{todo}", todo=self._marks.new("Assistant says"))
            case "notes":
                self.say("PATCH", f"/{todo}", notes=self._marks.new("Assistant notes"))
            case "due":
                self.call("PATCH", f"/{todo}", due=self._chance.choice(DAYS) or None)
            case "complete":
                self.call("POST", f"/{todo}/complete")
            case "delete":
                self.call("DELETE", f"/{todo}")
            case "undo":
                change = self._chance.choice(self.call("GET", "/changes?limit=20")["changes"])
                self.call("POST", f"/changes/{change['id']}/undo")


@contextmanager
def or_too_late() -> Iterator[None]:
    """Lets go of what a page does not offer any more, such as a row that goes while the pointer comes."""
    try:
        yield
    except Error as error:
        if not IS_LATE.search(error.message):
            raise


class Window:
    """A page of the list in front of a person, who uses what is on it at the moment."""

    def __init__(self, page: Page, marks: Marks, chance: random.Random) -> None:
        self.page = page
        self._marks = marks
        self._chance = chance
        page.set_default_timeout(QUICK)
        page.set_default_navigation_timeout(30_000)
        page.goto("/list")

    def step(self) -> None:
        """Does one thing to one to-do; what the page does not offer, or no longer, is not done."""
        self.come_back()
        action = self._chance.choice([self.add, self.add, self.tick, self.tick, self.reopen, self.edit, self.edit])
        action = self._chance.choice([action, action, self.delete, self.undo])
        with or_too_late():
            action()

    def come_back(self) -> None:
        """Opens the list again where an undo has led to a question, or a lost network to the browser's own page."""
        if not self.page.get_by_label("Add a to-do", exact=True).is_visible():
            with or_too_late():
                self.page.goto("/list")

    def add(self) -> None:
        if self.open_form.count() == 0 and len(self.shown()) < MOST_OPEN:
            field = self.page.get_by_label("Add a to-do", exact=True)
            self._type(field, self._marks.new("Person adds"))
            field.press("Enter")

    def tick(self) -> None:
        self._click(self.page.get_by_role("button", name=re.compile("^Complete: ")))

    def reopen(self) -> None:
        self._click(self.page.get_by_role("button", name=re.compile("^Reopen: ")))

    def undo(self) -> None:
        self._click(self.page.get_by_role("button", name="Undo", exact=True))

    def delete(self) -> None:
        self._click(self.page.get_by_role("link", name=re.compile("^Edit: ")))
        self._click(self.page.get_by_role("button", name="Delete", exact=True))

    def edit(self) -> None:
        self._click(self.page.get_by_role("link", name=re.compile("^Edit: ")))
        self.open_form.wait_for()
        label, what = self._chance.choice([("To-do", "Person says"), ("Notes", "Person notes"), ("Day", "")])
        value = self._marks.new(what) if what else self._chance.choice(DAYS)
        self._type(self.open_form.get_by_label(label, exact=True), value)
        self.open_form.get_by_role("button", name="Save").click()

    def finish(self) -> None:
        """Ends what is still open on the page: nothing that was typed is given up."""
        self.come_back()
        buttons = [
            self.page.get_by_role("button", name=name, exact=True).first for name in ("Keep mine", "Save", "Try again")
        ]
        for _ in range(10):
            waiting = [button for button in buttons if button.is_visible()]
            if not waiting and not self.page.locator("#outbox").is_visible():
                break
            if waiting:
                with or_too_late():
                    waiting[0].dispatch_event("click")  # a busy browser may not draw this tab, which `click` waits for
            self.page.wait_for_timeout(1_000)  # while the page sends it, or what waits there
            self.come_back()  # from the question that an undo, sent late, leads to
        self.page.evaluate("document.activeElement?.blur()")

    @property
    def open_form(self) -> Locator:
        """The form of the to-do that is being edited."""
        return self.page.locator("form").filter(has=self.page.get_by_role("button", name="Save", exact=True))

    def shown(self) -> list[list[str]]:
        """Returns the text, day and notes of each open to-do on the page."""
        return sorted(self.page.evaluate(SHOWN))

    def typed(self) -> str:
        """Returns all that stands in the page's fields, is told there as not saved, or comes back with its form."""
        return str(self.page.evaluate(TYPED))

    def _type(self, field: Locator, value: str) -> None:
        """Types into a field, unless its form holds something that the person has typed already."""
        field.focus()  # from now on no other page comes into this form
        if not field.locator("xpath=ancestor::form").evaluate(IS_TYPED):
            field.fill(value)
            self._marks.sent += [value] if value not in DAYS else []

    def _click(self, found: Locator) -> None:
        """Clicks one of these, if there is any."""
        if number := found.count():
            found.nth(self._chance.randrange(number)).click()


SEEDS = (2, 3, None) if "SOAK" in os.environ else (2,)  # None is one at random
STEPS = 500


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_typed_is_lost_and_all_end_up_the_same(chromium: Browser, service: Child, seed: int | None) -> None:
    seed = seed or random.randrange(10**6)
    with told(f"the seed is {seed}"):
        change_at_random(chromium, service, random.Random(seed), STEPS)


@contextmanager
def told(note: str) -> Iterator[None]:
    """Adds a note to what is raised."""
    try:
        yield
    except Exception as error:
        error.add_note(note)
        raise


def change_at_random(chromium: Browser, service: Child, chance: random.Random, steps: int) -> None:
    marks = Marks()
    with (
        httpx.Client(base_url=service.url, trust_env=False) as http,
        chromium.new_context(base_url=service.url, viewport={"width": 1280, "height": 2000}) as desk,
        chromium.new_context(base_url=service.url, viewport={"width": 360, "height": 740}) as pocket,
    ):
        sign_in([desk, pocket], service, http)
        assistant = Assistant(http, marks, chance)
        for _ in range(10):
            assistant.say("POST", todo=marks.new("One of ten"))
        tabs = [Window(desk.new_page(), marks, chance) for _ in range(2)]
        phone = Window(pocket.new_page(), marks, chance)
        wait_until(lambda: bool(phone.page.evaluate("caches.match('/list').then(Boolean)")), "the list is not kept")
        take_steps([tab.step for tab in tabs], assistant, phone, pocket, chance, steps)
        windows = [*tabs, phone]
        for window in windows:
            window.finish()
        expect_the_same(windows, assistant)
        expect_nothing_lost(marks, windows, assistant)
        assert not re.findall(r" 5\d\d \d", service.out.read_text()), "the service failed"


def sign_in(contexts: list[BrowserContext], service: Child, http: httpx.Client) -> None:
    """Opens a session for each browser, as somebody who has signed up once and then only signs in."""
    for context in contexts:
        person = Person(http, NAME)
        http.cookies.clear()
        answer = person.sign_in()
        if answer.status_code != 303:
            http.cookies.clear()
            answer = person.sign_up()
        assert answer.status_code == 303, answer.text
        context.add_cookies([{"name": "session", "value": http.cookies["session"], "url": service.url}])


def take_steps(
    tabs: list[Callable[[], None]],
    assistant: Assistant,
    phone: Window,
    pocket: BrowserContext,
    chance: random.Random,
    steps: int,
) -> None:
    """Lets somebody do something, so often, while the phone's network comes and goes. Raises AssertionError if slow."""
    deadline = time.monotonic() + 60 + steps * SECONDS_PER_STEP
    for step in range(steps):
        assert time.monotonic() < deadline, f"only {step} of {steps} steps in time"
        if chance.random() < 0.1:
            pocket.set_offline(chance.random() < 0.5)
        chance.choice([*tabs, assistant.step, phone.step])()
    pocket.set_offline(False)


def expect_the_same(windows: list[Window], assistant: Assistant) -> None:
    """Waits until every window shows what the service has, by itself. Raises AssertionError if that never comes."""

    def truth() -> list[list[str]]:
        todos = assistant.everything("open")
        return sorted([todo["todo"], todo.get("due") or "", todo.get("notes") or ""] for todo in todos)

    def is_so() -> bool:
        expected = truth()
        return all(window.shown() == expected for window in windows)

    try:
        wait_until(is_so, "the windows do not show the same")
    except AssertionError as error:
        error.add_note("\n".join(str(window.page.evaluate(STATE)) for window in windows))
        assert [window.shown() for window in windows] == [truth()] * len(windows)
        raise


def expect_nothing_lost(marks: Marks, windows: list[Window], assistant: Assistant) -> None:
    """Raises AssertionError if a mark is neither stored, nor still in a field in front of the person."""
    everything = [assistant.everything(status) for status in ("open", "done", "deleted")]
    found = str([*everything, assistant.history()]) + "".join(window.typed() for window in windows)
    lost = [text for text in marks.sent if text not in found]
    assert not lost, lost
