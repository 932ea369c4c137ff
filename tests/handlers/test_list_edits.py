"""Edits on the page of the list: merged with those of others, of several to-dos at once, and each done once."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from starlette.testclient import TestClient

from tests.handlers.test_lists import Assistant, follow, notice, page, parts, refused, said
from tests.people import Person, field, soup

pytestmark = pytest.mark.slow_on_postgresql

NewBrowser = Callable[[], TestClient]
NOW = "2026-11-25T12:00:00Z"  # a Wednesday


@pytest.fixture
def assistant(person: Person, new_browser: NewBrowser) -> Assistant:
    return Assistant(new_browser(), person.username)


def form_of(person: Person, todo_id: int) -> dict[str, str]:
    """Returns what the form to edit a to-do would send."""
    form = page(person, f"/list?edit={todo_id}").select_one("form.editing")
    fields = {tag["name"]: tag.get("value", "") for tag in form.select("input[name]")}
    fields |= {tag["name"]: tag.text.removeprefix("\n") for tag in form.select("textarea[name]")}
    for choice in form.select("select[name]"):
        chosen = choice.select_one("option[selected]") or choice.option
        fields[choice["name"]] = chosen["value"]
    return fields


class TestMerging:
    """One has a form open while another changes the to-do."""

    def test_what_only_others_have_set_stays(self, person: Person, assistant: Assistant) -> None:
        todo_id = assistant.add("A", due="2026-11-27", notes="n")["id"]
        form = form_of(person, todo_id)
        assistant.call("PATCH", f"/{todo_id}", due="2026-12-24", notes="by ChatGPT", priority="high")
        follow(person, person.browser.post("/list/edit", data={**form, "todo": "B"}))
        saved = assistant.call("GET", f"/{todo_id}")
        assert (saved["todo"], saved["due"]) == ("B", "2026-12-24")
        assert (saved["notes"], saved["priority"]) == ("by ChatGPT", "high")

    def test_saving_again_after_a_conflict_keeps_what_others_have_set(
        self, person: Person, assistant: Assistant
    ) -> None:
        todo_id = assistant.add("A", due="2026-11-27", notes="n")["id"]
        form = form_of(person, todo_id)
        assistant.call("PATCH", f"/{todo_id}", todo="By ChatGPT", due="2026-12-24", notes="by ChatGPT")
        answer = person.browser.post("/list/edit", data={**form, "todo": "Mine"})
        assert refused(answer, 409) == "Assistant “ChatGPT” changed the text to “By ChatGPT”."
        again = {tag["name"]: tag.get("value", "") for tag in soup(answer).select("form.editing input[name]")}
        notes = soup(answer).select_one("#edit-notes").text.strip()
        assert (again["todo"], again["due_day"], notes) == ("Mine", "2026-12-24", "by ChatGPT")
        follow(person, person.browser.post("/list/edit", data={**form, **again, "notes": notes}))
        saved = assistant.call("GET", f"/{todo_id}")
        assert (saved["todo"], saved["due"], saved["notes"]) == ("Mine", "2026-12-24", "by ChatGPT")

    @pytest.mark.parametrize(
        ("theirs", "mine", "told"),
        [
            ({"due": "2026-12-24"}, {"due_day": "2026-12-01"}, "moved this to 24 December"),
            ({"clear": ["due"]}, {"due_day": "2026-12-01"}, "removed the date"),
            ({"notes": "theirs"}, {"notes": "mine"}, "changed the notes to “theirs”"),
            ({"clear": ["notes"]}, {"notes": "mine"}, "deleted the notes"),
            ({"priority": "high"}, {"priority": "low"}, "set the priority to high"),
            ({"list": "Work", "create_list": True}, {"new_list": "Home"}, "moved this to the list “Work”"),
            ({"repeat": "FREQ=DAILY"}, {"repeat": "FREQ=WEEKLY"}, "made this repeat every day"),
            ({"add_steps": ["theirs"]}, {"steps": "mine"}, "changed the steps"),
        ],
    )
    def test_each_field_is_asked_about_and_theirs_can_be_kept(
        self, person: Person, assistant: Assistant, theirs: dict[str, Any], mine: dict[str, str], told: str
    ) -> None:
        todo_id = assistant.add("A", due="2026-11-27", notes="n")["id"]
        form = {**form_of(person, todo_id), "todo": "B", **mine}
        assistant.call("PATCH", f"/{todo_id}", **theirs)
        before = assistant.call("GET", f"/{todo_id}")
        answer = person.browser.post("/list/edit", data=form)
        assert told.replace("24 December", "") in refused(answer, 409)
        keep = soup(answer).select_one("#conflict button[name=theirs]")["value"]
        follow(person, person.browser.post("/list/edit", data={**form, "theirs": keep}))
        saved = assistant.call("GET", f"/{todo_id}")
        assert saved["todo"] == "B"
        differing = {name for name in saved if saved[name] != before.get(name)}
        assert differing <= {"todo", "version", "updated_at", "change_id"}
        assert saved.keys() == before.keys()

    def test_the_same_value_is_no_conflict(self, person: Person, assistant: Assistant) -> None:
        todo_id = assistant.add("A")["id"]
        form = form_of(person, todo_id)
        assistant.call("PATCH", f"/{todo_id}", due="2026-12-24")
        answer = person.browser.post("/list/edit", data={**form, "due_day": "2026-12-24"})
        assert answer.status_code == 303

    def test_tags_are_merged_one_by_one(self, person: Person, assistant: Assistant) -> None:
        todo_id = assistant.add("A", tags=["both", "gone", "left"])["id"]
        form = form_of(person, todo_id)
        assistant.call("PATCH", f"/{todo_id}", add_tags=["theirs"], remove_tags=["left"])
        follow(person, person.browser.post("/list/edit", data={**form, "tags": "both, left, mine"}))
        assert assistant.call("GET", f"/{todo_id}")["tags"] == ["both", "theirs", "mine"]

    def test_what_was_saved_once_can_be_saved_again(self, person: Person, assistant: Assistant) -> None:
        """A form that is left open after its answer was lost, and edited on."""
        todo_id = assistant.add("A")["id"]
        form = form_of(person, todo_id)
        follow(person, person.browser.post("/list/edit", data={**form, "todo": "B"}))
        assert person.browser.post("/list/edit", data={**form, "todo": "B"}).status_code == 303
        assert assistant.call("GET", f"/{todo_id}")["version"] == 2

    def test_where_the_log_is_gone_both_are_shown(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel("2026-11-20T12:00:00Z"):
            todo_id = assistant.add("A")["id"]
            person.sign_in()
            form = form_of(person, todo_id)
            assistant.call("PATCH", f"/{todo_id}", notes="theirs")
        with time_machine.travel(NOW):
            person.sign_in()
            form["csrf_token"] = person.csrf_token()
            person.send("/history/clear", before_day="2026-11-25")
            answer = person.browser.post("/list/edit", data={**form, "todo": "B"})
            assert "has been changed since you opened it" in refused(answer, 409)
            assert soup(answer).select_one("#edit-todo")["value"] == "B"
            assert not soup(answer).select("#conflict button[name=theirs]")

    def test_of_a_to_do_that_is_gone_the_text_is_in_the_form_to_add(self, person: Person, assistant: Assistant) -> None:
        todo_id = assistant.add("A")["id"]
        form = form_of(person, todo_id)
        assistant.call("DELETE", f"/{todo_id}")
        answer = person.browser.post("/list/edit", data={**form, "todo": "Typed"})
        assert "no longer exists" in refused(answer, 404)
        assert soup(answer).select_one("#todo")["value"] == "Typed"


class TestSelections:
    @pytest.mark.parametrize(
        ("action", "due"),
        [("today", "2026-11-25T18:00"), ("tomorrow", "2026-11-26T18:00"), ("next_week", "2026-11-30T18:00")],
    )
    def test_a_new_day_keeps_the_time(self, person: Person, assistant: Assistant, action: str, due: str) -> None:
        with time_machine.travel(NOW):
            person.sign_in()
            todo_id = assistant.add("A", due="2026-11-20T18:00")["id"]
            follow(person, person.send("/list/change", ids=str(todo_id), action=action))
            assert assistant.call("GET", f"/{todo_id}")["due"] == due

    @pytest.mark.parametrize(
        ("sent", "found"),
        [
            ({"action": "day", "day": "2026-12-01"}, {"due": "2026-12-01"}),
            ({"action": "priority", "priority": "high"}, {"priority": "high"}),
            ({"action": "tag", "tag": "home"}, {"tags": ["home"]}),
            ({"action": "move", "list": "Work"}, {"list": "Work"}),
            ({"action": "complete"}, {"status": "done"}),
            ({"action": "delete"}, {"status": "deleted"}),
        ],
    )
    def test_all_are_changed_by_one_change_with_one_undo(
        self, person: Person, assistant: Assistant, sent: dict[str, str], found: dict[str, Any]
    ) -> None:
        ids = [assistant.add(text)["id"] for text in "ABC"]
        assistant.add("in it", list="Work", create_list=True)
        text = follow(person, person.send("/list/change", ids=",".join(map(str, ids)), **sent))
        status = "status=deleted" if sent["action"] == "delete" else "status=all"
        for todo in assistant.call("GET", f"?{status}")["todos"]:
            assert todo["id"] not in ids or found.items() <= todo.items()
        assert "3 to-dos" in notice(text)
        follow(person, person.send("/history/undo", change_id=text.select_one("#undo-notice")["value"]))
        for number in ids:
            assert not found.items() <= assistant.call("GET", f"/{number}").items()

    def test_a_date_can_be_removed(self, person: Person, assistant: Assistant) -> None:
        todo_id = assistant.add("A", due="2026-12-01")["id"]
        follow(person, person.send("/list/change", ids=str(todo_id), action="no_date"))
        assert "due" not in assistant.call("GET", f"/{todo_id}")

    def test_those_that_are_gone_are_left_out(self, person: Person, assistant: Assistant) -> None:
        ids = [assistant.add(text)["id"] for text in "AB"]
        assistant.call("DELETE", f"/{ids[0]}")
        text = follow(person, person.send("/list/change", ids="1,2,77", action="complete"))
        assert notice(text) == "You completed “B”."
        assert "no longer exists" in refused(person.send("/list/change", ids="1,77", action="complete"), 404)

    @pytest.mark.parametrize("action", ["day", "priority", "move", "tag"])
    def test_what_an_action_needs_is_asked_for(self, person: Person, assistant: Assistant, action: str) -> None:
        assistant.add("A")
        assert "is missing" in refused(person.send("/list/change", ids="1", action=action), 400)

    @pytest.mark.parametrize("ids", ["", "x", "1,,2", "0", ",".join(map(str, range(1, 102)))])
    def test_ids_are_bounded(self, person: Person, ids: str) -> None:
        assert person.send("/list/change", ids=ids, action="complete").status_code == 400


class TestRetries:
    """A form may be sent again, because its answer was lost."""

    @pytest.mark.parametrize(
        ("path", "fields"),
        [
            ("/list", {"todo": "New"}),
            ("/list/act", {"id": "1", "action": "delete"}),
            ("/list/change", {"ids": "1", "action": "tag", "tag": "t"}),
            ("/lists", {"name": "Work"}),
            ("/lists/delete", {"list": "There"}),
        ],
    )
    def test_it_is_done_once(self, person: Person, assistant: Assistant, path: str, fields: dict[str, str]) -> None:
        assistant.add("A", list="There", create_list=True)
        first = person.send(path, request_id="r1", **fields)
        newest = assistant.call("GET", "/changes")["changes"][0]["id"]
        again = person.send(path, request_id="r1", **fields)
        assert (first.status_code, again.headers["location"]) == (303, first.headers["location"])
        assert assistant.call("GET", "/changes")["changes"][0]["id"] == newest

    def test_another_form_of_the_same_page_is_another_request(self, person: Person, assistant: Assistant) -> None:
        for text in ("A", "B"):
            follow(person, person.send("/list", request_id="r1", todo=text))
        assert assistant.call("GET")["total"] == 2

    def test_after_the_trash_was_emptied_it_is_still_done_once(self, person: Person, assistant: Assistant) -> None:
        person.send("/list", request_id="r1", todo="A")
        assistant.call("DELETE", "/1")
        person.send("/trash/empty")
        assert person.send("/list", request_id="r1", todo="A").headers["location"] == "/list"
        assert assistant.call("GET", "?status=all")["total"] == 0

    def test_each_form_of_a_page_has_an_id_of_its_own(self, person: Person) -> None:
        found = [tag["value"] for tag in page(person).select("input[name=request_id]")]
        assert len(found) == len(set(found)) > 5


class TestWhatIsNew:
    def test_what_was_just_added_is_shown_whatever_the_filter(self, person: Person) -> None:
        text = follow(person, person.send("/list", todo="Buy milk", next="/list?tag=home"))
        assert parts(text)["extra"] == ["Buy milk"]
        assert "extra" not in parts(follow(person, person.send("/list", todo="Bread", next="/list")))

    def test_a_to_do_of_another_page_can_be_edited(self, person: Person, assistant: Assistant) -> None:
        todo_id = assistant.add("A")["id"]
        text = page(person, f"/list?tag=none&edit={todo_id}")
        assert text.select_one("section[aria-labelledby=extra] #edit-todo")["value"] == "A"

    def test_what_an_assistant_did_is_marked_for_a_minute(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel(NOW, tick=False):
            person.sign_in()
            person.send("/list", todo="Mine")
            assistant.add("A")
            assert [said(tag) for tag in page(person).select(".new")] == ["“ChatGPT”, just now"]
        with time_machine.travel("2026-11-25T12:01:01Z", tick=False):
            assert not page(person).select(".new")

    def test_links_can_be_clicked(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Read https://example.org/a(b)?c=d&e=<f>. Now", notes="(http://example.org/x)")
        links = {tag["href"]: tag for tag in page(person).select(".text a, .notes a")}
        assert links.keys() == {"https://example.org/a(b)?c=d&e=", "http://example.org/x"}
        assert {tag["rel"][0] for tag in links.values()} == {"noopener"}
        assert not soup(person.browser.get("/list")).select("a[href^=javascript]")


def test_a_form_sent_without_a_session_comes_back_with_a_new_request_id(person: Person) -> None:
    token = person.csrf_token()
    person.browser.cookies.clear()
    answer = person.browser.post(
        "/list",
        data={"csrf_token": token, "todo": "Kept", "request_id": "r1"},
        headers={"sec-fetch-site": "same-origin"},
    )
    assert field(answer, "todo") == "Kept"
    assert not soup(answer).select("form[action='/sign-in'] input[name=request_id]")
