"""The order of to-dos on the page: the newest on top, and moved by a form, logged and undone."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION
from tests.handlers.test_lists import Assistant, page, parts, said
from tests.people import Person, soup
from tests.replay import assert_log_gives_the_list
from todo.contract import SITE
from todo.domain import changes, import_export, order, sections, users
from todo.domain.paging import MOST, ORDERS, encode_cursor
from todo.domain.places import SPACING
from todo.domain.users import Owner
from todo.storage.engine import Engine
from todo.storage.statements import Connection

pytestmark = pytest.mark.slow_on_postgresql

DAY = "2199-12-06"


@pytest.fixture
def assistant(person: Person, new_browser: Callable[[], TestClient]) -> Assistant:
    return Assistant(new_browser(), person.username)


def add(assistant: Assistant, *texts: str, **fields: Any) -> None:
    assistant.call("POST", "/changes", actions=[{"action": "add", "todo": text, **fields} for text in texts])


def move(person: Person, todo_id: int, back: str = "/list", **where: str) -> httpx.Response:
    return person.send("/list/order", id=f"{todo_id}", next=back, **where)


def undated(person: Person, path: str = "/list") -> list[str]:
    return parts(page(person, path)).get("undated", [])


class TestNewestFirst:
    def test_a_new_one_is_on_top_of_any_number(self, person: Person, assistant: Assistant) -> None:
        add(assistant, *(f"old {number}" for number in range(50)), tags=["home"])
        assistant.add("by the assistant", tags=["home"])
        person.send("/list", todo="by the person", tags="home")
        for path in ("/list", "/list?tag=home"):
            assert undated(person, path)[:2] == ["by the person", "by the assistant"]

    def test_also_above_those_that_were_moved_to_the_top(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "1", "2", "3")
        for _ in range(10):
            for todo_id in (1, 2, 3):
                assert move(person, todo_id, to="top").status_code == 303
        assert undated(person) == ["3", "2", "1"]
        assistant.add("new")
        assert undated(person)[0] == "new"


class TestMoving:
    @pytest.mark.parametrize(
        ("where", "order"),
        [
            ({"before": "4"}, "2431"),
            ({"before": "1"}, "4321"),
            ({"after": "4"}, "4231"),
            ({"after": "1"}, "4312"),
            ({"to": "top"}, "2431"),
            ({"to": "bottom"}, "4312"),
        ],
    )
    def test_to_a_place(self, person: Person, assistant: Assistant, where: dict[str, str], order: str) -> None:
        add(assistant, "1", "2", "3", "4")
        moved = move(person, 2, **where)
        assert "".join(undated(person)) == order
        if order == "4321":  # it was there
            assert moved.headers["location"] == "/list"
            return
        assert moved.headers["location"] == "/list?changed=2"
        shown = page(person, "/list?changed=2")
        assert "You moved “2”." in said(shown)
        assert "moved 1 to-do" in assistant.call("GET", "/changes")["changes"][0]["summary"].lower()
        person.send("/history/undo", change_id="2")
        assert "".join(undated(person)) == "4321"
        person.send("/history/undo", change_id="3")
        assert "".join(undated(person)) == order

    def test_among_those_of_one_day(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "1", "2", "3", due=DAY)
        assistant.add("evening", due=f"{DAY}T18:00")
        assistant.add("before", due="2199-12-05")
        assert parts(page(person))["upcoming"] == ["before", "1", "2", "3", "evening"]
        move(person, 3, before="1")
        assert parts(page(person))["upcoming"] == ["before", "3", "1", "2", "evening"]
        assistant.add("4", due=DAY)
        assert parts(page(person))["upcoming"] == ["before", "3", "1", "2", "4", "evening"]
        assert move(person, 3, before="6").status_code == 303
        assert parts(page(person))["upcoming"] == ["before", "1", "2", "3", "4", "evening"]
        assert [move(person, 3, before=other).status_code for other in ("4", "5")] == [400, 400]

    def test_with_another_date_a_place_is_forgotten(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "1", "2", "3")
        move(person, 1, to="top")
        assistant.call("PATCH", "/1", due=DAY)
        assistant.call("PATCH", "/1", due=None)
        assert undated(person) == ["3", "2", "1"]

    def test_done_and_open_again_it_is_where_it_was(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "1", "2", "3")
        move(person, 1, before="2")
        for action in ("complete", "reopen"):
            assistant.call("POST", f"/1/{action}")
        assert undated(person) == ["3", "1", "2"]
        assistant.call("PATCH", "/1", todo="one")
        assert undated(person) == ["3", "one", "2"]

    def test_the_next_of_a_repeating_one_has_no_place_yet(self, person: Person, assistant: Assistant) -> None:
        assistant.add("daily", due="2199-12-05", repeat="FREQ=DAILY")
        assistant.add("other", due="2199-12-05")
        move(person, 1, to="bottom")
        assistant.call("POST", "/1/complete")
        assistant.add("then", due=DAY)
        assert parts(page(person))["upcoming"] == ["other", "daily", "then"]

    def test_to_another_list(self, person: Person, assistant: Assistant) -> None:
        assistant.add("1", list="Work", create_list=True)
        add(assistant, "2", "3")
        moved = move(person, 2, list="work")
        assert undated(person, "/list?list=Work") == ["2", "1"]
        assert "You moved “2”." in said(page(person, moved.headers["location"]))
        move(person, 2, before="1", back="/list?list=Work")
        move(person, 2, after="1", back="/list?list=Work")
        assert undated(person, "/list?list=Work") == ["1", "2"]

    def test_in_one_list_it_passes_what_is_seen_there(self, person: Person, assistant: Assistant) -> None:
        for number in range(1, 7):
            assistant.add(f"{number}", list="Odd" if number % 2 else "Even", create_list=True)
        move(person, 1, before="3")
        assert undated(person, "/list?list=Odd") == ["5", "1", "3"]
        assert undated(person, "/list?list=Even") == ["6", "4", "2"]

    def test_what_does_not_move_is_not_changed(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "1", "2", "3")
        move(person, 1, before="2")
        versions = {todo["todo"]: todo["version"] for todo in assistant.call("GET")["todos"]}
        assert versions == {"1": 2, "2": 1, "3": 1}
        assert "position" not in str(assistant.call("GET", "/1")) + str(assistant.call("GET", "/changes"))


def test_upcoming_is_shown_by_days(person: Person, assistant: Assistant) -> None:
    add(assistant, "1", "2", due=DAY)
    add(assistant, "3", due="2199-12-07T18:00")
    text = page(person, "/list?section=upcoming")
    days = [
        (said(heading), [tag.text for tag in heading.find_next("ul").select("p.text")]) for heading in text.select("h3")
    ]
    assert days == [("Friday 6 December 2199", ["1", "2"]), ("Saturday 7 December 2199", ["3"])]


class TestWithoutScript:
    @pytest.mark.parametrize(
        ("button", "order"),
        [("Move up", "2431"), ("Move down", "4312"), ("To the top", "2431"), ("To the bottom", "4312")],
    )
    def test_the_form_to_edit_has_buttons(self, person: Person, assistant: Assistant, button: str, order: str) -> None:
        add(assistant, "1", "2", "3", "4")
        if button == "Move up":
            move(person, 3, to="top")  # so that 4 is above 2
            order = "3241"
        pressed = page(person, "/list?edit=2").find("button", string=button)
        form = pressed.find_parent("form")
        hidden = {field["name"]: field["value"] for field in form.select("input[type=hidden]")}
        answer = person.browser.post(form["action"], data={**hidden, pressed["name"]: pressed["value"]})
        assert answer.headers["location"].startswith("/list?changed=")
        assert "".join(undated(person)) == order

    def test_no_button_leads_past_another_day(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "1", due=DAY)
        add(assistant, "2", due="2199-12-07")
        add(assistant, "done")
        assistant.call("POST", "/3/complete")
        offered = page(person, "/list?edit=1").select("[aria-label=Move] button")
        assert [button.text for button in offered] == ["To the top", "To the bottom"]
        assert not page(person, "/list?edit=3").select("[aria-label=Move]")


class TestRefusals:
    @pytest.mark.parametrize(
        ("todo_id", "where", "status", "says"),
        [
            (1, {}, 400, "The move must come as one of before, after, to, list."),
            (1, {"to": "top", "before": "2"}, 400, "The move must come as one of before, after, to, list."),
            (1, {"to": "middle"}, 400, ""),
            (1, {"before": "0"}, 400, ""),
            (1, {"before": "99"}, 400, "The place is not there any more, or is due at another time."),
            (1, {"before": "1"}, 400, "The place is not there any more, or is due at another time."),
            (1, {"after": "3"}, 400, "The place is not there any more, or is due at another time."),
            (1, {"after": "4"}, 400, "The place is not there any more, or is due at another time."),
            (3, {"to": "top"}, 400, "This to-do is done; open it again to move it."),
            (5, {"to": "top"}, 404, "This to-do no longer exists"),
            (99, {"to": "top"}, 404, "This to-do no longer exists"),
            (1, {"list": "Nowhere"}, 404, "There is no such list, or no longer."),
        ],
    )
    def test_each(
        self, person: Person, assistant: Assistant, todo_id: int, where: dict[str, str], status: int, says: str
    ) -> None:
        add(assistant, "1", "2", "done")
        assistant.add("dated", due=DAY)
        assistant.add("deleted")
        assistant.call("POST", "/3/complete")
        assistant.call("DELETE", "/5")
        answer = move(person, todo_id, **where)
        assert answer.status_code == status, answer.text
        assert says in said(soup(answer))
        assert undated(person) == ["2", "1"]

    def test_an_archived_list_takes_none(self, person: Person, assistant: Assistant) -> None:
        assistant.add("1", list="Old", create_list=True)
        person.send("/lists/edit", list="Old", archived="on")
        assistant.add("2")
        assert move(person, 2, list="Old").status_code == 409

    def test_a_forged_form(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "1", "2")
        answer = person.browser.post("/list/order", data={"id": "1", "to": "top", "csrf_token": "x" * 43})
        assert answer.status_code in (400, 403)
        assert undated(person) == ["2", "1"]


class TestUndo:
    def test_one_that_was_moved_again_is_in_the_way(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "1", "2", "3")
        move(person, 1, to="top")
        move(person, 1, before="2")
        conflict = assistant.http.post(f"/todos/{person.username}/changes/2/undo", json={}, headers=AUTHORIZATION)
        assert conflict.json()["code"] == "undo_conflict"
        assert conflict.json()["conflicts"] == [{"id": 1, "change_id": 3}]

    def test_places_that_are_equal_after_an_undo_have_an_order(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "1", "2", "3", "4")
        move(person, 1, before="3")
        person.send("/history/undo", change_id="2")
        move(person, 2, before="3")
        move(person, 2, before="3")
        person.send("/history/undo", change_id="3")
        found = undated(person)
        assert sorted(found) == ["1", "2", "3", "4"]
        assert found == undated(person)
        for path in ("/list?section=undated",):
            assert undated(person, path) == found

    def test_the_log_gives_the_list(self, person: Person, assistant: Assistant, database_url: str) -> None:
        add(assistant, "1", "2", "3")
        move(person, 1, to="top")
        move(person, 3, to="bottom")
        person.send("/history/undo", change_id="2")
        assert_log_gives_the_list(database_url, person.username)


class TestPages:
    @pytest.mark.parametrize("due", [None, DAY])
    def test_moved_or_not_they_come_in_pages(self, person: Person, assistant: Assistant, due: str | None) -> None:
        texts = [f"{number:03}" for number in range(1, 121)]
        for start in range(0, 120, 40):
            add(assistant, *texts[start : start + 40], due=due)
        expected = texts if due else texts[::-1]
        for number in (3, 60, 61, 62, 118):
            move(person, number, to="top")
            expected.remove(f"{number:03}")
            expected.insert(0, f"{number:03}")
        move(person, 100, after="118")
        expected.remove("100")
        expected.insert(1, "100")
        section = "upcoming" if due else "undated"
        assert parts(page(person))[section] == expected[: SITE.limit("section_todos")]
        found, path = [], f"/list?section={section}"
        while path:
            text = page(person, path)
            found += parts(text)[section]
            more = text.find("a", string="More")
            path = more["href"] if more else ""
        assert found == expected

    @pytest.mark.parametrize(("section", "due"), [("undated", "9999"), ("upcoming", "2199-12-06")])
    @pytest.mark.parametrize("place", [-(2**62) - 1, -(2**62), 0, 2**62, 2**62 + 1])
    def test_any_place_in_a_cursor_is_one_or_refused(
        self, person: Person, assistant: Assistant, section: str, due: str, place: int
    ) -> None:
        add(assistant, "1", "2", due=None if section == "undated" else due)
        cursor = encode_cursor(section, due, place, 1)
        answer = person.browser.get(f"/list?section={section}&cursor={cursor}")
        assert answer.status_code == (200 if abs(place) <= MOST else 400)
        for sort, start in ORDERS.items():
            values = [place if isinstance(value, int) else value for value in start.values()]
            url = f"/todos/{person.username}?sort={sort}&cursor={encode_cursor(sort, *values)}"
            assert assistant.http.get(url, headers=AUTHORIZATION).status_code == answer.status_code

    def test_an_export_brings_the_order_back(self, person: Person, assistant: Assistant) -> None:
        add(assistant, "1", "2", "3", "4")
        add(assistant, "a", "b", "c", due=DAY)
        move(person, 1, before="3")
        move(person, 7, before="5")
        before = parts(page(person))
        assert (before["undated"], before["upcoming"]) == (["4", "1", "3", "2"], ["c", "a", "b"])
        csv = person.browser.get("/account/todos.csv").text
        exported = person.browser.get("/account/export").text
        for file in (csv, exported):
            ids = [todo["id"] for todo in assistant.call("GET")["todos"]]
            assistant.call("POST", "/changes", actions=[{"action": "delete", "id": todo_id} for todo_id in ids])
            token = person.csrf_token()
            answer = person.browser.post(
                "/account/import", data={"csrf_token": token}, files={"file": ("f", file.encode(), "text/plain")}
            )
            assert answer.status_code == 303, answer.text
            after = parts(page(person))
            assert (after["undated"], after["upcoming"]) == (before["undated"], before["upcoming"])


def test_ten_thousand_without_a_date_are_quick(engine: Engine) -> None:
    owner = Owner("kevin")
    file = import_export.Import.of(import_export.read_file("todo\n" + "A\n" * 10_000))
    engine.submit_write(import_export.add_all, owner, file).result()
    started = time.perf_counter()
    for todo_id in (5000, 5001, 5002):
        engine.submit_write(order.move, owner, todo_id, {"to": "top"}).result()
    (section,) = engine.submit_read(sections.page, owner, "undated", None, None, None, None).result().sections
    assert [todo.id for todo in section.todos[:4]] == [5002, 5001, 5000, 10_000]
    assert section.total == 10_000
    assert time.perf_counter() - started < 2


def test_neighbours_are_spaced_anew_in_the_same_change(engine: Engine) -> None:
    owner = Owner("kevin")

    def fill(connection: Connection) -> None:
        changes.apply(connection, owner, [{"action": "add", "todo": f"{number}"} for number in range(1, 9)])

    engine.submit_write(fill).result()
    changed = []
    for number in range(100):  # 7 and 6 in turn go directly before 5
        change_id = engine.submit_write(order.move, owner, 7 - number % 2, {"before": 5}).result()["change_id"]
        changed.append(engine.submit_read(count_entries, owner, change_id).result())
    assert changed.count(1) > 80
    assert max(changed) > 1
    found = engine.submit_read(order_now, owner).result()
    assert found == [8, 7, 6, 5, 4, 3, 2, 1]


def count_entries(connection: Connection, owner: Owner, change_id: int) -> int:
    user = users.find(connection, owner)
    return int(connection.count_entries_of_change(user_id=user.id, change_id=change_id)["total"])


def order_now(connection: Connection, owner: Owner) -> list[int]:
    user = users.find(connection, owner)
    rows = connection.places_of_due(user_id=user.id, due_key="9999")
    return [row["id"] for row in sorted(rows, key=lambda row: row["position"] or -row["id"] * SPACING)]
