"""A forgotten password: a link by e-mail, which works once, and whose request tells nobody who has an account."""

import re
from collections.abc import Iterator
from itertools import count

import httpx
import pytest
import time_machine
from starlette.testclient import TestClient

from tests.answers import check_answer
from tests.conftest import GENEROUS, SERVICE_KEY
from tests.handlers.test_accounts import NewBrowser, refused
from tests.mail import Inbox, mail_server
from tests.people import NEW_PASSWORD, PASSWORD, Client, Person, bearer, field, soup
from todo.app import create_app
from todo.config import Settings
from todo.contract import SITE

_numbers = count(1)


@pytest.fixture(scope="module")
def mail() -> Iterator[tuple[Inbox, int]]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def mailing(database_url: str, mail: tuple[Inbox, int]) -> Iterator[TestClient]:
    """The service, on the same database as the one that sends no e-mail."""
    settings = Settings(
        service_auth_key=(SERVICE_KEY,), database_url=database_url, smtp_url=f"smtp://localhost:{mail[1]}", **GENEROUS
    )
    with TestClient(create_app(settings), base_url="http://localhost:8000") as client:
        yield client


@pytest.fixture
def inbox(mail: tuple[Inbox, int]) -> Inbox:
    assert mail[0].size == 0
    return mail[0]


@pytest.fixture
def forgetful(mailing: TestClient, person: Person) -> Person:
    """The person of the other fixture, with a browser that is signed in nowhere."""
    person.send("/account/email", email=f"{person.username}@example.com")
    browser = TestClient(
        mailing.app, base_url="http://localhost:8000", follow_redirects=False, client=(f"10.1.0.{next(_numbers)}", 1)
    )
    browser.event_hooks = {"response": [check_answer]}
    return Person(browser, person.username)


def ask(person: Person, username: str = "") -> httpx.Response:
    return person.send("/forgot-password", username=username or person.username)


def link_in(inbox: Inbox, person: Person) -> str:
    """Returns the path of the link in the next letter, which is the person's."""
    letter = inbox.next()
    assert letter.to == [f"{person.username}@example.com"]
    (path,) = re.findall(r"http://localhost:8000(/reset-password/todo_pr_[A-Za-z0-9_-]{54})\n", letter.text)
    return str(path)


def reset(person: Person, link: str, password: str = NEW_PASSWORD) -> httpx.Response:
    page = person.browser.get(link)
    assert page.status_code == 200, page.text
    fields = {name: field(page, name) for name in ("csrf_token", "reset")}
    return person.browser.post("/reset-password", data={**fields, "new_password": password})


def test_the_whole_way(forgetful: Person, person: Person, inbox: Inbox, new_browser: NewBrowser) -> None:
    assert 'href="/forgot-password"' in forgetful.browser.get("/sign-in").text
    http = new_browser()
    token = Client.registered(http).connect(person)["access_token"]
    answer = ask(forgetful, f" {person.username.upper()} ")
    assert answer.status_code == 200
    assert "a link is on its way" in answer.text
    link = link_in(inbox, person)
    assert person.username in soup(forgetful.browser.get(link)).main.get_text()
    answer = reset(forgetful, link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/list")
    assert forgetful.is_signed_in()
    assert not person.is_signed_in()
    elsewhere = Person(new_browser(), person.username)
    assert elsewhere.sign_in(PASSWORD).status_code == 403
    assert elsewhere.sign_in(NEW_PASSWORD).status_code == 303
    assert http.get("/todos/me", headers=bearer(token)).status_code == 200


def test_a_link_works_once(forgetful: Person, inbox: Inbox) -> None:
    ask(forgetful)
    link = link_in(inbox, forgetful)
    page = forgetful.browser.get(link)
    fields = {name: field(page, name) for name in ("csrf_token", "reset")}
    assert reset(forgetful, link).status_code == 303
    again = forgetful.browser.get(link)
    refused(again, 404, "This link has been used, or it has expired.")
    assert soup(again).select_one("a[href='/forgot-password']")
    forgetful.browser.cookies.clear()
    token = forgetful.csrf_token()
    answer = forgetful.browser.post("/reset-password", data={**fields, "csrf_token": token, "new_password": PASSWORD})
    refused(answer, 404, "This link has been used")


def test_a_password_that_is_refused_uses_up_nothing(forgetful: Person, inbox: Inbox) -> None:
    ask(forgetful)
    link = link_in(inbox, forgetful)
    refused(reset(forgetful, link, "short"), 400, "New password: must have at least 15 characters.")
    assert reset(forgetful, link).status_code == 303


def test_nobody_learns_who_has_an_account(forgetful: Person, person: Person, inbox: Inbox, name: str) -> None:
    person.send("/account/email", email="")
    pages = []
    for username in (person.username, f"{name}-nobody", "no such name!", "me"):
        answer = ask(forgetful, username)
        text = str(soup(answer).main).replace(username, "somebody")
        pages.append((answer.status_code, text))
    assert len({*pages}) == 1
    person.send("/account/email", email=f"{person.username}@example.com")
    ask(forgetful)
    link_in(inbox, person)  # the only letter


def test_it_is_asked_for_so_often(forgetful: Person, inbox: Inbox, name: str) -> None:
    most = SITE.limit("resets_per_account")
    assert [ask(forgetful).status_code for _ in range(most + 1)] == [200] * most + [429]
    for _ in range(most):
        link_in(inbox, forgetful)
    for number in range(SITE.limit("resets_per_address") - most - 1):
        assert ask(forgetful, f"{name}-nobody{number}").status_code == 200
    refused(ask(forgetful, f"{name}-another"), 429, "There were too many attempts. Wait 15 minutes")


def test_a_link_expires(forgetful: Person, person: Person, inbox: Inbox) -> None:
    with time_machine.travel("2099-11-22T00:00:00Z") as clock:
        ask(forgetful)
        link = link_in(inbox, forgetful)
        clock.shift(SITE.limit("reset_minutes") * 60 - 5)
        assert forgetful.browser.get(link).status_code == 200
        clock.shift(10)
        assert forgetful.browser.get(link).status_code == 404


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/account/password", {"password": PASSWORD, "new_password": NEW_PASSWORD}),
        ("/account/email", {"email": "elsewhere@example.com"}),
        ("/account/delete", {"password": PASSWORD}),
    ],
)
def test_a_link_ends_with_what_it_was_for(
    forgetful: Person, person: Person, inbox: Inbox, path: str, fields: dict[str, str]
) -> None:
    ask(forgetful)
    link = link_in(inbox, forgetful)
    assert person.send(path, **fields).status_code == 303
    assert forgetful.browser.get(link).status_code == 404


def test_a_link_is_no_session(forgetful: Person, inbox: Inbox) -> None:
    ask(forgetful)
    secret = link_in(inbox, forgetful).rpartition("/")[2]
    forgetful.browser.cookies.set("session", secret)
    assert not forgetful.is_signed_in()


def test_a_forged_link_is_refused(new_browser: NewBrowser) -> None:
    for secret in ("x", "todo_pr_" + "x" * 54, "todo_se_" + "A" * 54, "%00", "a" * 101):
        assert new_browser().get(f"/reset-password/{secret}").status_code in (400, 404)


def test_an_address_is_asked_for_with_its_reason(forgetful: Person, person: Person, new_browser: NewBrowser) -> None:
    reason = "A link is sent to it if you forget your password."
    assert reason in forgetful.browser.get("/sign-up").text
    assert reason not in new_browser().get("/sign-up").text
    assert reason not in person.browser.get("/account").text


def test_without_a_mail_server_the_page_says_whom_to_ask(person: Person, new_browser: NewBrowser) -> None:
    somebody = Person(new_browser(), person.username)
    page = somebody.browser.get("/forgot-password")
    assert "This service sends no e-mail." in page.text
    assert soup(page).select_one("a[href='mailto:operator@localhost']")
    assert not soup(page).select("main form")
    assert ask(somebody).headers["location"] == "/forgot-password"
