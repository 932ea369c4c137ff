"""The history and undo, as a person without script finds them."""

import time
from threading import Event
from typing import Any

import httpx
import pytest
import time_machine
from bs4 import Tag

from tests.conftest import AUTHORIZATION
from tests.handlers.test_lists import Assistant, NewBrowser, assistant, follow, notice, page, refused, said
from tests.people import Client, Person, bearer, soup
from tests.replay import assert_log_gives_the_list
from todo.contract import SITE
from todo.domain import changes, users
from todo.domain.users import Owner
from todo.storage.database import open_engine
from todo.storage.statements import Connection

pytestmark = pytest.mark.slow_on_postgresql

__all__ = ["assistant"]  # a fixture

NOW = "2026-11-22T12:00:00Z"
MORNING = "2026-11-30T10:00:00Z"


def lines(page: Tag) -> dict[str, list[str]]:
    """Returns what the history tells, line by line, by its headings."""
    told: dict[str, list[str]] = {}
    for article in page.select("article"):
        told.setdefault(said(article.h3), []).extend(said(tag) for tag in article.select(".told"))
    return told


def form_of(page: Tag) -> dict[str, Any]:
    """Returns the fields of the form that undoes many changes, as a browser would send them."""
    fields: dict[str, Any] = {}
    for tag in page.select("[action='/history/undo-all'] input"):
        if tag["name"] == "change" and (tag["type"] == "hidden" or tag.has_attr("checked")):
            fields.setdefault("change", []).append(tag["value"])
        elif tag["name"] not in ("csrf_token", "change"):
            fields[tag["name"]] = tag["value"]
    return fields


class TestHistory:
    def test_every_change_is_a_sentence_with_before_and_after(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel(NOW):
            todo = assistant.add("A", due="2026-11-23")
            assistant.call("PATCH", f"/{todo['id']}", todo="B", due=None, tags=["t"])
            person.send("/list/act", action="complete", id=str(todo["id"]))
            text = page(person, "/history")
        assert lines(text) == {
            "You": ["completed “B”"],
            "Service key, calls itself “ChatGPT”": [
                "changed “B”: due 23 Nov → none, +#t and 1 more",
                "added “A”, due 23 Nov",
            ],
        }
        rows = [tuple(said(cell) for cell in row.select("th, td")) for row in text.select("tr:has(th[scope=row])")]
        assert rows == [
            ("State", "open", "done"),
            ("Due", "Monday 23 November 2026", "none"),
            ("Tags", "none", "t"),
            ("Text", "A", "B"),
        ]
        assert "Today" in [said(tag) for tag in text.select("h2")]

    def test_it_is_filtered_by_who_and_day(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel("2026-11-20T12:00:00Z"):
            assistant.add("on Friday")
            person.send("/list", todo="mine")
        with time_machine.travel("2026-11-21T12:00:00Z"):
            person.sign_in()
            assistant.add("on Saturday")

            def told(query: str) -> list[str]:
                return [bdi.text for bdi in page(person, f"/history?{query}").select(".told bdi")]

            assert told("who=&day=") == ["on Saturday", "mine", "on Friday"]
            assert told("who=person") == ["mine"]
            assert told("who=assistant:ChatGPT") == ["on Saturday", "on Friday"]
            assert told("who=assistant:ChatGPT&day=2026-11-20") == ["on Friday"]
            assert told("who=operator") == []
            assert person.browser.get("/history?who=nobody").status_code == 400

    def test_an_assistant_that_calls_itself_you_is_quoted(self, person: Person, assistant: Assistant) -> None:
        # Not all of AUTHORIZATION: schemathesis adds a User-Agent of its own to a dict that it is given.
        headers = {"Authorization": AUTHORIZATION["Authorization"], "User-Agent": "You/1.0"}
        added = assistant.http.post(f"/todos/{person.username}", json={"todo": "A"}, headers=headers)
        assert added.status_code == 201, added.text
        text = page(person, "/history")
        assert said(text.select_one("h3")) == "Service key, calls itself “You”"
        assert text.select_one("h3 bdi").text == "You"
        assert not page(person, "/history?who=person").select("article")

    def test_pages_of_it(self, person: Person, assistant: Assistant) -> None:
        for number in range(SITE.limit("page_changes") + 3):
            assistant.add(f"{number}")
        text = page(person, "/history")
        assert len(text.select(".change")) == SITE.limit("page_changes")
        (older,) = text.select("a[href^='/history?cursor=']")
        assert len(page(person, older["href"]).select(".change")) == 3

    def test_undo_warns_of_what_has_changed_since_and_can_leave_that_alone(
        self, person: Person, assistant: Assistant
    ) -> None:
        both = assistant.call(
            "POST", "/changes", actions=[{"action": "add", "todo": "A"}, {"action": "add", "todo": "B"}]
        )
        person.send("/list/act", action="complete", id="1")
        answer = person.send("/history/undo", change_id=str(both["change_id"]), next="/history")
        assert answer.status_code == 409
        assert "Assistant “ChatGPT” added 2 to-dos" in said(soup(answer))
        assert "You completed “A”" in said(soup(answer))
        assert len(assistant.call("GET", "?status=all")["todos"]) == 2
        follow(person, person.send("/history/undo", change_id=str(both["change_id"]), force="on", next="/history"))
        assert [todo["todo"] for todo in assistant.call("GET", "?status=all")["todos"]] == ["A"]

    def test_undo_from_two_pages_at_once_is_done_once(self, person: Person, assistant: Assistant) -> None:
        change_id = str(assistant.add("A")["change_id"])
        assert person.send("/history/undo", change_id=change_id).status_code == 303
        assert person.send("/history/undo", change_id=change_id).status_code == 409
        assert assistant.call("GET")["total"] == 0

    def test_undo_of_what_was_never(self, person: Person) -> None:
        assert "no longer in the history" in refused(person.send("/history/undo", change_id="99"), 404)


class TestUndoingManyChanges:
    def preview(self, person: Person, **asked: str) -> tuple[str, dict[str, Any]]:
        """Returns what the page says, and the fields of the form that does it."""
        answer = person.browser.get(
            "/history/undo", params={"who": "assistant:ChatGPT", "since_day": "2026-11-22", **asked}
        )
        assert answer.status_code == 200, answer.text
        shown = soup(answer)
        return said(shown), form_of(shown)

    def test_it_undoes_what_one_assistant_did_since_then_and_nothing_else(
        self, person: Person, assistant: Assistant
    ) -> None:
        with time_machine.travel("2026-11-22T13:00:00Z"):
            person.sign_in()
            assistant.add("before")
            person.send("/list", todo="mine")
        with time_machine.travel("2026-11-22T14:30:00Z"):
            assistant.add("after")
            assistant.call("PATCH", "/1", todo="changed")
            assistant.call("DELETE", "/2")
            before = assistant.call("GET", "?status=all")["todos"]
            text, form = self.preview(person, since_time="14:00")
            assert "3 changes" in text
            assert assistant.call("GET", "?status=all")["todos"] == before
            text = follow(person, person.send("/history/undo-all", **form))
            assert notice(text) == "You undid 3 changes."
            assert [todo["todo"] for todo in assistant.call("GET", "?sort=oldest")["todos"]] == ["before", "mine"]
            # It is one change, and can be undone too.
            (undoing, *_) = assistant.call("GET", "/changes")["changes"]
            assert undoing["summary"] == "Undid 3 changes."
            assert undoing["actor"] == "person"
            follow(person, person.send("/history/undo", change_id=str(undoing["id"])))
            assert {todo["todo"] for todo in assistant.call("GET", "?status=all")["todos"]} == {"changed", "after"}

    def test_what_others_have_changed_since_stays_and_is_named(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel("2026-11-22T14:30:00Z"):
            person.sign_in()
            assistant.add("A")
            assistant.add("B")
            person.send("/list/edit", id="1", version="1", todo="A, which I keep")
            text, form = self.preview(person)
            assert "1 of the to-dos has been changed since" in text
            assert "You changed “A, which I keep”: was “A”, today 14:30 (change 3)" in text
            follow(person, person.send("/history/undo-all", **form))
            assert [todo["todo"] for todo in assistant.call("GET")["todos"]] == ["A, which I keep"]

    def test_what_came_after_the_preview_is_not_undone(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel("2026-11-22T14:30:00Z"):
            person.sign_in()
            assistant.add("A")
            _, form = self.preview(person)
            assistant.add("later")
            follow(person, person.send("/history/undo-all", **form))
            assert [todo["todo"] for todo in assistant.call("GET")["todos"]] == ["later"]

    def test_another_time_zone_since_the_preview_makes_no_difference(
        self, person: Person, assistant: Assistant
    ) -> None:
        with time_machine.travel("2026-11-22T02:00:00Z"):
            assistant.add("long before")
        with time_machine.travel("2026-11-22T14:30:00Z"):
            person.sign_in()
            assistant.add("A")
            text, form = self.preview(person, since_time="12:00")
            assert "1 change, today" in text
            assistant.http.patch(
                f"/profiles/{person.username}", json={"time_zone": "Pacific/Kiritimati"}, headers=AUTHORIZATION
            )
            follow(person, person.send("/history/undo-all", **form))
            assert [todo["todo"] for todo in assistant.call("GET")["todos"]] == ["long before"]

    def test_a_preview_waits_for_no_write(self, person: Person, assistant: Assistant, database_url: str) -> None:
        assistant.add("A")
        engine, wanted, held = open_engine(database_url), Event(), Event()
        engine.start()

        def hold(connection: Connection) -> None:
            users.open_list(connection, Owner(person.username))
            held.set()
            wanted.wait(20)

        holding = engine.submit_write(hold)
        assert held.wait(5)
        try:
            started = time.monotonic()
            self.preview(person)
            assert time.monotonic() - started < 2
        finally:
            wanted.set()
            holding.result()
            engine.stop()

    def test_so_much_at_once_that_it_is_quick(self, person: Person, assistant: Assistant, database_url: str) -> None:
        engine = open_engine(database_url)
        engine.start()
        owner = Owner(person.username, actor="assistant", client="openai x")
        adding = [{"action": "add", "todo": "a", "notes": "n" * 100} for _ in range(50)]
        editing = [[{"action": "update", "id": n, "todo": f"{k}"} for n in range(1, 51)] for k in range(100)]
        for actions in [adding, *editing]:
            engine.submit_write(changes.apply, owner, actions).result()
        engine.stop()
        started = time.monotonic()
        assert person.browser.get("/history/undo?who=assistant:ChatGPT&since_day=2026-01-01").status_code == 200
        assert time.monotonic() - started < 1
        text, form = self.preview(person, since_day="2026-01-01")
        most = SITE.limit("undone_entries") // 50
        assert f"Only the last {most} are undone at once" in text
        follow(person, person.send("/history/undo-all", **form))
        assert {todo["todo"] for todo in assistant.call("GET")["todos"]} == {f"{99 - most}"}
        assert_log_gives_the_list(database_url, person.username)

    def test_what_is_as_it_was_already_is_no_conflict(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel("2026-11-22T14:30:00Z"):
            person.sign_in()
            added = assistant.add("A")
            person.send("/history/undo", change_id=str(added["change_id"]))
            text, form = self.preview(person)
            assert "There is nothing to undo" in text
            assert "have been changed since" not in text
            form = {"who": "assistant:ChatGPT", "since_id": "1", "until_id": "1", "change": ["1"]}
            assert "Nothing is left to undo" in refused(person.send("/history/undo-all", **form), 409)


@pytest.fixture
def claude(person: Person, new_browser: NewBrowser) -> Assistant:
    """Claude, which the person has connected on 24 November."""
    with time_machine.travel("2026-11-24T08:00:00Z"):
        person.sign_in()
        return connected(person, new_browser())


class Connected(Assistant):
    """An assistant that the person has connected; refreshes its token as time goes by."""

    def __init__(self, person: Person, http: httpx.Client, name: str) -> None:
        super().__init__(http, person.username)
        self.client = Client.registered(http, client_name=name)
        self.take(self.client.connect(person))

    def take(self, tokens: dict[str, Any]) -> None:
        self.tokens, self.headers, self.since = tokens, bearer(tokens["access_token"]), time.time()

    def call(self, method: str, path: str = "", **body: Any) -> dict[str, Any]:
        if time.time() - self.since > self.tokens["expires_in"] / 2:
            self.take(self.client.refresh(self.tokens["refresh_token"]).json())
        return super().call(method, path, **body)


def connected(person: Person, http: httpx.Client, name: str = "Claude") -> Assistant:
    return Connected(person, http, name)


def button(page: Tag, name: str) -> dict[str, str]:
    """Returns the field of the first button with this text, in the form that undoes a change."""
    found = next(tag for tag in page.select("button[form=undo]") if said(tag) == name)
    return {found["name"]: found["value"]}


class TestAtAGlance:
    def test_the_day_is_a_sentence_for_each_actor(self, person: Person, claude: Assistant) -> None:
        with time_machine.travel(MORNING):
            person.sign_in()
            claude.call("POST", "/changes", actions=[{"action": "add", "todo": f"{n}"} for n in range(9)])
            for number in (1, 2, 3, 4):
                claude.call("POST", f"/{number}/complete")
            claude.call("DELETE", "/5")
            person.send("/list", todo="mine")
            glance = page(person, "/history").select_one(".glance")
            assert said(glance.h2) == "Today at a glance"
            claudes, mine = glance.select("li")
            assert said(claudes.p) == "“Claude”, connected 24 November: 9 added, 4 completed, 1 deleted"
            assert said(mine.p) == "You: 1 added"
            review, undo_all = claudes.select("a")
            assert len(page(person, review["href"]).select(".change")) == 6
            assert len(page(person, undo_all["href"]).select("[type=checkbox][checked]")) == 6

    def test_it_is_of_the_day_that_is_shown_or_of_the_latest(self, person: Person, claude: Assistant) -> None:
        with time_machine.travel(MORNING):
            claude.add("A")
        with time_machine.travel("2026-12-02T10:00:00Z"):
            person.sign_in()
            glance = page(person, "/history").select_one(".glance")
            assert said(glance.h2) == "Monday 30 November at a glance"
            person.send("/list", todo="mine")
            assert said(page(person, "/history").select_one(".glance h2")) == "Today at a glance"
            glance = page(person, "/history?day=2026-11-30").select_one(".glance")
            assert said(glance.li.p) == "“Claude”, connected 24 November: 1 added"
            # To undo that day leaves the days after it alone.
            claude.add("B")
            assert len(page(person, glance.select("a")[1]["href"]).select("[type=checkbox]")) == 1
            assert not page(person, "/history?who=person").select(".glance")

    def test_lists_settings_and_what_was_undone_are_told_apart(self, person: Person, assistant: Assistant) -> None:
        person.send("/lists", name="Shop")
        person.send("/trash/empty")
        added = assistant.add("A")
        assistant.add("B")
        person.send("/history/undo", change_id=str(added["change_id"]))
        told = [said(tag.p) for tag in page(person, "/history").select(".glance li")]
        assert told == [
            "You: 1 taken back, 1 change to lists or settings",
            "Service key, calls itself “ChatGPT”: 1 added, 1 change undone",
        ]

    def test_an_import_of_thousands_is_counted_and_the_page_stays_quick(
        self, person: Person, assistant: Assistant
    ) -> None:
        lines = "\n".join(["todo", *(f"to-do {number}" for number in range(5000))])
        answer = person.browser.post(
            "/account/import", data={"csrf_token": person.csrf_token()}, files={"file": ("a.csv", lines, "text/csv")}
        )
        assert answer.status_code == 303
        for number in range(SITE.limit("page_changes")):
            assistant.add(f"{number}")
        started = time.monotonic()
        answer = person.browser.get("/history")
        assert time.monotonic() - started < 1
        assert "You: 5000 added" in said(soup(answer).select_one(".glance"))


class TestLines:
    @pytest.mark.parametrize(
        ("changed", "said_of_it"),
        [
            ({"due": "2026-12-03"}, "changed “Milk”: due 1 Dec → 3 Dec"),
            ({"due": "2027-01-01T18:00"}, "changed “Milk”: due 1 Dec → 1 Jan 2027 18:00"),
            ({"due": None, "priority": "high"}, "changed “Milk”: due 1 Dec → none, priority high"),
            ({"todo": "Oat milk"}, "changed “Oat milk”: was “Milk”"),
            ({"tags": ["b"]}, "changed “Milk”: +#b −#a"),
            ({"notes": "the oat one"}, "changed “Milk”: notes added"),
            ({"repeat": "FREQ=WEEKLY"}, "changed “Milk”: repeats every week"),
            ({"list": "Shop", "create_list": True}, None),
            (
                {"steps": ["Eggs"], "notes": "n", "priority": "low"},
                "changed “Milk”: notes added, priority low and 1 more",
            ),
        ],
    )
    def test_an_edit(
        self, person: Person, assistant: Assistant, changed: dict[str, Any], said_of_it: str | None
    ) -> None:
        with time_machine.travel(MORNING):
            person.sign_in()
            assistant.add("Milk", due="2026-12-01", tags=["a"])
            assistant.call("PATCH", "/1", **changed)
            text = page(person, "/history")
        expected = said_of_it or "changed 1 to-do and added 1 list"
        assert said(text.select_one(".told")) == expected
        assert not text.select_one(".change details").has_attr("open")

    def test_several_to_dos(self, person: Person, assistant: Assistant) -> None:
        assistant.call("POST", "/changes", actions=[{"action": "add", "todo": f"{n}"} for n in range(4)])
        assistant.call(
            "POST",
            "/changes",
            actions=[{"action": "complete", "id": 1}, {"action": "complete", "id": 2}, {"action": "delete", "id": 3}],
        )
        (told,) = lines(page(person, "/history")).values()
        assert told == [
            "completed 2 to-dos: “0”, “1” and deleted “2”",
            "added 4 to-dos: “0”, “1” and 2 more",
        ]

    def test_consecutive_changes_of_one_conversation_are_under_one_heading(
        self, person: Person, assistant: Assistant, claude: Assistant
    ) -> None:
        with time_machine.travel("2026-11-30T10:00:00Z"):
            claude.add("A")
        with time_machine.travel("2026-11-30T10:04:00Z"):
            claude.add("B")
        with time_machine.travel("2026-11-30T10:15:00Z"):
            claude.add("C")  # after a pause
            assistant.add("D")
        with time_machine.travel("2026-11-30T11:45:00Z"):
            assistant.add("E")  # by the same conversation of ChatGPT, which has an id
            person.sign_in()
            told = [[said(line) for line in tag.select(".told")] for tag in page(person, "/history").select("article")]
        assert told == [["added “E”", "added “D”"], ["added “C”"], ["added “B”", "added “A”"]]


class TestRedo:
    def test_what_is_undone_is_grey_and_can_be_redone(self, person: Person, assistant: Assistant) -> None:
        assistant.add("A")
        for _ in range(3):  # wrong today 11: it kept its button, which led nowhere
            text = page(person, "/history")
            assert not text.select("#change-1.undone")
            follow(person, person.send("/history/undo", change_id="1"))
            assert assistant.call("GET")["total"] == 0
            text = page(person, "/history")
            undone = text.select_one("#change-1.undone")
            assert said(undone.select_one(".state")) == "undone"
            assert [said(tag) for tag in undone.select("button")] == ["Redo"]
            follow(person, person.send("/history/undo", **button(undone, "Redo")))
            assert assistant.call("GET")["total"] == 1
            follow(person, person.send("/history/undo", **button(page(person, "/history"), "Undo")))  # the redo, too
            assert page(person, "/history").select_one("#change-1.undone")
            follow(person, person.send("/history/undo", **button(page(person, "/history"), "Undo")))
            assert assistant.call("GET")["total"] == 1
            assert not page(person, "/history").select("#change-1.undone")

    def test_what_was_undone_with_others_is_redone_with_them(self, person: Person, assistant: Assistant) -> None:
        assistant.add("A")
        assistant.add("B")
        form = form_of(page(person, "/history/undo?who=assistant:ChatGPT"))
        follow(person, person.send("/history/undo-all", **form))
        text = page(person, "/history")
        assert [tag["id"] for tag in text.select(".undone")] == ["change-2", "change-1"]
        told = [said(tag.p) for tag in text.select(".glance li")]
        assert told == ["Service key, calls itself “ChatGPT”: all undone", "You: 2 taken back"]
        follow(person, person.send("/history/undo", **button(text, "Redo all")))
        assert assistant.call("GET")["total"] == 2
        assert [tag["id"] for tag in page(person, "/history").select(".undone")] == ["change-3"]

    def test_what_is_undone_in_part_is_not_undone(self, person: Person, assistant: Assistant) -> None:
        assistant.call("POST", "/changes", actions=[{"action": "add", "todo": "A"}, {"action": "add", "todo": "B"}])
        person.send("/list/act", action="complete", id="1")
        follow(person, person.send("/history/undo", change_id="1", force="on"))
        assert not page(person, "/history").select(".undone")

    def test_an_assistants_own_undo_counts(self, person: Person, assistant: Assistant) -> None:
        assistant.add("A")
        assistant.call("POST", "/changes/1/undo")
        assert page(person, "/history").select_one("#change-1.undone")


# Not all of AUTHORIZATION: schemathesis adds a User-Agent of its own to a dict that it is given.
SERVICE_KEY_AS_CLAUDE = {"Authorization": AUTHORIZATION["Authorization"], "User-Agent": "Claude/1.0"}


class TestActorsAreGrants:
    def test_a_program_that_calls_itself_like_a_connected_assistant_is_another(
        self, person: Person, claude: Assistant, new_browser: NewBrowser
    ) -> None:
        pretender = Assistant(new_browser(), person.username, SERVICE_KEY_AS_CLAUDE)
        with time_machine.travel(MORNING):
            person.sign_in()
            other = connected(person, new_browser())
            claude.add("of the first")
            other.add("of the second")
            pretender.add("of the service key")
            text = page(person, "/history")
            assert lines(text) == {
                "Service key, calls itself “Claude”": ["added “of the service key”"],
                "“Claude”, connected 30 November": ["added “of the second”"],
                "“Claude”, connected 24 November": ["added “of the first”"],
            }
            keys = [option["value"] for option in text.select("#who option")[1:]]
            told = [[bdi.text for bdi in page(person, f"/history?who={key}").select(".told bdi")] for key in keys]
            assert sorted(told) == [["of the first"], ["of the second"], ["of the service key"]]
            # Undoing all by one leaves the others alone.
            form = form_of(page(person, f"/history/undo?who={keys[told.index(['of the first'])]}"))
            follow(person, person.send("/history/undo-all", **form))
            left = [todo["todo"] for todo in claude.call("GET", "?sort=oldest")["todos"]]
            assert left == ["of the second", "of the service key"]
            # The API tells them as before.
            told = [(change["actor"], change.get("client")) for change in claude.call("GET", "/changes")["changes"]]
            assert told == [("person", None)] + [("assistant", "Claude")] * 3

    def test_two_of_one_day_and_two_that_have_gone_are_told_apart(
        self, person: Person, new_browser: NewBrowser
    ) -> None:
        with time_machine.travel("2026-11-30T09:00:00Z"):
            person.sign_in()
            first = connected(person, new_browser())
        with time_machine.travel(MORNING):
            first.add("1")
            connected(person, new_browser()).add("2")
            headings = list(lines(page(person, "/history")))
            assert headings == ["“Claude”, connected 30 November (2)", "“Claude”, connected 30 November"]
            person.send("/account/disconnect", grant_id=person.grant_id())
            assert sorted(lines(page(person, "/history")))[1] == "“Claude”, disconnected"
            person.send("/account/disconnect", grant_id=person.grant_id())
            text = page(person, "/history")
            assert len(lines(text)) == 2
            assert all(heading.startswith("“Claude”, disconnected (") for heading in lines(text))
            # What they did can still be undone.
            who = text.select("#who option")[1]["value"]
            follow(person, person.send("/history/undo-all", **form_of(page(person, f"/history/undo?who={who}"))))
            assert len(page(person, "/history").select(".undone")) == 1

    def test_in_what_is_in_the_way(self, person: Person, claude: Assistant) -> None:
        with time_machine.travel(MORNING):
            person.sign_in()
            person.send("/list", todo="A")
            claude.call("PATCH", "/1", todo="B")
            answer = person.send("/history/undo", change_id="1")
        assert "“B”: Assistant “Claude” (connected 24 November) changed “B”: was “A”" in said(soup(answer).main)


class TestChoosing:
    def test_only_what_stays_ticked_is_undone(self, person: Person, assistant: Assistant) -> None:
        for text in ("A", "B", "C"):
            assistant.add(text)
        form = form_of(page(person, "/history/undo?who=assistant:ChatGPT"))
        assert form["change"] == ["3", "2", "1"]
        assert notice(follow(person, person.send("/history/undo-all", **{**form, "change": ["3", "1"]}))) == (
            "You undid 2 changes."
        )
        assert [todo["todo"] for todo in assistant.call("GET")["todos"]] == ["B"]

    def test_it_shows_now_and_after(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel("2026-11-20T12:00:00Z"):
            assistant.add("A", due="2026-12-01")
        with time_machine.travel(NOW):
            person.sign_in()
            assistant.call("PATCH", "/1", due="2026-12-03")
            assistant.call("PATCH", "/1", due="2026-12-05")
            text = page(person, "/history/undo?who=assistant:ChatGPT&since_day=2026-11-22")
        for table in text.select(".change table"):
            assert [said(cell) for cell in table.select("thead th")][1:] == ["Now", "After"]
            (row,) = table.select("tbody tr")
            expected = ["Due", "Saturday 5 December 2026", "Tuesday 1 December 2026"]
            assert [said(cell) for cell in row.select("th, td")] == expected

    def test_an_assistants_own_later_change_is_not_by_somebody_else(self, person: Person, assistant: Assistant) -> None:
        """Wrong today 10: the preview named the assistant's last change, which it undoes, as the one in the way."""
        assistant.add("A")
        person.send("/list/edit", id="1", version="1", todo="B")
        assistant.call("PATCH", "/1", todo="C")
        text = page(person, "/history/undo?who=assistant:ChatGPT")
        assert "somebody else" not in said(text)
        (told,) = text.select(".staying li")
        assert "You changed “B”: was “A”" in said(told)
        assert "ChatGPT" not in said(told)
        follow(person, person.send("/history/undo-all", **form_of(text)))
        assert [todo["todo"] for todo in assistant.call("GET")["todos"]] == ["B"]

    def test_what_stays_because_of_a_change_that_is_kept_is_shown_first(
        self, person: Person, assistant: Assistant
    ) -> None:
        assistant.add("A")
        assistant.call("PATCH", "/1", todo="B")
        form = form_of(page(person, "/history/undo?who=assistant:ChatGPT"))
        answer = person.send("/history/undo-all", **{**form, "change": ["1"]})
        assert refused(answer, 409).startswith("Nothing has been undone yet.")
        assert "“ChatGPT” (service key) changed “B”: was “A”" in said(soup(answer).select_one(".staying li"))
        assert form_of(soup(answer))["change"] == ["1"]
        assert assistant.call("GET")["todos"][0]["todo"] == "B"

    def test_nothing_is_left_out_that_the_preview_did_not_show(self, person: Person, assistant: Assistant) -> None:
        assistant.add("A")
        assistant.add("B")
        form = form_of(page(person, "/history/undo?who=assistant:ChatGPT"))
        person.send("/list/edit", id="1", version="1", todo="A, which I keep")
        answer = person.send("/history/undo-all", **form)
        assert refused(answer, 409).startswith("Nothing has been undone yet.")
        assert assistant.call("GET")["total"] == 2
        follow(person, person.send("/history/undo-all", **form_of(soup(answer))))
        assert [todo["todo"] for todo in assistant.call("GET")["todos"]] == ["A, which I keep"]

    def test_to_look_again_undoes_nothing(self, person: Person, assistant: Assistant) -> None:
        assistant.add("A")
        assistant.add("B")
        form = form_of(page(person, "/history/undo?who=assistant:ChatGPT"))
        answer = person.send("/history/undo-all", **{**form, "change": ["2"], "look": "again"})
        assert answer.status_code == 200
        assert [tag["value"] for tag in soup(answer).select("[type=checkbox]")] == ["2", "1"]
        assert form_of(soup(answer))["change"] == ["2"]
        assert [said(tag) for tag in soup(answer).select("table caption")] == ["Taken back B"]
        nothing = {name: value for name, value in form.items() if name != "change"}
        assert person.send("/history/undo-all", **nothing).status_code == 200
        assert assistant.call("GET")["total"] == 2

    def test_what_was_undone_already_has_no_box(self, person: Person, assistant: Assistant) -> None:
        assistant.add("A")
        assistant.add("B")
        person.send("/history/undo", change_id="1")
        text = page(person, "/history/undo?who=assistant:ChatGPT")
        assert [tag["value"] for tag in text.select("[type=checkbox]")] == ["2"]
        assert said(text.select_one(".undone .told")) == "added “A” undone"
        assert notice(follow(person, person.send("/history/undo-all", **form_of(text)))) == "You undid 1 change."

    @pytest.mark.parametrize("chosen", [["4"], ["1", "4"], ["99"]])
    def test_no_change_that_was_not_offered(self, person: Person, assistant: Assistant, chosen: list[str]) -> None:
        for text in ("A", "B", "C"):
            assistant.add(text)
        person.send("/list", todo="mine")
        form = form_of(page(person, "/history/undo?who=assistant:ChatGPT"))
        refused(person.send("/history/undo-all", **{**form, "change": chosen}), 404)
        assert assistant.call("GET")["total"] == 4

    def test_no_more_changes_than_the_limit_and_only_numbers(self, person: Person, assistant: Assistant) -> None:
        assistant.add("A")
        form = form_of(page(person, "/history/undo?who=assistant:ChatGPT"))
        many = [f"{number}" for number in range(1, SITE.limit("undone_changes") + 2)]
        for wrong in (many, ["x"], ["1", "-1"]):
            assert person.send("/history/undo-all", **{**form, "change": wrong}).status_code == 400
        assert person.send("/history/undo-all", **{**form, "who": ["person", "operator"]}).status_code == 400

    def test_the_last_hour_and_this_conversation(self, person: Person, claude: Assistant) -> None:
        def offered(query: str) -> list[str]:
            text = page(person, f"/history/undo?who={who}&{query}")
            return [bdi.text for bdi in text.select(".told bdi")]

        for hour, minute in ((8, 0), (10, 20), (10, 22), (10, 55)):
            with time_machine.travel(f"2026-11-30T{hour:02}:{minute:02}:00Z"):
                claude.add(f"at {hour}:{minute:02}")
        with time_machine.travel("2026-11-30T11:10:00Z"):
            person.sign_in()
            glance = page(person, "/history").select_one(".glance")
            who = glance.select("a")[1]["href"].partition("who=")[2].partition("&")[0]
            assert offered("") == ["at 10:55", "at 10:22", "at 10:20", "at 8:00"]
            assert offered("within=hour") == ["at 10:55", "at 10:22", "at 10:20"]
            assert offered("conversation=2") == offered("conversation=3") == ["at 10:22", "at 10:20"]
            text = page(person, f"/history/undo?who={who}")
            names = {said(link): link["href"] for link in text.select(".presets a")}
            assert list(names) == ["Today", "The last hour", "This conversation"]
            assert said(text.select_one(".presets [aria-current]")) == "Today"
            assert [bdi.text for bdi in page(person, names["This conversation"]).select(".told bdi")] == ["at 10:55"]
            (link,) = page(person, "/history").select(".heading a")
            assert [bdi.text for bdi in page(person, link["href"]).select(".told bdi")] == ["at 10:22", "at 10:20"]
            assert person.browser.get(f"/history/undo?who={who}&conversation=99").status_code == 404
            assert person.browser.get(f"/history/undo?who={who}&within=year").status_code == 400


def test_to_connect_an_assistant_is_to_let_it_share(person: Person, new_browser: NewBrowser) -> None:
    client = Client.registered(new_browser(), client_name="Claude")
    asked = person.browser.get("/oauth/authorize", params=client.asks())
    assert "share one by a public link" in said(soup(asked).main)
    connected(person, new_browser())
    account = page(person, "/account")
    assert "share one by a public link" in said(account.main)


def test_dates_on_the_account_and_in_the_trash(person: Person, claude: Assistant) -> None:
    with time_machine.travel(MORNING):
        person.sign_in()
        claude.add("A")
        claude.call("DELETE", "/1")
        told = said(page(person, "/account").select_one("[aria-labelledby=assistant-1] .status"))
        assert told == "Connected 24 November. Last active today 10:00."
        assert "Deleted today 10:00" in said(page(person, "/trash"))


def test_a_date_without_a_time_is_in_no_zone(person: Person, assistant: Assistant) -> None:
    """The title of a shared to-do's date said `Friday (UTC)`."""
    with time_machine.travel(NOW):
        person.sign_in()
        for due, told in (("2026-11-27", "2026"), ("2026-11-27T18:00", "2026, 18:00 (UTC)")):
            todo = assistant.add("A", due=due, priority="high" if "T" in due else "low")
            shared = assistant.call("POST", f"/{todo['id']}/share")["url"]
            text = soup(person.browser.get(f"/s/{shared.rpartition('/')[2]}"))
            assert f"Due Friday 27 November {told}. " in said(text.main)
            assert not text.main.select("[title]")
        assert all("UTC" not in tag["title"] or "18:00" in tag["title"] for tag in page(person).select("time[title]"))
