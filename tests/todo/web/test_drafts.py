"""What somebody typed outlives their session, and only a page of ours can put it there."""

from collections.abc import Callable, Iterator

import httpx
import pytest
import time_machine
from bs4 import BeautifulSoup
from starlette.testclient import TestClient

from tests.people import NEW_PASSWORD, PASSWORD, Person, soup
from todo.contract import SITE
from todo.web.drafts import SCHEMAS

pytestmark = pytest.mark.slow_on_postgresql

NewBrowser = Callable[[], TestClient]
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
TYPED = {
    "todo": 'Buy <b>milk</b> & "bread"',
    "notes": "oat\r\nnot soy",
    "due_day": "2026-11-27",
    "due_time": "18:00",
    "priority": "high",
    "tags": "home, shop",
    "repeat": "FREQ=WEEKLY",
    "list": "Inbox",
    "new_list": "Shopping & more",
    "steps": "[x] Eggs\r\nBread",
}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-11-22T12:00:00Z") as clock:
        yield clock


@pytest.fixture
def late(clock: time_machine.Traveller, new_browser: NewBrowser, name: str) -> Person:
    """Somebody whose session has ended while a page with a form was open; `late.token` is that of the form."""
    person = Person(new_browser(), name)
    assert person.sign_up().status_code == 303
    assert person.send("/list", todo="There before").status_code == 303
    person.token = person.csrf_token("/account")  # type: ignore[attr-defined]
    clock.shift(SITE.limit("session_hours") * 3600 + 1)
    return person


def send_late(person: Person, path: str, **fields: str) -> httpx.Response:
    return person.browser.post(path, data={"csrf_token": person.token, **fields})  # type: ignore[attr-defined]


def form_in(text: str, action: str) -> dict[str, str]:
    """Returns the fields of the form on a page that is sent to `action`, as a browser would send them."""
    form = BeautifulSoup(text, "html.parser").find("form", action=action, method="post")
    fields = {field["name"]: field.get("value", "") for field in form.select("input:not([type=checkbox])")}
    fields |= {area["name"]: area.text.removeprefix("\n") for area in form.select("textarea")}
    for choice in form.select("select"):
        fields[choice["name"]] = (choice.select_one("[selected]") or choice.select_one("option"))["value"]
    return fields


def sign_in(person: Person, page: httpx.Response, password: str = PASSWORD) -> httpx.Response:
    """Fills in the sign-in form of a page and sends it."""
    filled = {"username": person.username, "password": password}
    return person.browser.post("/sign-in", data={**form_in(page.text, "/sign-in"), **filled})


def todos(person: Person) -> list[dict[str, object]]:
    return list(person.browser.get("/account/export").json()["todos"])


def test_what_was_typed_to_add_is_still_there_after_sign_in(late: Person) -> None:
    asked = send_late(late, "/list", **TYPED, next="/list?q=milk")
    assert (asked.status_code, "location" in asked.headers) == (403, False)
    assert "What you typed is not saved yet" in asked.text
    page = sign_in(late, asked)
    assert page.status_code == 200
    assert "What you typed is here, and not saved yet" in page.text
    form = form_in(page.text, "/list")
    assert {name: form[name] for name in TYPED} == TYPED
    assert form["next"] == "/list?q=milk"
    assert [todo["todo"] for todo in todos(late)] == ["There before"]
    assert late.browser.post("/list", data=form).status_code == 303
    assert [todo["todo"] for todo in todos(late)] == ["There before", TYPED["todo"]]


def test_a_line_is_read_when_it_is_sent_at_last(late: Person) -> None:
    typed = {"todo": "Call mum tomorrow #family #home", "quick": "on", "plain": "#home"}
    form = form_in(sign_in(late, send_late(late, "/list", **typed)).text, "/list")
    assert {name: form[name] for name in typed} == typed
    assert late.browser.post("/list", data=form).status_code == 303
    *_, added = todos(late)
    assert (added["todo"], added["tags"], "due" in added) == ("Call mum #home", ["family"], True)


def test_what_is_not_to_be_read_never_is(late: Person, client: httpx.Client) -> None:
    """As the text of a to-do that was edited, and is gone: its date was in a field of its own."""
    asked = send_late(late, "/list/edit", id="1", version="1", todo="Read Tomorrow #1")
    client.delete(f"/todos/{late.username}/1").raise_for_status()
    form = form_in(sign_in(late, asked).text, "/list")
    assert late.browser.post("/list", data=form).status_code == 303
    *_, added = todos(late)
    assert (added["todo"], "tags" in added, "due" in added) == ("Read Tomorrow #1", False, False)


def test_what_was_typed_to_edit_is_still_there_where_it_was(late: Person) -> None:
    sent = {"id": "1", "version": "1", **TYPED, "next": "/list?section=undated&edit=1"}
    page = sign_in(late, send_late(late, "/list/edit", **sent))
    assert page.status_code == 200
    assert "No date" in soup(page).h1.get_text()
    form = form_in(page.text, "/list/edit")
    assert {name: form[name] for name in sent} == sent
    assert todos(late)[0]["todo"] == "There before"
    assert late.browser.post("/list/edit", data=form).status_code == 303
    assert todos(late)[0]["todo"] == TYPED["todo"]


def test_what_changed_before_sign_in_is_not_overwritten(late: Person, client: httpx.Client) -> None:
    asked = send_late(late, "/list/edit", id="1", version="1", todo="Mine")
    client.patch(f"/todos/{late.username}/1", json={"todo": "By an assistant"}).raise_for_status()
    form = form_in(sign_in(late, asked).text, "/list/edit")
    answer = late.browser.post("/list/edit", data=form)
    assert answer.status_code == 409
    assert 'value="Mine"' in answer.text
    assert todos(late)[0]["todo"] == "By an assistant"


def test_edit_of_what_is_gone_can_be_added(late: Person, client: httpx.Client) -> None:
    asked = send_late(late, "/list/edit", id="1", version="1", todo="Mine", notes="long")
    client.delete(f"/todos/{late.username}/1").raise_for_status()
    form = form_in(sign_in(late, asked).text, "/list")
    assert (form["todo"], form["notes"]) == ("Mine", "long")
    refused = late.browser.post("/list/edit", data={**form, "id": "1", "version": "1"})
    assert refused.status_code == 404
    assert form_in(refused.text, "/list")["notes"] == "long"


def test_wrong_password_loses_nothing(late: Person) -> None:
    asked = sign_in(late, send_late(late, "/list", **TYPED), "not the password")
    assert asked.status_code == 403
    assert form_in(sign_in(late, asked).text, "/list")["notes"] == TYPED["notes"]


def test_it_takes_no_cookie_if_the_browser_says_that_the_page_is_ours(late: Person) -> None:
    late.browser.cookies.clear()
    asked = late.browser.post("/list", data={"csrf_token": "0" * 64, **TYPED}, headers=OWN_PAGE)
    assert form_in(sign_in(late, asked).text, "/list")["todo"] == TYPED["todo"]


@pytest.mark.parametrize(("path", "fields"), [("/lists", {}), ("/lists/rename", {"list": "Shopping"})])
def test_the_name_of_a_list_is_still_there(late: Person, path: str, fields: dict[str, str]) -> None:
    sent = {**fields, "name": "Garden & house", "next": "/list?list=Shopping"}
    page = sign_in(late, send_late(late, path, **sent))
    # The list is not there for the one to be renamed, so that its name is kept in the form to create one.
    form = form_in(page.text, "/lists")
    assert form["name"] == "Garden & house"
    assert late.browser.post("/lists", data=form).headers["location"].startswith("/list?list=Garden+%26+house&")


def test_the_new_name_of_a_list_is_still_there(late: Person) -> None:
    assert late.sign_in().status_code == 303
    assert late.send("/lists", name="Shopping").status_code == 303
    late.send("/sign-out")
    sent = {"list": "Shopping", "name": "Groceries", "next": "/list?list=Shopping"}
    page = sign_in(late, late.browser.post("/lists/rename", data={"csrf_token": "0" * 64, **sent}, headers=OWN_PAGE))
    form = form_in(page.text, "/lists/rename")
    assert {name: form[name] for name in ("list", "name")} == {"list": "Shopping", "name": "Groceries"}
    assert late.browser.post("/lists/rename", data=form).status_code == 303


@pytest.mark.parametrize("site", [None, "cross-site", "same-site", "none"])
def test_page_of_a_stranger_puts_nothing_anywhere(person: Person, new_browser: NewBrowser, site: str | None) -> None:
    # A form of another site comes without cookies, as they are SameSite=Lax.
    headers = {"Sec-Fetch-Site": site} if site else {}
    answer = new_browser().post("/list", data={"csrf_token": "0" * 64, **TYPED}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Flist")
    assert "set-cookie" not in answer.headers  # which would sign the person out
    assert "milk" not in answer.text
    answer = person.browser.post("/list", data={"csrf_token": "0" * 64, **TYPED}, headers=headers)
    assert answer.status_code == 403
    assert "milk" not in answer.text


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/list", {"todo": "x" * 501}),
        ("/list", {"todo": "x", "notes": "x" * 4001}),
        ("/list", {"todo": "x", "unknown": "x" * 60_000}),
        ("/list", {"notes": "without a to-do"}),
        ("/list/edit", {"id": "x", "version": "1", "todo": "x"}),
        ("/account/password", {"password": PASSWORD, "new_password": NEW_PASSWORD}),
        ("/account/email", {"email": "kevin@example.com"}),
    ],
)
def test_all_else_is_not_kept(late: Person, path: str, fields: dict[str, str]) -> None:
    answer = send_late(late, path, **fields)
    if "unknown" in fields:
        assert "xxx" not in answer.text
    else:
        assert (answer.status_code, answer.content) == (303, b"")


def test_draft_that_nobody_could_have_typed_is_dropped(person: Person) -> None:
    person.send("/sign-out")
    answer = person.sign_in(draft="/list/edit", todo="without its id")
    assert (answer.status_code, answer.headers["location"]) == (303, "/list")


def test_next_of_a_draft_is_a_page_of_ours(late: Person) -> None:
    page = sign_in(late, send_late(late, "/list", todo="A", next="https://evil.example/"))
    assert form_in(page.text, "/list")["next"] == "/list"
    assert "evil" not in page.text


def test_form_from_before_another_sign_in_is_shown_again(late: Person) -> None:
    assert late.sign_in().status_code == 303  # in another tab
    sent = {"csrf_token": late.token, **TYPED}  # type: ignore[attr-defined]
    page = late.browser.post("/list", data=sent, headers=OWN_PAGE)
    assert page.status_code == 403
    assert [todo["todo"] for todo in todos(late)] == ["There before"]
    assert late.browser.post("/list", data=form_in(page.text, "/list")).status_code == 303
    assert [todo["todo"] for todo in todos(late)] == ["There before", TYPED["todo"]]


def test_the_sign_in_form_takes_every_field_of_a_draft() -> None:
    known = SITE.resolved_schema("SignIn")["properties"]
    for schema in SCHEMAS.values():
        assert {name: known[name] for name in schema["properties"]} == schema["properties"]
        assert not {"username", "password", "keep", "draft"} & set(schema["properties"])
