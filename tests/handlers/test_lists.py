"""The list, the history and the trash, as a person without script finds them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import time_machine
from bs4 import BeautifulSoup, Tag
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION
from tests.people import Person, field, soup
from tests.replay import assert_bytes_are_counted, assert_log_gives_the_list, bytes_of_list
from todo.contract import SITE
from todo.domain import trash, users
from todo.domain.users import Owner
from todo.storage.database import open_engine
from todo.storage.engine import Engine
from todo.storage.statements import Connection
from todo.web import assets

pytestmark = pytest.mark.slow_on_postgresql

NewBrowser = Callable[[], TestClient]
NOW = "2026-11-22T12:00:00Z"
CHATGPT = {**AUTHORIZATION, "openai-conversation-id": "0123456789abcdef"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u05d7\u05dc\u05d1 \u0648\u062e\u0628\u0632 <b>and more</b>",
    "😀" * 500,
    "W" * 500,
    "{{ 7 * 7 }} {% raw %}",
]


class Assistant:
    """An assistant at one person's list: ChatGPT with the service key, or another with its own headers."""

    def __init__(self, http: httpx.Client, username: str, headers: dict[str, str] = CHATGPT) -> None:
        self.http = http
        self.username = username
        self.headers = headers

    def call(self, method: str, path: str = "", **body: Any) -> dict[str, Any]:
        answer = self.http.request(method, f"/todos/{self.username}{path}", json=body, headers=self.headers)
        assert answer.status_code < 300, answer.text
        return dict(answer.json())

    def add(self, todo: str, **fields: Any) -> dict[str, Any]:
        return self.call("POST", todo=todo, **fields)


@pytest.fixture
def assistant(person: Person, new_browser: NewBrowser) -> Assistant:
    return Assistant(new_browser(), person.username)


def page(person: Person, path: str = "/list") -> BeautifulSoup:
    answer = person.browser.get(path)
    assert answer.status_code == 200, answer.text
    return soup(answer)


def said(tag: Tag) -> str:
    """Returns the text of a part of a page, on one line."""
    return " ".join(tag.get_text().split())


def parts(page: Tag) -> dict[str, list[str]]:
    """Returns the texts of the to-dos under each heading of the list."""
    return {section["aria-labelledby"]: shown(section) for section in page.select("section[aria-labelledby]")}


def shown(page: Tag) -> list[str]:
    return [tag.text for tag in page.select("p.text > bdi:first-child")]


def follow(person: Person, answer: httpx.Response) -> BeautifulSoup:
    assert answer.status_code == 303, answer.text
    return page(person, answer.headers["location"])


def notice(page: Tag) -> str:
    return said(page.select_one("#notice p"))


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    (found,) = soup(answer).select(".refused[role=alert] > p:first-child")
    return said(found)


FILES = {assets.url(name) for name in SITE.schema("StaticFile")["enum"]}


class TestWhoMaySee:
    @pytest.mark.parametrize(
        "path", ["/list?q=milk", "/history", "/trash", "/history/undo?who=person&since_day=2026-11-22"]
    )
    def test_who_is_not_signed_in_signs_in_and_comes_back(
        self, person: Person, new_browser: NewBrowser, path: str
    ) -> None:
        other = Person(new_browser(), person.username)
        answer = other.browser.get(path)
        assert answer.status_code == 303
        following = httpx.URL(answer.headers["location"]).params["next"]
        assert following == path
        assert other.sign_in(next=following).headers["location"] == path

    @pytest.mark.parametrize(
        ("path", "fields", "following"),
        [
            ("/trash/empty", {}, "/trash"),
            ("/history/undo", {"change_id": "1"}, "/history"),
            ("/history/undo", {"change_id": "1", "next": "/list?q=milk"}, "/list?q=milk"),
            ("/list/act", {"id": "1", "action": "delete", "next": "https://evil.example/"}, "/list"),
            ("/list/act", {"id": "1", "action": "delete", "next": "//evil.example/"}, "/list"),
        ],
    )
    def test_form_without_a_session_leads_to_sign_in_and_back_to_its_page(
        self, new_browser: NewBrowser, path: str, fields: dict[str, str], following: str
    ) -> None:
        answer = Person(new_browser(), "x").send(path, **fields)
        assert answer.status_code == 303
        location = httpx.URL(answer.headers["location"])
        assert (location.path, location.params["next"]) == ("/sign-in", following)

    def test_nobody_sees_or_changes_the_list_of_another(
        self, person: Person, assistant: Assistant, new_browser: NewBrowser
    ) -> None:
        todo = assistant.add("Mine")
        other = Person(new_browser(), f"{person.username}-other")
        other.sign_up()
        assert parts(page(other)) == {"today": []}
        assert other.send("/list/act", action="complete", id=str(todo["id"])).status_code == 404
        assert other.send("/history/undo", change_id="1").status_code == 404
        assert parts(page(person))["undated"] == ["Mine"]

    def test_pages_load_nothing_from_elsewhere(self, person: Person) -> None:
        for path in ("/list", "/history", "/trash", "/account"):
            response = person.browser.get(path)
            policy = response.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'")
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert response.headers["x-frame-options"] == "DENY"
            assert response.headers["referrer-policy"] == "no-referrer"
            assert response.headers["x-content-type-options"] == "nosniff"
            tags = soup(response).find_all(True)
            assert {tag.get("src") for tag in tags if tag.name == "script"} <= FILES
            assert not [name for tag in tags for name in tag.attrs if name == "style" or name.startswith("on")]
            assert not re.search(r"https?://(?!localhost|www\.rfc)", response.text)


class TestList:
    def test_to_dos_stand_where_they_belong(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel(NOW):
            for due in ("2026-11-21", "2026-11-22T11:59", "2026-11-22", "2026-11-22T12:00", "2026-11-23", None):
                assistant.add(str(due), due=due)
            done = assistant.add("done")
            assistant.call("POST", f"/{done['id']}/complete")
            gone = assistant.add("gone")
            assistant.call("DELETE", f"/{gone['id']}")
            assert parts(page(person)) == {
                "overdue": ["2026-11-21", "2026-11-22T11:59"],
                "today": ["2026-11-22", "2026-11-22T12:00"],
                "upcoming": ["2026-11-23"],
                "undated": ["None"],
                "done": ["done"],
            }

    def test_due_dates_are_said_and_told(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel(NOW):
            assistant.add("A", due="2026-11-23T18:00")
            due = page(person).time
        assert due.attrs == {"datetime": "2026-11-23T18:00", "title": "Monday 23 November 2026, 18:00 (UTC)"}
        assert due.text == "tomorrow 18:00"

    def test_add_says_so_and_can_be_undone_at_once(self, person: Person) -> None:
        text = follow(person, person.send("/list", todo="Buy milk"))
        assert notice(text) == "You added “Buy milk”."
        assert parts(text)["undated"] == ["Buy milk"]
        change_id = text.select_one("#undo-notice[form=undo][name=change_id]")["value"]
        text = follow(person, person.send("/history/undo", change_id=change_id, next="/list"))
        assert notice(text) == f"You took back change {change_id}."
        assert parts(text) == {"today": []}

    def test_add_with_everything(self, person: Person, assistant: Assistant) -> None:
        fields = {
            "todo": " Buy milk ",
            "notes": "oat\r\nnot soy",
            "due_day": "2026-11-27",
            "due_time": "18:00:00",
            "priority": "high",
            "tags": "home, , shop,Home",
            "repeat": "FREQ=WEEKLY",
        }
        follow(person, person.send("/list", **fields))
        (todo,) = assistant.call("GET")["todos"]
        assert todo["todo"] == "Buy milk"
        assert todo["notes"] == "oat\r\nnot soy"
        assert (todo["due"], todo["priority"], todo["repeat"]) == ("2026-11-27T18:00", "high", "FREQ=WEEKLY")
        assert todo["tags"] == ["home", "shop"]

    def test_edit_shows_a_form_and_saves_what_it_says(self, person: Person, assistant: Assistant) -> None:
        todo = assistant.add("A", notes="n", due="2026-11-27T18:00", tags=["t", "u"], repeat="FREQ=DAILY;INTERVAL=3")
        form = page(person, f"/list?edit={todo['id']}").select_one("form.editing, .editing form")
        fields = {tag["name"]: tag.get("value") for tag in form.select("input[name]")}
        expected = {"todo": "A", "due_day": "2026-11-27", "due_time": "18:00", "tags": "t, u"}
        assert {name: fields[name] for name in expected} == expected
        assert "every 3 days" in said(form)
        sent = {"id": str(todo["id"]), "version": "1", "todo": "B", "due_day": "2026-11-28", "notes": "", "tags": ""}
        text = follow(person, person.send("/list/edit", **sent, next="/list?edit=1&q=b"))
        assert notice(text) == "You changed “B”."
        saved = assistant.call("GET", f"/{todo['id']}")
        assert saved["todo"] == "B"
        assert saved["due"] == "2026-11-28"
        assert not {"notes", "tags", "repeat"} & saved.keys()

    def test_an_edit_that_changes_nothing_is_no_change(self, person: Person, assistant: Assistant) -> None:
        todo = assistant.add("A")
        answer = person.send("/list/edit", id=str(todo["id"]), version="1", todo="A")
        assert answer.headers["location"] == "/list"

    def test_an_edit_of_what_has_changed_since_is_not_lost_and_loses_nothing(
        self, person: Person, assistant: Assistant
    ) -> None:
        todo = assistant.add("A")
        assistant.call("PATCH", f"/{todo['id']}", todo="By ChatGPT")
        sent = {"id": str(todo["id"]), "version": "1", "todo": "Mine"}
        answer = person.send("/list/edit", **sent)
        assert refused(answer, 409) == "Assistant “ChatGPT” changed the text to “By ChatGPT”."
        assert soup(answer).select("input[name=todo][value=Mine]")
        assert assistant.call("GET", f"/{todo['id']}")["todo"] == "By ChatGPT"
        sent["version"] = field(answer, "version")
        follow(person, person.send("/list/edit", **sent))
        assert assistant.call("GET", f"/{todo['id']}")["todo"] == "Mine"

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"due_time": "18:00"}, "The date needs a day beside the time."),
            ({"repeat": "FREQ=DAILY"}, "How it repeats needs due"),
            ({"tags": "x" * 51}, "tags.0 must have at most 50 characters."),
            ({"tags": ",".join(map(str, range(21)))}, "The tags must have at most 20 items."),
        ],
    )
    def test_what_a_form_gets_wrong_is_said_and_kept(self, person: Person, fields: dict[str, str], wrong: str) -> None:
        answer = person.send("/list", todo="Keep me", **fields)
        assert wrong.rstrip(".") in refused(answer, 400)
        assert field(answer, "todo") == "Keep me"

    def test_complete_reopen_and_delete(self, person: Person, assistant: Assistant) -> None:
        todo_id = str(assistant.add("A")["id"])
        text = follow(person, person.send("/list/act", action="complete", id=todo_id, next="/list"))
        assert (notice(text), parts(text)["done"]) == ("You completed “A”.", ["A"])
        text = follow(person, person.send("/list/act", action="reopen", id=todo_id, next="/list"))
        assert (notice(text), parts(text)["undated"]) == ("You reopened “A”.", ["A"])
        text = follow(person, person.send("/list/act", action="delete", id=todo_id, next="/list"))
        assert (notice(text), parts(text)) == ("You deleted “A”.", {"today": []})
        assert "no longer exists" in refused(person.send("/list/act", action="complete", id=todo_id), 404)

    def test_search_and_tags(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Straße fegen", tags=["Home"])
        assistant.add("Buy milk", notes="for home")
        assert parts(page(person, "/list?q=STRASSE"))["undated"] == ["Straße fegen"]
        assert parts(page(person, "/list?tag=home"))["undated"] == ["Straße fegen"]
        assert parts(page(person, "/list?q=FEGEN+strasse"))["undated"] == ["Straße fegen"]
        assert "Nothing found." in said(page(person, "/list?q=strasse+milk"))
        assert parts(page(person, "/list?q=h%C3%B4me"))["undated"] == ["Buy milk", "Straße fegen"]
        assert parts(page(person, "/list?q=home"))["undated"] == ["Buy milk", "Straße fegen"]
        assert "Nothing found." in said(page(person, "/list?q=nothing"))
        assert len(parts(page(person, "/list?q=&tag="))["undated"]) == 2

    def test_long_parts_come_in_pages(self, person: Person, assistant: Assistant) -> None:
        most, all_of_them = SITE.limit("page_todos"), [f"{number:03}" for number in range(120)]
        for start in range(0, 120, 40):
            actions = [{"action": "add", "todo": text} for text in all_of_them[start : start + 40]]
            assistant.call("POST", "/changes", actions=actions)
        all_of_them.reverse()  # the newest is on top
        text = page(person)
        assert parts(text)["undated"] == all_of_them[: SITE.limit("section_todos")]
        assert "All 120: no date" in said(text)
        found: list[str] = []
        path = "/list?section=undated"
        while path:
            text = page(person, path)
            found += parts(text)["undated"]
            assert len(parts(text)["undated"]) <= most
            more = text.find("a", string="More")
            path = more["href"] if more else ""
        assert found == all_of_them
        assert person.browser.get("/list?section=done&cursor=x").status_code == 400

    @pytest.mark.parametrize("hostile", HOSTILE)
    def test_hostile_text_is_text(self, person: Person, assistant: Assistant, hostile: str) -> None:
        todo = assistant.add(hostile, notes=hostile, tags=[hostile[:50]])
        assistant.call("POST", f"/{todo['id']}/share")
        assert parts(page(person))["undated"] == [hostile]
        for path in ("/list?edit=1", "/history", f"/list?changed={todo['change_id']}"):
            text = page(person, path)
            assert not text.select("script:not([src]), img[src=x]")
            assert hostile in text.get_text() or text.select("[name=todo]")[-1]["value"] == hostile
        assistant.call("DELETE", f"/{todo['id']}")
        assert shown(page(person, "/trash")) == [hostile]


class TestTrash:
    def test_restore(self, person: Person, assistant: Assistant) -> None:
        todo = assistant.add("A")
        assert "The trash is empty" in said(page(person, "/trash"))
        assistant.call("DELETE", f"/{todo['id']}")
        assert shown(page(person, "/trash")) == ["A"]
        text = follow(person, person.send("/list/act", action="restore", id=str(todo["id"]), next="/trash"))
        assert (notice(text), shown(text)) == ("You restored “A”.", [])
        assert parts(page(person))["undated"] == ["A"]

    def test_emptying_removes_for_good_also_from_the_log(self, person: Person, assistant: Assistant) -> None:
        kept, secret = assistant.add("kept"), assistant.add("a secret word")
        assistant.call("DELETE", f"/{secret['id']}")
        follow(person, person.send("/trash/empty"))
        assert shown(page(person, "/trash")) == []
        assert assistant.call("GET", "?status=deleted")["total"] == 0
        export = person.browser.get("/account/export").text
        assert "a secret word" not in export
        assert [todo["id"] for todo in assistant.call("GET")["todos"]] == [kept["id"]]
        assert "emptied the trash of 1 to-do" in said(page(person, "/history"))
        # An empty one is left as it is.
        before = assistant.call("GET", "/changes")["returned"]
        follow(person, person.send("/trash/empty"))
        assert assistant.call("GET", "/changes")["returned"] == before

    def test_emptying_leaves_no_text_anywhere(self, person: Person, assistant: Assistant, database_url: str) -> None:
        deleted = assistant.add("a secret word", request_id="k1")
        assistant.call("DELETE", f"/{deleted['id']}", request_id="k2")
        undone = assistant.add("a secret word, taken back", request_id="k3")
        assistant.call("POST", f"/changes/{undone['change_id']}/undo", request_id="k4")
        follow(person, person.send("/trash/empty"))
        assert "a secret word" not in everything(database_url, person.username)
        assert_log_gives_the_list(database_url, person.username)

    def test_what_was_undone_is_removed_also_where_the_trash_is_empty(
        self, person: Person, assistant: Assistant, database_url: str
    ) -> None:
        kept, undone = assistant.add("kept"), assistant.add("a secret word")
        assistant.call("POST", f"/changes/{undone['change_id']}/undo")
        follow(person, person.send("/trash/empty"))
        assert "a secret word" not in everything(database_url, person.username)
        assert [todo["id"] for todo in assistant.call("GET")["todos"]] == [kept["id"]]
        assert "emptied the trash" in said(page(person, "/history"))
        assert_log_gives_the_list(database_url, person.username)

    def test_very_many_are_removed_in_several_writes(
        self, person: Person, assistant: Assistant, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("todo.domain.trash.PURGE_BATCH", 3)
        for number in range(10):
            added = assistant.add(f"{number}", request_id=f"k{number}")
            assistant.call("DELETE", f"/{added['id']}")
        follow(person, person.send("/trash/empty"))
        assert assistant.call("GET", "?status=deleted")["total"] == 0
        assert_log_gives_the_list(database_url, person.username)

    def test_a_long_past_is_removed_in_several_writes(
        self, person: Person, assistant: Assistant, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("todo.domain.purge.MAX_ENTRIES", 3)
        for number in (1, 2):
            assistant.add(f"a secret word {number}")
            for note in range(4):
                assistant.call("PATCH", f"/{number}", notes=f"a secret word {note}")
            assistant.call("DELETE", f"/{number}")
        until_id = assistant.call("GET", "/changes")["changes"][0]["id"]
        with running(database_url) as engine:
            owner = Owner(person.username)
            more = [engine.submit_write(trash.empty_some, owner, until_id).result() for _ in range(4)]
            assert more == [True, True, True, False]
        assert "a secret word" not in everything(database_url, person.username)
        assert assistant.call("GET", "?status=deleted")["total"] == 0
        assert_log_gives_the_list(database_url, person.username)


def everything(database_url: str, username: str) -> str:
    """Returns all that is stored of a list."""
    with running(database_url) as engine:
        user_id = engine.submit_read(lambda connection: users.find(connection, Owner(username)).id).result()
        return "".join(
            f"{dict(row)}"
            for table in ("todos", "changes", "answers")
            for row in engine.submit_read(_rows, table, user_id).result()
        )


@contextmanager
def running(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def _rows(connection: Connection, table: str, user_id: int) -> list[Any]:
    return list(connection.driver.execute(f"SELECT * FROM {table} WHERE user_id = {user_id}").fetchall())


class TestClearingHistory:
    @pytest.fixture
    def old(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel("2026-11-20T12:00:00Z"):
            person.sign_in()
            assistant.add("A")
            assistant.call("PATCH", "/1", todo="B")
        with time_machine.travel("2026-11-21T12:00:00Z"):
            assistant.call("PATCH", "/1", todo="C")

    @pytest.mark.usefixtures("old")
    def test_it_removes_what_is_older_than_a_day(
        self, person: Person, assistant: Assistant, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("todo.domain.history.CLEAR_BATCH", 1)
        with time_machine.travel("2026-11-22T12:00:00Z"):
            person.sign_in()
            before = everything(database_url, person.username)
            assert "can no longer be undone" in said(page(person, "/history"))
            text = follow(person, person.send("/history/clear", before_day="2026-11-21"))
            assert "cleared the history before 2026-11-21" in said(text)
            told = [change["summary"] for change in assistant.call("GET", "/changes")["changes"]]
            assert told == ["Cleared the history before 2026-11-21.", "Changed 1 to-do."]
            assert len(everything(database_url, person.username)) < len(before)
            assert_bytes_are_counted(database_url, person.username)
            # What is left can be undone, and what is gone is nothing that an undo knows.
            assert person.send("/history/undo", change_id="3").status_code == 303
            assert person.send("/history/undo", change_id="1").status_code == 404
            assert assistant.call("GET")["todos"][0]["todo"] == "B"

    @pytest.mark.usefixtures("old")
    def test_it_makes_room_in_a_full_list(
        self, person: Person, assistant: Assistant, monkeypatch: pytest.MonkeyPatch, database_url: str
    ) -> None:
        with time_machine.travel("2026-11-22T12:00:00Z"):
            person.sign_in()
            full = bytes_of_list(database_url, person.username)
            monkeypatch.setattr("todo.domain.quota.MAX_BYTES", full)
            assert "takes up too much space" in refused(person.send("/list", todo="D"), 409)
            follow(person, person.send("/history/clear", before_day="2026-11-22"))
            follow(person, person.send("/list", todo="D"))

    def test_not_of_days_to_come(self, person: Person, assistant: Assistant) -> None:
        assistant.add("A")
        assert "must not be in the future" in refused(person.send("/history/clear", before_day="2199-01-01"), 400)
        assert person.send("/history/clear", before_day="2020-01-01").status_code == 303
        assert len(assistant.call("GET", "/changes")["changes"]) == 1


class TestLive:
    def version(self, person: Person) -> str:
        return str(page(person).main["data-version"])

    def test_it_says_whether_the_list_has_changed(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel(NOW):
            person.sign_in()
            version = self.version(person)
            asked = {"If-None-Match": version}
            assert person.browser.get("/live", headers=asked).status_code == 304
            assistant.add("A")
            answer = person.browser.get("/live", headers=asked)
            assert (answer.status_code, answer.headers["etag"]) == (200, self.version(person))

    def test_time_changes_pages_too(self, person: Person) -> None:
        with time_machine.travel(NOW) as clock:
            person.sign_in()
            asked = {"If-None-Match": self.version(person)}
            clock.shift(601)
            assert person.browser.get("/live", headers=asked).status_code == 200

    @pytest.mark.parametrize("cookie", ["", "session=x", "session=todo_se_x", 'session="', 'session=\\"; ;;'])
    def test_nobody_is_told_nothing(self, new_browser: NewBrowser, cookie: str) -> None:
        assert new_browser().get("/live", headers={"Cookie": cookie}).status_code == 204


def test_rule_that_ends_on_no_day_is_refused_and_shown_again(person: Person) -> None:
    answer = person.send("/list", todo="Buy milk", due_day="2026-11-27", repeat="FREQ=DAILY;UNTIL=20382183")
    assert answer.status_code == 400
    assert "until 20382183" in answer.text
