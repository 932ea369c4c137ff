"""The account page and the forms around it: what they say, which zone they take, and where reloading them leads."""

from collections.abc import Callable

import httpx
import pytest
from bs4 import Tag
from starlette.testclient import TestClient

from tests.handlers.test_accounts import refused
from tests.handlers.test_lists import CHATGPT
from tests.people import NEW_PASSWORD, PASSWORD, Client, Person, soup
from todo.contract import SITE
from todo.web.account_page import NOTICE

pytestmark = pytest.mark.slow_on_postgresql

NewBrowser = Callable[[], TestClient]
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
WRONG = "not the password at all"


def sent(person: Person, path: str, **fields: str) -> str:
    """Sends a form and returns what the account page then says of it."""
    answer = person.send(path, **fields)
    assert answer.status_code == 303
    page = soup(person.browser.get(answer.headers["location"]))
    (notice,) = page.select(f"#{NOTICE}")
    assert answer.headers["location"].endswith(f"#{NOTICE}")
    return said(notice)


def said(tag: Tag | None) -> str:
    assert tag
    return " ".join(tag.get_text().split())


def alert(answer: httpx.Response) -> str:
    """Returns the one thing that is wrong."""
    (alert,) = soup(answer).select("[role=alert]:not([hidden])")
    return said(alert)


def profile(person: Person) -> dict[str, object]:
    return dict(person.browser.get("/account/export").json()["profile"])


class TestZone:
    def test_a_new_list_begins_in_the_zone_of_the_browser(self, new_browser: NewBrowser, name: str) -> None:
        person = Person(new_browser(), name)
        person.sign_up(time_zone="Europe/Vienna")
        assert profile(person)["time_zone"] == "Europe/Vienna"
        assert profile(person)["time_zone_guessed"] is False
        assert person.browser.get("/account/export").json()["changes"] == []

    @pytest.mark.parametrize("zone", ["", "Mars/Olympus", "Factory", "+01:00"])
    def test_another_is_ignored(self, new_browser: NewBrowser, name: str, zone: str) -> None:
        person = Person(new_browser(), name)
        assert person.sign_up(time_zone=zone).status_code == 303
        assert (profile(person)["time_zone"], profile(person)["time_zone_guessed"]) == ("UTC", True)
        assert Person(person.browser, name).sign_in(time_zone=zone).status_code == 303
        assert profile(person)["time_zone_guessed"] is True

    def test_it_is_no_text_of_any_length(self, new_browser: NewBrowser, name: str) -> None:
        assert Person(new_browser(), name).sign_up(time_zone="x" * 65).status_code == 400

    def test_signing_in_takes_it_in_place_of_a_guess_and_says_so(self, person: Person, new_browser: NewBrowser) -> None:
        elsewhere = Person(new_browser(), person.username)
        elsewhere.sign_in(time_zone="Europe/Vienna")
        assert profile(person)["time_zone"] == "Europe/Vienna"
        (change,) = person.browser.get("/account/export").json()["changes"]
        assert change["actor"] == "person"

    def test_signing_in_elsewhere_leaves_what_is_known(self, person: Person, new_browser: NewBrowser) -> None:
        person.send("/account/time-zone", time_zone="America/New_York")
        Person(new_browser(), person.username).sign_in(time_zone="Europe/Vienna")
        assert profile(person)["time_zone"] == "America/New_York"


class TestSaving:
    def test_the_zone_and_the_week(self, person: Person) -> None:
        form = {"time_zone": " Europe/Vienna ", "week_start": "sunday"}
        assert (
            sent(person, "/account/time-zone", **form)
            == "Saved. Your time zone is Europe/Vienna, and your week begins on Sunday."
        )

    def test_the_week_as_usual_once_more(self, person: Person) -> None:
        person.send("/account/time-zone", time_zone="America/New_York", week_start="monday")
        assert profile(person)["week_start"] == "monday"
        told = sent(person, "/account/time-zone", time_zone="America/New_York", week_start="usual")
        assert told.endswith("your week begins on Sunday.")
        options = soup(person.browser.get("/account")).select("#week_start option")
        assert [option["value"] for option in options if option.has_attr("selected")] == ["usual"]
        person.send("/history/undo", change_id="2")
        assert profile(person)["week_start"] == "monday"

    def test_the_password(self, person: Person) -> None:
        told = sent(person, "/account/password", password=PASSWORD, new_password=NEW_PASSWORD)
        assert told == "Your password is changed. You are signed out everywhere else."

    def test_the_address(self, person: Person) -> None:
        assert sent(person, "/account/email", email="a@b.c") == "Your e-mail address is a@b.c."
        assert sent(person, "/account/email", email="") == "Your e-mail address is removed."

    def test_the_calendar(self, person: Person) -> None:
        assert sent(person, "/account/calendar", calendar="new").startswith("The calendar has a new address")
        assert sent(person, "/account/calendar", calendar="none").startswith("The calendar is stopped.")

    def test_what_is_disconnected(self, person: Person, new_browser: NewBrowser) -> None:
        Client.registered(new_browser()).connect(person)
        told = sent(person, "/account/disconnect", grant_id=person.grant_id())
        assert told == "The assistant is disconnected. It can no longer read or change your list."

    def test_nothing_is_said_to_be_saved_that_was_not(self, person: Person) -> None:
        assert not soup(person.browser.get("/account")).select(f"#{NOTICE}")
        refused(person.browser.get("/account?saved=everything"), 400, "saved must be one of")


class TestRefusals:
    def test_a_zone_is_asked_for_as_the_page_calls_it(self, person: Person) -> None:
        answer = person.send("/account/time-zone", time_zone="Vienna, Austria", week_start="saturday")
        assert answer.status_code == 400
        assert alert(answer) == "Time zone: choose one from the list, such as Europe/Vienna."
        page = soup(answer)
        assert page.select_one("#time_zone")["value"] == "Vienna, Austria"
        assert page.select_one("#week_start [selected]")["value"] == "saturday"
        assert page.select_one("[autofocus]")["id"] == "time_zone"
        assert profile(person)["time_zone_guessed"] is True

    @pytest.mark.parametrize(
        ("path", "fields"),
        [("/account/password", {"new_password": NEW_PASSWORD}), ("/account/delete", {})],
    )
    def test_a_wrong_password_is_called_so(self, person: Person, path: str, fields: dict[str, str]) -> None:
        answer = person.send(path, password=WRONG, **fields)
        assert answer.status_code == 403
        assert (
            alert(answer) == "The current password is wrong. Nothing was changed. It is the one that you sign in with."
        )
        assert "username has no password" not in answer.text

    def test_a_short_password_is_refused_at_its_field(self, person: Person) -> None:
        answer = person.send("/account/password", password=PASSWORD, new_password="short")
        assert answer.status_code == 400
        assert alert(answer) == "New password: must have at least 15 characters."
        assert soup(answer).select_one("[autofocus]")["id"] == "new_password"
        assert "short" not in soup(answer).select_one("#new_password").attrs.values()

    def test_an_address_that_is_none_stays_in_its_field(self, person: Person) -> None:
        answer = person.send("/account/email", email="kevin at home")
        assert answer.status_code == 400
        assert alert(answer).startswith("E-mail address: write one such as kevin@example.com")
        assert soup(answer).select_one("#email")["value"] == "kevin at home"

    def test_signing_up_keeps_what_was_typed_but_the_password(self, new_browser: NewBrowser, name: str) -> None:
        answer = Person(new_browser(), name).sign_up("short", email="kevin@example.com", keep="on", claim_code="a-code")
        assert answer.status_code == 400
        page = soup(answer)
        assert [page.select_one(f"#{field}")["value"] for field in ("username", "email", "claim_code")] == [
            name,
            "kevin@example.com",
            "a-code",
        ]
        assert page.select_one("#keep[checked]")
        assert "short" not in page.select_one("#password").attrs.values()

    def test_a_name_in_the_wrong_form_is_a_wrong_name(self, new_browser: NewBrowser) -> None:
        assert Person(new_browser(), "no such name!").sign_in().status_code == 403

    @pytest.mark.parametrize("path", ["/sign-up", "/sign-in"])
    def test_a_name_is_required(self, new_browser: NewBrowser, path: str) -> None:
        refused(Person(new_browser(), "").send(path, username="", password=PASSWORD), 400, "Username: ")

    def test_a_space_after_the_name_does_not_matter(self, person: Person, new_browser: NewBrowser) -> None:
        assert Person(new_browser(), f" {person.username} ").sign_in().status_code == 303

    def test_too_many_attempts_say_how_long_to_wait(self, person: Person) -> None:
        while (answer := person.send("/account/delete", password=WRONG)).status_code != 429:
            assert answer.status_code == 403
        assert alert(answer) == "There were too many attempts. Wait 15 minutes, and try again."


class TestAddresses:
    @pytest.mark.parametrize(("path", "page"), [("/login", "/sign-in"), ("/signup", "/sign-up")])
    def test_other_names_lead_to_the_page(self, new_browser: NewBrowser, path: str, page: str) -> None:
        answer = new_browser().get(path, headers=BROWSER)
        assert (answer.status_code, answer.headers["location"]) == (308, page)

    @pytest.mark.parametrize(
        ("path", "page"),
        [
            ("/account/password", "/account"),
            ("/account/time-zone", "/account"),
            ("/account/email", "/account"),
            ("/account/disconnect", "/account"),
            ("/account/delete", "/account"),
            ("/lists", "/list"),
            ("/lists/rename", "/list"),
            ("/list/edit", "/list"),
            ("/list/act", "/list"),
            ("/list/step", "/list"),
            ("/trash/empty", "/trash"),
            ("/history/clear", "/history"),
            ("/sign-out", "/list"),
        ],
    )
    def test_reloading_what_a_form_was_sent_to_leads_to_its_page(self, person: Person, path: str, page: str) -> None:
        answer = person.browser.get(path, headers=BROWSER)
        assert (answer.status_code, answer.headers["location"]) == (303, page)

    @pytest.mark.parametrize("path", ["/lists", "/oauth/token", "/oauth/revoke"])
    def test_a_program_is_told_that_it_is_no_page(self, person: Person, path: str) -> None:
        accept = {} if path == "/lists" else BROWSER
        answer = person.browser.get(path, headers={"Accept": "*/*", **accept})
        assert answer.status_code == 405


def test_an_assistant_hears_the_zone_of_the_browser(new_browser: NewBrowser, name: str) -> None:
    person = Person(new_browser(), name)
    person.sign_up(time_zone="Europe/Vienna")
    told = new_browser().get(f"/profiles/{name}", headers=CHATGPT).json()
    assert (told["time_zone"], told["time_zone_guessed"]) == ("Europe/Vienna", False)


FORMS = {o.path.removeprefix("/account/") for o in SITE.operations if o.method == "POST" and "/account/" in o.path}
# These lead elsewhere.
OTHERS = {"import", "delete", "passkeys/new"}


def test_every_form_of_the_page_says_what_became_of_it() -> None:
    assert {*SITE.enum("AccountForm")} == FORMS - OTHERS
