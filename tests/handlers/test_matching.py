"""Bulk changes by filter: what matches, what is done to it, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import time_machine

from handlers import changes
from tests.handlers.test_todos import add, page, problem, texts
from tests.hosts import call, done
from tests.replay import assert_log_gives_the_list
from todo.contract import API

JSON = dict[str, Any]

NOW = "2026-11-22T16:05:09Z"
MOST = API.limit("matching_todos")


def change(client: httpx.Client, name: str, filters: JSON, action: str, **fields: Any) -> httpx.Response:
    return client.post(f"/todos/{name}/changes/matching", json={"filter": filters, "action": action, **fields})


def changed(client: httpx.Client, name: str, filters: JSON, action: str, **fields: Any) -> JSON:
    response = change(client, name, filters, action, **fields)
    assert response.status_code == 200, response.text
    return response.json()


def fill(client: httpx.Client, name: str, count: int, **fields: Any) -> None:
    for start in range(0, count, 100):
        actions = [{"action": "add", "todo": f"{n}", **fields} for n in range(start, min(start + 100, count))]
        response = client.post(f"/todos/{name}/changes", json={"actions": actions})
        assert response.status_code == 200, response.text


def changes_of(client: httpx.Client, name: str) -> list[JSON]:
    return client.get(f"/todos/{name}/changes").json()["changes"]


@pytest.fixture
def three(client: httpx.Client, name: str) -> str:
    """A list with milk and bread for home, and a call for work, in the inbox."""
    add(client, name, "Buy milk", tags=["home"], due="2026-11-22")
    add(client, name, "Buy bread", tags=["home", "shop"], due="2026-11-22T18:00")
    add(client, name, "Call", tags=["work"])
    return name


class TestActions:
    def test_renames_a_tag(self, client: httpx.Client, three: str) -> None:
        answer = changed(client, three, {"tag": "home"}, "update", add_tags=["house"], remove_tags=["home"], expect=2)
        assert answer == {
            "change_id": 4,
            "matched": 2,
            "changed": 2,
            "todos": [{"id": 1, "todo": "Buy milk"}, {"id": 2, "todo": "Buy bread"}],
        }
        assert [todo["tags"] for todo in page(client, three)["todos"]] == [["house"], ["shop", "house"], ["work"]]
        assert texts(client, three, tag="house") == texts(client, three, q="house") == ["Buy milk", "Buy bread"]
        assert texts(client, three, tag="home") == texts(client, three, q="home") == []

    def test_is_one_change_with_one_undo(self, client: httpx.Client, three: str) -> None:
        before = page(client, three)["todos"]
        answer = changed(client, three, {"q": "buy"}, "delete", expect=2)
        assert changes_of(client, three)[0]["summary"] == "Deleted 2 to-dos."
        assert texts(client, three) == ["Call"]
        client.post(f"/todos/{three}/changes/{answer['change_id']}/undo")
        kept = ("id", "todo", "due", "tags", "status")
        after = page(client, three)["todos"]
        assert [[todo.get(name) for name in kept] for todo in after] == [
            [todo.get(name) for name in kept] for todo in before
        ]

    def test_shifts_days_and_keeps_the_time_of_day(self, client: httpx.Client, three: str) -> None:
        answer = changed(client, three, {"status": "open"}, "update", shift_days=1, expect=3)
        assert (answer["matched"], answer["changed"]) == (3, 2)
        assert [todo.get("due") for todo in page(client, three)["todos"]] == ["2026-11-23", "2026-11-23T18:00", None]

    @pytest.mark.parametrize(
        ("due", "days", "shifted"),
        [
            ("2028-02-28", 1, "2028-02-29"),
            ("2028-03-01T00:00", -1, "2028-02-29T00:00"),
            ("2026-11-22", -3660, "2016-11-14"),
            ("2026-03-28T02:30", 1, "2026-03-29T02:30"),
        ],
    )
    def test_shifts_by_the_calendar(self, client: httpx.Client, name: str, due: str, days: int, shifted: str) -> None:
        add(client, name, due=due)
        changed(client, name, {"due_from": due}, "update", shift_days=days, expect=1)
        assert page(client, name)["todos"][0]["due"] == shifted

    def test_moves_to_a_day_and_a_list(self, client: httpx.Client, three: str) -> None:
        fields = {"due": "2026-11-25", "priority": "high", "list": "Trip", "create_list": True}
        answer = changed(client, three, {"q": "buy"}, "update", expect=2, **fields)
        assert answer["changed"] == 2
        found = page(client, three, list="trip")["todos"]
        assert [(todo["id"], todo["due"], todo["priority"]) for todo in found] == [
            (1, "2026-11-25", "high"),
            (2, "2026-11-25", "high"),
        ]
        assert changed(client, three, {"list": "Trip"}, "complete", expect=2)["changed"] == 2

    def test_clears(self, client: httpx.Client, three: str) -> None:
        changed(client, three, {"tag": "home"}, "update", clear=["due", "tags"], expect=2)
        assert not any({"due", "tags"} & todo.keys() for todo in page(client, three)["todos"][:2])
        assert texts(client, three, q="home") == []

    def test_reopens_what_is_done_and_restores_what_is_deleted(self, client: httpx.Client, three: str) -> None:
        changed(client, three, {"tag": "home"}, "complete", expect=2)
        assert texts(client, three) == ["Call"]
        changed(client, three, {"tag": "home"}, "reopen", expect=2)
        assert texts(client, three) == ["Buy milk", "Buy bread", "Call"]
        changed(client, three, {"tag": "home"}, "delete", expect=2)
        changed(client, three, {"tag": "home"}, "restore", expect=2)
        assert texts(client, three) == ["Buy milk", "Buy bread", "Call"]

    def test_a_filter_by_when_it_was_done_finds_what_is_done(self, client: httpx.Client, three: str) -> None:
        client.post(f"/todos/{three}/1/complete")
        answer = changed(client, three, {"done_from": "2020-01-01"}, "delete", expect=1)
        assert [todo["id"] for todo in answer["todos"]] == [1]

    def test_completing_repeating_ones_adds_the_next(self, client: httpx.Client, name: str, database_url: str) -> None:
        for text in ("a", "b"):
            add(client, name, text, due="2150-01-30", repeat="FREQ=DAILY")
        add(client, name, "c")
        answer = changed(client, name, {"status": "open"}, "complete", expect=3)
        assert (answer["matched"], answer["changed"], answer["next_added"]) == (3, 3, 2)
        assert [(todo["todo"], todo["due"]) for todo in page(client, name)["todos"]] == [
            ("a", "2150-01-31"),
            ("b", "2150-01-31"),
        ]
        assert_log_gives_the_list(database_url, name)

    def test_what_is_already_so_is_not_changed(self, client: httpx.Client, three: str) -> None:
        answer = changed(client, three, {"status": "open"}, "update", add_tags=["home"], expect=3)
        assert (answer["matched"], answer["changed"]) == (3, 1)
        answer = changed(client, three, {"status": "open"}, "update", add_tags=["HOME"], expect=3)
        assert answer.keys() == {"matched", "changed", "todos"}
        assert answer["changed"] == 0
        assert len(changes_of(client, three)) == 4

    def test_none_that_match_may_be_expected(self, client: httpx.Client, name: str) -> None:
        assert changed(client, name, {"tag": "home"}, "delete", expect=0) == {"matched": 0, "changed": 0, "todos": []}
        assert changes_of(client, name) == []

    @time_machine.travel(NOW, tick=False)
    def test_what_is_overdue_is_moved_to_tomorrow(self, client: httpx.Client, name: str) -> None:
        add(client, name, "late", due="2026-11-20")
        add(client, name, "today", due="2026-11-22")
        changed(client, name, {"when": "overdue"}, "update", due="2026-11-23", expect=1)
        assert [todo["due"] for todo in page(client, name)["todos"]] == ["2026-11-23", "2026-11-22"]


class TestDryRun:
    def test_tells_and_does_nothing(self, client: httpx.Client, three: str) -> None:
        answer = changed(client, three, {"tag": "home"}, "delete", dry_run=True, request_id="k")
        assert answer == {
            "matched": 2,
            "changed": 0,
            "todos": [{"id": 1, "todo": "Buy milk"}, {"id": 2, "todo": "Buy bread"}],
        }
        assert len(changes_of(client, three)) == page(client, three)["total"] == 3
        # The request_id was not kept.
        answer = changed(client, three, {"tag": "home"}, "delete", expect=2, request_id="k")
        assert answer["changed"] == 2

    def test_names_ten_and_cuts_what_is_long(self, client: httpx.Client, name: str) -> None:
        fill(client, name, 12, notes="x" * 1000)
        client.patch(f"/todos/{name}/1", json={"todo": "€" * 500})
        response = change(client, name, {"status": "open"}, "complete", dry_run=True)
        assert len(response.content) < 4096
        told = response.json()
        assert (told["matched"], len(told["todos"])) == (12, 10)
        assert told["todos"][0] == {"id": 1, "todo": "€" * 60 + "…"}

    def test_of_a_list_that_nobody_has(self, client: httpx.Client, name: str) -> None:
        assert changed(client, name, {"q": "x"}, "delete", dry_run=True)["matched"] == 0


class TestRefusals:
    @pytest.mark.parametrize("expect", [0, 1, 3, 2**31 - 1])
    def test_another_number_than_expected(self, client: httpx.Client, three: str, expect: int) -> None:
        told = problem(change(client, three, {"tag": "home"}, "delete", expect=expect), 409, "unexpected_count")
        assert told["matched"] == 2
        assert told["todos"] == [{"id": 1, "todo": "Buy milk"}, {"id": 2, "todo": "Buy bread"}]
        assert "expect: 2" in told["hint"]
        assert len(changes_of(client, three)) == page(client, three)["total"] == 3

    def test_too_many(self, client: httpx.Client, name: str) -> None:
        fill(client, name, MOST + 1)
        for how in ({"expect": MOST + 1}, {"dry_run": True}):
            told = problem(change(client, name, {"status": "open"}, "delete", **how), 409, "too_many_matching")
            assert (told["matched"], len(told["todos"])) == (MOST + 1, 10)
        assert page(client, name)["total"] == MOST + 1

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"filter": {}, "action": "delete", "expect": 1}, "filter"),
            ({"filter": {"due_from": None}, "action": "delete", "expect": 1}, "filter"),
            ({"filter": {"tag": "home"}, "action": "delete"}, "expect"),
            ({"filter": {"tag": "home"}, "action": "delete", "dry_run": False}, "expect"),
            ({"action": "delete", "expect": 1}, "filter"),
            ({"filter": {"tag": "home"}, "expect": 1}, "action"),
            ({"filter": {"tag": "home"}, "action": "share", "expect": 1}, "action"),
            ({"filter": {"tag": "home"}, "action": "update", "expect": 2}, "shift_days"),
            ({"filter": {"tag": "home"}, "action": "update", "create_list": True, "expect": 2}, "shift_days"),
            ({"filter": {"tag": "home"}, "action": "update", "shift_days": 3661, "expect": 2}, "shift_days"),
            ({"filter": {"tag": "home"}, "action": "update", "notes": "x", "expect": 2}, "notes"),
            ({"filter": {"tag": "home"}, "action": "complete", "priority": "high", "expect": 2}, "priority"),
            (
                {"filter": {"q": "a"}, "action": "update", "shift_days": 1, "due": "2026-11-22", "expect": 2},
                "shift_days",
            ),
            ({"filter": {"q": "a"}, "action": "update", "shift_days": 1, "clear": ["due"], "expect": 2}, "shift_days"),
            ({"filter": {"q": "a"}, "action": "update", "clear": ["due"], "due": "2026-11-22", "expect": 2}, "clear"),
            ({"filter": {"q": "a"}, "action": "update", "clear": ["tags"], "add_tags": ["x"], "expect": 2}, "clear"),
            ({"filter": {"status": "deleted"}, "action": "delete", "expect": 2}, "filter.status"),
            ({"filter": {"status": "open"}, "action": "restore", "expect": 2}, "filter.status"),
            ({"filter": {"when": "someday"}, "action": "delete", "expect": 2}, "filter.when"),
            ({"filter": {"due_from": "2026-11-22T18:00Z"}, "action": "delete", "expect": 2}, "filter.due_from"),
            ({"filter": {"tags": "home"}, "action": "delete", "expect": 2}, "filter.tags"),
            ({"filter": {"tag": "home"}, "action": "delete", "expect": -1}, "expect"),
        ],
    )
    def test_what_is_wrong_is_named(self, client: httpx.Client, three: str, body: JSON, field: str) -> None:
        told = problem(client.post(f"/todos/{three}/changes/matching", json=body), 400, "invalid_request")
        assert [error["field"] for error in told["errors"]] == [field]
        assert len(changes_of(client, three)) == 3

    def test_one_that_cannot_be_changed_is_named_and_nothing_is_done(self, client: httpx.Client, three: str) -> None:
        client.patch(f"/todos/{three}/2", json={"tags": [f"{n}" for n in range(20)]})
        before = page(client, three)
        told = problem(
            change(client, three, {"status": "open"}, "update", add_tags=["x"], expect=3), 400, "invalid_request"
        )
        assert told["errors"] == [
            {
                "field": "add_tags",
                "message": "would make 21 tags; a to-do has at most 20; this is about the to-do with id 2",
            }
        ]
        assert page(client, three) == before

    def test_a_repeating_one_keeps_its_due(self, client: httpx.Client, name: str) -> None:
        add(client, name, due="2150-01-30", repeat="FREQ=DAILY")
        told = problem(
            change(client, name, {"status": "open"}, "update", clear=["due"], expect=1), 400, "invalid_request"
        )
        (error,) = told["errors"]
        assert error["field"] == "due"
        assert "with id 1" in error["message"]

    @pytest.mark.parametrize(("due", "days"), [("2199-12-31", 1), ("1900-01-01", -1)])
    def test_a_day_out_of_range(self, client: httpx.Client, name: str, due: str, days: int) -> None:
        add(client, name, due=due)
        response = change(client, name, {"status": "open"}, "update", shift_days=days, expect=1)
        (error,) = problem(response, 400, "invalid_request")["errors"]
        assert error["field"] == "shift_days"
        assert "with id 1" in error["message"]

    def test_a_list_that_is_not_there(self, client: httpx.Client, three: str) -> None:
        for how in ({"expect": 2}, {"dry_run": True}):
            problem(change(client, three, {"list": "Trip"}, "delete", **how), 404, "list_not_found")
        problem(change(client, three, {"tag": "home"}, "update", list="Trip", expect=2), 404, "list_not_found")
        assert len(changes_of(client, three)) == 3

    def test_an_empty_list_of_nobody(self, client: httpx.Client, name: str) -> None:
        problem(change(client, name, {"tag": "home"}, "delete", expect=1), 409, "unexpected_count")
        problem(change(client, name, {"list": "Trip"}, "delete", expect=1), 404, "list_not_found")


class TestRetries:
    def test_with_a_request_id(self, client: httpx.Client, three: str) -> None:
        send = {"expect": 2, "request_id": "k"}
        first, again = (change(client, three, {"tag": "home"}, "complete", **send) for _ in range(2))
        assert again.json() == first.json()
        assert again.headers["idempotent-replay"] == "true"
        told = change(client, three, {"tag": "work"}, "complete", **send)
        problem(told, 409, "request_id_reused")

    def test_the_first_answer_stands_though_the_list_is_gone(self, client: httpx.Client, name: str) -> None:
        add(client, name, list="Trip", create_list=True)
        send = {"expect": 1, "request_id": "k"}
        first = changed(client, name, {"list": "Trip"}, "complete", **send)
        client.request("DELETE", f"/lists/{name}/Trip")
        assert changed(client, name, {"list": "Trip"}, "complete", **send) == first

    def test_without_one_just_after(self, client: httpx.Client, three: str) -> None:
        first, again = (changed(client, three, {"tag": "home"}, "complete", expect=2) for _ in range(2))
        assert again == {**first, "deduplicated": True}

    def test_not_when_the_first_was_undone(self, client: httpx.Client, three: str) -> None:
        first = changed(client, three, {"tag": "home"}, "complete", expect=2)
        client.post(f"/todos/{three}/changes/{first['change_id']}/undo")
        again = changed(client, three, {"tag": "home"}, "complete", expect=2)
        assert again["change_id"] == first["change_id"] + 2

    def test_many_at_once_are_one(self, client: httpx.Client, three: str) -> None:
        with ThreadPoolExecutor(8) as threads:
            answers = list(
                threads.map(lambda _: changed(client, three, {"tag": "home"}, "complete", expect=2), range(16))
            )
        assert sum("deduplicated" not in answer for answer in answers) == 1
        assert len(changes_of(client, three)) == 4


def test_others_write_meanwhile(client: httpx.Client, name: str, database_url: str) -> None:
    """Each bulk change finds the number that it expects, or is refused with the true one, and none is lost."""
    fill(client, name, 40, tags=["a"])

    def move(number: int) -> int:
        while True:
            matched = changed(client, name, {"tag": "a"}, "update", add_tags=[f"n{number}"], dry_run=True)["matched"]
            fields = {"add_tags": [f"n{number}"], "expect": matched}
            response = change(client, name, {"tag": "a"}, "update", **fields)
            if response.status_code == 200:
                return response.json()["changed"]
            assert response.json()["code"] in ("unexpected_count", "changed_meanwhile")

    def write(number: int) -> int:
        return client.post(f"/todos/{name}", json={"todo": f"more {number}", "tags": ["a"]}).status_code

    with ThreadPoolExecutor(6) as threads:
        moved, written = [threads.submit(move, n) for n in range(3)], list(threads.map(write, range(10)))
        assert all(future.result() >= 40 for future in moved)
    assert written == [201] * 10
    assert_log_gives_the_list(database_url, name)


def test_five_hundred_are_changed_undone_and_redone(client: httpx.Client, name: str, database_url: str) -> None:
    fill(client, name, MOST, due="2026-11-22")
    answer = changed(client, name, {"due_to": "2026-11-22"}, "update", shift_days=1, priority="high", expect=MOST)
    assert (answer["changed"], len(answer["todos"])) == (MOST, 10)
    assert page(client, name, due_from="2026-11-23", priority="high")["total"] == MOST
    undone = client.post(f"/todos/{name}/changes/{answer['change_id']}/undo").json()
    assert page(client, name, due_to="2026-11-22")["total"] == MOST
    client.post(f"/todos/{name}/changes/{undone['change_id']}/undo")
    assert page(client, name, due_from="2026-11-23", priority="high")["total"] == MOST
    assert_log_gives_the_list(database_url, name)


def test_a_model_mends_its_call_in_one_step(client: httpx.Client, three: str) -> None:
    asked = {"username": three, "filter": {"tag": "home", "query": "buy"}, "action": "complete"}
    assert call(client, "change_matching_todos", **asked)["isError"]
    found = done(client, "change_matching_todos", **asked, dry_run=True)
    answer = done(client, "change_matching_todos", **asked, expect=found["matched"])
    assert answer["changed"] == 2


def test_a_list_that_others_keep_changing_is_left_alone(
    client: httpx.Client, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(client, name, "a")
    monkeypatch.setattr(changes, "ATTEMPTS", 0)  # as after all of them
    body = {"filter": {"status": "open"}, "action": "complete", "expect": 1}
    response = client.post(f"/todos/{name}/changes/matching", json=body)
    assert (response.status_code, response.json()["code"]) == (409, "changed_meanwhile")
    assert client.get(f"/todos/{name}").json()["total"] == 1
