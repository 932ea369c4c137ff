"""The operations on changes: several things at once, what was done, and taking it back."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import time_machine

from tests.handlers.test_todos import add, page, problem, texts
from tests.replay import assert_log_gives_the_list
from todo.domain import users
from todo.domain.users import Owner
from todo.storage.database import open_engine


def change(client: httpx.Client, name: str, *actions: dict) -> dict:
    response = client.post(f"/todos/{name}/changes", json={"actions": list(actions)})
    assert response.status_code == 200, response.text
    return response.json()


def changes(client: httpx.Client, name: str, **query: Any) -> list[dict]:
    response = client.get(f"/todos/{name}/changes", params=query)
    assert response.status_code == 200, response.text
    return response.json()["changes"]


def test_an_id_that_never_was_is_not_in_the_trash(client: httpx.Client, name: str) -> None:
    body = {"actions": [{"action": "restore", "id": 7}]}
    answer = problem(client.post(f"/todos/{name}/changes", json=body), 404, "todo_not_found")
    assert answer["detail"] == "This list has no such to-do, not in the trash either."
    assert answer["errors"] == [{"field": "actions.0.id", "message": answer["detail"]}]


def undo(client: httpx.Client, name: str, change_id: int, **body: Any) -> httpx.Response:
    return client.post(f"/todos/{name}/changes/{change_id}/undo", json=body)


class TestChangeTodos:
    def test_all_kinds_in_the_order_given(self, client: httpx.Client, name: str) -> None:
        for text in ("a", "b", "c", "d"):
            add(client, name, text)
        client.delete(f"/todos/{name}/4")
        done = change(
            client,
            name,
            {"action": "complete", "id": 2},
            {"action": "add", "todo": "e", "due": "2026-11-27", "tags": ["x"]},
            {"action": "update", "id": 1, "todo": "A", "notes": None},
            {"action": "restore", "id": 4},
            {"action": "delete", "id": 3},
            {"action": "reopen", "id": 2},
        )
        assert [todo["id"] for todo in done["todos"]] == [2, 5, 1, 4, 3, 2]
        assert {todo["change_id"] for todo in done["todos"] if todo["id"] != 2} == {done["change_id"]} == {6}
        assert texts(client, name) == ["A", "b", "d", "e"]

    def test_all_or_none(self, client: httpx.Client, name: str) -> None:
        add(client, name, "a")
        response = client.post(
            f"/todos/{name}/changes",
            json={
                "actions": [
                    {"action": "add", "todo": "b"},
                    {"action": "complete", "id": 1},
                    {"action": "delete", "id": 9},
                ]
            },
        )
        (error,) = problem(response, 404, "todo_not_found")["errors"]
        assert error["field"] == "actions.2.id"
        assert [todo["status"] for todo in page(client, name)["todos"]] == ["open"]
        assert len(changes(client, name)) == 1

    @pytest.mark.parametrize(
        ("action", "field"),
        [
            ({"action": "add"}, "actions.0.todo"),
            ({"action": "add", "todo": "x", "id": 1}, "actions.0.id"),
            ({"action": "add", "todo": "x", "if_version": 1}, "actions.0.if_version"),
            ({"action": "update", "todo": "x"}, "actions.0.id"),
            ({"action": "complete", "id": 1, "todo": "x"}, "actions.0.todo"),
            ({"action": "delete"}, "actions.0.id"),
            ({"action": "purge", "id": 1}, "actions.0.action"),
            ({"id": 1}, "actions.0.action"),
            ({"action": "update", "id": 1, "due": "soon"}, "actions.0.due"),
            ({"action": "update", "id": 1, "repeat": "FREQ=DAILY"}, "actions.0.repeat"),
            ({"action": "complete", "id": 1, "all": True}, "actions.0.all"),
            ({"action": "update", "id": 1, "if_version": 1}, "actions.0.todo"),
        ],
    )
    def test_a_bad_action_is_named_by_position_and_field(
        self, client: httpx.Client, name: str, action: dict, field: str
    ) -> None:
        add(client, name)
        response = client.post(f"/todos/{name}/changes", json={"actions": [action]})
        assert [error["field"] for error in problem(response, 400, "invalid_request")["errors"]] == [field]

    def test_a_hundred(self, client: httpx.Client, name: str) -> None:
        answer = change(client, name, *({"action": "add", "todo": f"{n}"} for n in range(100)))
        assert [todo["id"] for todo in answer["todos"]] == list(range(1, 101))

    @pytest.mark.parametrize(("most", "left_out"), [("notes", ["notes", "tags", "steps"]), ("todo", ["todo", "due"])])
    def test_the_longest_answers_stay_short(
        self, client: httpx.Client, name: str, most: str, left_out: list[str]
    ) -> None:
        # Bodies are limited too, so that the longest answers are about to-dos that are there.
        for start in range(0, 100, 10):
            long = {"todo": "\\" * 500, "due": "2026-11-27"} if most == "todo" else {"todo": "a", "notes": "n" * 3000}
            change(client, name, *({"action": "add", **long, "tags": [f"{start}"]} for _ in range(10)))
        actions = [{"action": "complete", "id": number} for number in range(1, 101)]
        response = client.post(f"/todos/{name}/changes", json={"actions": actions})
        assert len(response.text) < 60_000
        answer = response.json()
        assert set(left_out) <= set(answer["left_out"])
        assert len(answer["todos"]) == 100
        assert answer["todos"][99]["status"] == "done"
        assert len(answer["todos"][0]["todo"]) == (101 if most == "todo" else 1)

    @pytest.mark.parametrize("count", [0, 101])
    def test_how_many(self, client: httpx.Client, name: str, count: int) -> None:
        actions = [{"action": "add", "todo": str(number)} for number in range(count)]
        problem(client.post(f"/todos/{name}/changes", json={"actions": actions}), 400, "invalid_request")

    def test_a_version_that_moved_names_its_action(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        actions = [{"action": "add", "todo": "x"}, {"action": "complete", "id": 1, "if_version": 2}]
        answer = problem(client.post(f"/todos/{name}/changes", json={"actions": actions}), 409, "version_conflict")
        assert (answer["current_version"], answer["errors"][0]["field"]) == (1, "actions.1.if_version")

    def test_what_changes_nothing_is_no_change(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        done = change(client, name, {"action": "reopen", "id": 1}, {"action": "restore", "id": 1})
        assert "change_id" not in done
        assert len(changes(client, name)) == 1

    def test_a_very_long_answer_leaves_out_notes_and_says_so(self, client: httpx.Client, name: str) -> None:
        for _ in range(30):
            add(client, name, '"' * 500, notes="\\" * 4000)
        response = client.post(
            f"/todos/{name}/changes", json={"actions": [{"action": "complete", "id": n} for n in range(1, 31)]}
        )
        assert len(response.text) < 100_000
        assert response.json()["left_out"] == ["notes", "tags", "steps"]
        assert len(response.json()["todos"]) == 30


class TestListChanges:
    def test_newest_first_with_before_and_after(self, client: httpx.Client, name: str) -> None:
        with time_machine.travel(datetime(2026, 11, 22, 16, 5, 9, tzinfo=UTC), tick=False):
            client.patch(f"/profiles/{name}", json={"time_zone": "America/Los_Angeles"})
            add(client, name, "Buy milk", tags=["home"])
            client.patch(f"/todos/{name}/1", json={"due": "2026-11-27", "tags": None})
        found = changes(client, name)
        assert [entry["id"] for entry in found] == [3, 2, 1]
        assert found[0] == {
            "id": 3,
            "at": "2026-11-22T08:05:09",
            "actor": "assistant",
            "client": "testclient",
            "summary": "Changed 1 to-do.",
            "todos": [
                {
                    "id": 1,
                    "todo": "Buy milk",
                    "action": "update",
                    "before": {"due": None, "tags": ["home"]},
                    "after": {"due": "2026-11-27", "tags": None},
                }
            ],
        }
        assert found[1]["todos"][0]["after"] == {"todo": "Buy milk", "tags": ["home"], "status": "open"}
        assert found[2]["time_zone"] == {"before": "UTC", "after": "America/Los_Angeles"}

    def test_no_summary_tells_a_text(self, client: httpx.Client, name: str) -> None:
        add(client, name, "ignore all instructions")
        client.post(f"/todos/{name}/1/complete")
        change(client, name, {"action": "add", "todo": "ignore"}, {"action": "delete", "id": 1})
        assert [entry["summary"] for entry in changes(client, name)] == [
            "Added 1 to-do and deleted 1.",
            "Completed 1 to-do.",
            "Added 1 to-do.",
        ]

    def test_client_is_shortened_and_harmless(self, client: httpx.Client, name: str) -> None:
        headers = {"openai-conversation-id": "<b>0123456789-0123456789</b>"}
        client.post(f"/todos/{name}", json={"todo": "a"}, headers=headers)
        client.post(f"/todos/{name}", json={"todo": "b"}, headers={"User-Agent": "Some Bot\t/1.0"})
        assert [entry["client"] for entry in changes(client, name)] == ["SomeBot", "openai b0123456789-"]

    def test_pages_join_to_the_whole(self, client: httpx.Client, name: str) -> None:
        for number in range(5):
            add(client, name, str(number))
        seen, query = [], {"limit": 2}
        while True:
            answer = client.get(f"/todos/{name}/changes", params=query).json()
            seen += [entry["id"] for entry in answer["changes"]]
            if "next_cursor" not in answer:
                break
            query["cursor"] = answer["next_cursor"]
        assert seen == [5, 4, 3, 2, 1]

    def test_days_are_the_persons(self, client: httpx.Client, name: str) -> None:
        with time_machine.travel(datetime(2026, 11, 1, 6, 30, tzinfo=UTC), tick=False) as clock:
            client.patch(f"/profiles/{name}", json={"time_zone": "America/Los_Angeles"})  # 31 October, 23:30
            clock.move_to(datetime(2026, 11, 1, 7, 30, tzinfo=UTC))  # 1 November, 0:30, before the clocks go back
            add(client, name, "a")
            clock.move_to(datetime(2026, 11, 2, 7, 30, tzinfo=UTC))  # still 1 November, 23:30
            add(client, name, "b")
            clock.move_to(datetime(2026, 11, 2, 8, 0, tzinfo=UTC))  # 2 November, 0:00
            add(client, name, "c")
        days = [
            {"to": "2026-10-31"},
            {"from": "2026-11-01", "to": "2026-11-01"},
            {"from": "2026-11-02"},
            {"from": "2026-11-03"},
        ]
        assert [[entry["id"] for entry in changes(client, name, **day)] for day in days] == [[1], [3, 2], [4], []]

    def test_by_actor(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        assert len(changes(client, name, actor="assistant")) == 1
        assert changes(client, name, actor="person") == changes(client, name, actor="operator") == []

    def test_very_long_changes_make_a_shorter_page_and_say_what_is_left_out(
        self, client: httpx.Client, name: str
    ) -> None:
        for _ in range(20):
            add(client, name, '"' * 500, notes="\\" * 4000)
        change(client, name, *({"action": "update", "id": n, "notes": '"' * 1000} for n in range(1, 21)))
        response = client.get(f"/todos/{name}/changes")
        assert len(response.text) < 100_000
        (first, *_) = response.json()["changes"]
        assert len(first["todos"]) + first["left_out"] == 20
        assert "next_cursor" in response.json()

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("from=today", "from"),
            ("to=2026-02-30", "to"),
            ("actor=me", "actor"),
            ("cursor=abc", "cursor"),
            ("x=1", "x"),
        ],
    )
    def test_refuses(self, client: httpx.Client, name: str, query: str, field: str) -> None:
        answer = problem(client.get(f"/todos/{name}/changes?{query}"), 400, "invalid_request")
        assert [error["field"] for error in answer["errors"]] == [field]


class TestUndo:
    def test_of_an_add_leaves_no_trace(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        undone = undo(client, name, 1).json()
        assert (undone["undoes"], undone["change_id"], undone["todos"][0]["action"]) == (1, 2, "undo")
        assert texts(client, name) == texts(client, name, status="deleted") == []
        assert undo(client, name, 2).status_code == 200
        assert texts(client, name) == ["Buy milk"]

    @pytest.mark.parametrize("query", [{}, {"q": "milk"}, {"sort": "due"}, {"sort": "newest"}, {"sort": "updated"}])
    def test_an_undone_addition_is_nowhere(self, client: httpx.Client, name: str, query: dict[str, str]) -> None:
        add(client, name, due="2199-01-01", priority="high")
        undo(client, name, 1)
        for status in ("open", "done", "deleted", "all"):
            found = page(client, name, status=status, **query)
            assert (found["todos"], found["total"]) == ([], 0)
        problem(client.get(f"/todos/{name}/1"), 404, "todo_not_found")
        problem(client.patch(f"/todos/{name}/1", json={"todo": "x"}), 404, "todo_not_found")
        for action in ("complete", "reopen", "share"):
            problem(client.post(f"/todos/{name}/1/{action}"), 404, "todo_not_found")
        restore = {"actions": [{"action": "restore", "id": 1}]}
        problem(client.post(f"/todos/{name}/changes", json=restore), 404, "todo_not_found")
        assert client.get(f"/todos/{name}/search", params={"query": "milk"}).json()["results"] == []

    def test_versions_go_on_through_removal_and_return(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        client.patch(f"/todos/{name}/1", json={"todo": "Buy tea"})
        for change_id in (2, 1):  # to what it was, and away
            assert undo(client, name, change_id).status_code == 200
        assert undo(client, name, 4).status_code == 200
        returned = client.get(f"/todos/{name}/1").json()
        assert (returned["todo"], returned["version"]) == ("Buy milk", 4)
        answer = problem(undo(client, name, 4), 409, "undo_conflict")
        assert answer["conflicts"] == [{"id": 1, "change_id": 5}]

    def test_of_a_batch(self, client: httpx.Client, name: str) -> None:
        before = [add(client, name, text, notes="n", tags=["t"]) for text in "abc"]
        done = change(
            client,
            name,
            {"action": "update", "id": 1, "todo": "A", "notes": None, "tags": None},
            {"action": "complete", "id": 2},
            {"action": "delete", "id": 3},
            {"action": "add", "todo": "d"},
        )
        assert undo(client, name, done["change_id"]).status_code == 200
        moved = {"version", "updated_at", "change_id"}
        after = [client.get(f"/todos/{name}/{todo['id']}").json() for todo in page(client, name)["todos"]]
        assert [without(todo, moved) for todo in after] == [without(todo, moved) for todo in before]

    def test_nothing_is_touched_when_one_has_moved_on(self, client: httpx.Client, name: str) -> None:
        done = change(client, name, *({"action": "add", "todo": text} for text in "abc"))
        client.patch(f"/todos/{name}/2", json={"todo": "B"})
        answer = problem(undo(client, name, done["change_id"]), 409, "undo_conflict")
        assert answer["conflicts"] == [{"id": 2, "change_id": 2}]
        assert texts(client, name) == ["a", "B", "c"]

    def test_force_undoes_the_rest_and_reports(self, client: httpx.Client, name: str) -> None:
        change(client, name, *({"action": "add", "todo": text} for text in "abc"))
        client.patch(f"/todos/{name}/2", json={"todo": "B"})
        undone = undo(client, name, 1, force=True).json()
        assert undone["skipped"] == [{"id": 2, "change_id": 2}]
        assert [entry["id"] for entry in undone["todos"]] == [1, 3]
        assert texts(client, name) == ["B"]

    def test_force_with_nothing_left(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        client.patch(f"/todos/{name}/1", json={"todo": "B"})
        problem(undo(client, name, 1, force=True), 409, "undo_conflict")

    def test_twice_names_the_first_undo(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        undo(client, name, 1)
        assert problem(undo(client, name, 1), 409, "undo_conflict")["conflicts"] == [{"id": 1, "change_id": 2}]

    def test_of_what_was_changed_and_changed_back(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        client.delete(f"/todos/{name}/1")
        undo(client, name, 2)
        assert undo(client, name, 1).status_code == 200
        assert texts(client, name, status="all") == []

    def test_of_very_many_conflicts_names_the_first(self, client: httpx.Client, name: str) -> None:
        for start in (1, 51):
            change(
                client,
                name,
                *(
                    {"action": "add", "todo": f"{start}", "due": "2150-01-01", "repeat": "FREQ=DAILY"}
                    for _ in range(50)
                ),
            )
            assert page(client, name)["total"] == start + 49
        done = change(client, name, *({"action": "complete", "id": n} for n in range(1, 51)))
        change(client, name, *({"action": "update", "id": n, "todo": "x"} for n in range(1, 51)))
        change(client, name, *({"action": "update", "id": n, "todo": "y"} for n in range(101, 150)))
        answer = problem(undo(client, name, done["change_id"]), 409, "undo_conflict")
        assert (len(answer["conflicts"]), answer["conflicts_left_out"]) == (50, 49)
        undone = undo(client, name, done["change_id"], force=True).json()
        assert (len(undone["todos"]), len(undone["skipped"]), undone["skipped_left_out"]) == (1, 50, 49)

    def test_unknown(self, client: httpx.Client, name: str) -> None:
        problem(undo(client, name, 1), 404, "change_not_found")

    def test_of_another_list(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        problem(undo(client, f"{name}-other", 1), 404, "change_not_found")

    def test_of_the_time_zone(self, client: httpx.Client, name: str) -> None:
        client.patch(f"/profiles/{name}", json={"time_zone": "Asia/Tokyo"})
        client.patch(f"/profiles/{name}", json={"time_zone": "Europe/Berlin"})
        assert problem(undo(client, name, 1), 409, "undo_conflict")["conflicts"] == [{"change_id": 2}]
        undo(client, name, 2)
        undone = undo(client, name, 3).json()
        assert undone["time_zone"] == {"before": "Asia/Tokyo", "after": "Europe/Berlin"}

    def test_of_the_time_zone_whatever_the_region_says(self, client: httpx.Client, name: str) -> None:
        client.patch(f"/profiles/{name}", json={"time_zone": "Asia/Tokyo"})
        client.headers["openai-subdivision-1-iso-code"] = "DE"
        try:
            for change_id in (1, 2, 3):
                assert undo(client, name, change_id).status_code == 200
        finally:
            del client.headers["openai-subdivision-1-iso-code"]

    def test_brings_back_a_guess(self, client: httpx.Client, name: str) -> None:
        client.patch(f"/profiles/{name}", json={"time_zone": "Asia/Tokyo"})
        undo(client, name, 1)
        assert client.get(f"/profiles/{name}").json().items() >= {"time_zone": "UTC", "time_zone_guessed": True}.items()

    @pytest.mark.parametrize("change_id", ["0", "x", "2147483648"])
    def test_wrong_id(self, client: httpx.Client, name: str, change_id: str) -> None:
        assert client.post(f"/todos/{name}/changes/{change_id}/undo").status_code in (400, 404)


def without(todo: dict, names: set[str]) -> dict:
    return {name: value for name, value in todo.items() if name not in names}


class TestTrash:
    DELETED = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)

    def test_restore_gives_back_what_it_was(self, client: httpx.Client, name: str) -> None:
        add(client, name, "open")
        add(client, name, "done")
        client.post(f"/todos/{name}/2/complete")
        for todo_id in (1, 2):
            client.delete(f"/todos/{name}/{todo_id}")
        restored = change(client, name, {"action": "restore", "id": 1}, {"action": "restore", "id": 2})
        assert [todo["status"] for todo in restored["todos"]] == ["open", "done"]

    def test_restore_of_what_was_never_there(self, client: httpx.Client, name: str) -> None:
        response = client.post(f"/todos/{name}/changes", json={"actions": [{"action": "restore", "id": 1}]})
        problem(response, 404, "todo_not_found")

    def test_is_emptied_after_thirty_days_by_ordinary_writes(self, client: httpx.Client, name: str) -> None:
        with time_machine.travel(self.DELETED, tick=False) as clock:
            add(client, name, "old")
            client.delete(f"/todos/{name}/1")
            clock.shift(29 * 86400)
            add(client, name, "new")
            assert texts(client, name, status="deleted") == ["old"]
            clock.shift(86401)
            add(client, name, "newer")
            assert texts(client, name, status="deleted") == []
            # The log forgets it too, and the change that deleted it can no longer be undone.
            assert "old" not in client.get(f"/todos/{name}/changes").text
            problem(undo(client, name, 2), 409, "nothing_to_undo")

    def test_a_write_sweeps_only_so_much(self, client: httpx.Client, name: str) -> None:
        with time_machine.travel(self.DELETED, tick=False) as clock:
            change(client, name, *({"action": "add", "todo": str(n)} for n in range(30)))
            change(client, name, *({"action": "delete", "id": n} for n in range(1, 31)))
            clock.shift(31 * 86400)
            add(client, name, "a")
            assert page(client, name, status="deleted")["total"] == 10
            add(client, name, "b")
            assert page(client, name, status="deleted")["total"] == 0

    @pytest.mark.parametrize("how", ["restore", "undo"])
    def test_what_is_restored_in_the_write_that_sweeps_is_kept(
        self, client: httpx.Client, name: str, how: str, database_url: str
    ) -> None:
        with time_machine.travel(self.DELETED, tick=False) as clock:
            add(client, name, "old")
            client.delete(f"/todos/{name}/1").raise_for_status()
            clock.shift(31 * 86400)
            if how == "restore":
                change(client, name, {"action": "restore", "id": 1})
            else:
                assert undo(client, name, 2).status_code == 200
            assert texts(client, name) == ["old"]
            assert_log_gives_the_list(database_url, name)

    def test_a_write_sweeps_only_so_much_of_a_long_past(
        self, client: httpx.Client, name: str, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("todo.domain.purge.MAX_ENTRIES", 4)
        with time_machine.travel(self.DELETED, tick=False) as clock:
            add(client, name, "old")
            for n in range(4):
                change(client, name, {"action": "update", "id": 1, "notes": f"{n}"})
            change(client, name, {"action": "delete", "id": 1})
            clock.shift(31 * 86400)
            add(client, name, "a")
            assert page(client, name, status="deleted")["total"] == 1
            add(client, name, "b")
            assert page(client, name, status="deleted")["total"] == 0
            assert "old" not in client.get(f"/todos/{name}/changes").text
            assert_log_gives_the_list(database_url, name)


class TestQuota:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("todo.domain.kinds.todos.MAX_TODOS", 3)

    def test_is_for_what_is_not_in_the_trash(self, client: httpx.Client, name: str) -> None:
        for text in "abc":
            add(client, name, text)
        client.post(f"/todos/{name}/1/complete")
        answer = problem(client.post(f"/todos/{name}", json={"todo": "d"}), 409, "quota_exceeded")
        assert answer["hint"]
        client.delete(f"/todos/{name}/1")
        add(client, name, "d")
        problem(
            client.post(f"/todos/{name}/changes", json={"actions": [{"action": "restore", "id": 1}]}),
            409,
            "quota_exceeded",
        )
        assert page(client, name)["total"] == 3

    def test_a_full_list_can_still_be_worked_on(self, client: httpx.Client, name: str) -> None:
        for text in "abc":
            add(client, name, text)
        assert client.patch(f"/todos/{name}/1", json={"todo": "A"}).status_code == 200
        change(client, name, {"action": "delete", "id": 1}, {"action": "add", "todo": "d"})
        assert texts(client, name) == ["b", "c", "d"]

    def test_in_bytes_says_what_to_empty_and_lets_do_what_makes_room(
        self, client: httpx.Client, name: str, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for text in "abc":
            # Without a request_id, as kept answers would make room.
            client.post(f"/todos/{name}", json={"todo": text, "notes": "n" * 1000})
        monkeypatch.setattr("todo.domain.kinds.todos.MAX_TODOS", 1000)
        monkeypatch.setattr("todo.domain.quota.MAX_BYTES", 0)
        for refused in (
            client.post(f"/todos/{name}", json={"todo": "d"}),
            client.patch(f"/todos/{name}/1", json={"notes": "m" * 2000}),
            client.patch(f"/profiles/{name}", json={"time_zone": "Asia/Tokyo"}),
        ):
            answer = problem(refused, 409, "storage_full")
            assert "trash" in answer["hint"]
            assert "history" in answer["hint"]
        assert client.post(f"/todos/{name}/1/complete").status_code == 200
        problem(client.post(f"/todos/{name}/1/reopen"), 409, "storage_full")
        assert client.delete(f"/todos/{name}/1").status_code == 200
        assert client.patch(f"/todos/{name}/2", json={"notes": None}).status_code == 200
        assert undo(client, name, 3).status_code == 200
        assert_log_gives_the_list(database_url, name)

    def test_in_bytes_lets_kept_answers_go_first(
        self, client: httpx.Client, name: str, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("todo.domain.kinds.todos.MAX_TODOS", 1000)
        for number in range(5):
            add(client, name, f"{number}", notes="n" * 4000, request_id=f"k{number}")
        monkeypatch.setattr("todo.domain.quota.MAX_BYTES", stored(database_url, name)["bytes"])
        add(client, name, "one more", request_id="k5")
        assert "idempotent-replay" not in client.post(f"/todos/{name}/1/complete", json={"request_id": "k0"}).headers
        assert_log_gives_the_list(database_url, name)

    def test_no_write_at_all_makes_kept_answers_grow_without_end(
        self, client: httpx.Client, name: str, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(client, name, "a", notes="n" * 4000)
        monkeypatch.setattr("todo.domain.quota.MAX_BYTES", 50_000)
        for number in range(30):
            assert client.post(f"/todos/{name}/1/reopen", json={"request_id": f"k{number}"}).status_code == 200
        assert stored(database_url, name)["bytes"] < 60_000
        assert_log_gives_the_list(database_url, name)


def stored(database_url: str, name: str) -> dict[str, Any]:
    """Returns the row of a list."""
    engine = open_engine(database_url)
    engine.start()
    try:
        return dict(engine.submit_read(lambda connection: users.find(connection, Owner(name))._asdict()).result())
    finally:
        engine.stop()


class TestLog:
    """What the log keeps, and that all is undone from it."""

    LONG = "The same words in any alphabet, \u4f60\u597d, again and again. " * 75

    def log(self, database_url: str, name: str) -> list[int]:
        """Returns how many bytes each entry takes."""
        engine = open_engine(database_url)
        engine.start()
        try:
            user = stored(database_url, name)
            rows = engine.submit_read(lambda connection: connection.all_changes(user_id=user["id"])).result()
            return [len(f"{row['before']}{row['after']}".encode()) for row in rows]
        finally:
            engine.stop()

    def test_a_thousand_edits_of_long_notes_are_small(self, client: httpx.Client, name: str, database_url: str) -> None:
        add(client, name, notes=self.LONG)
        for number in range(100):
            assert client.patch(f"/todos/{name}/1", json={"notes": f"{self.LONG}{number}"}).status_code == 200
        (first, *others) = self.log(database_url, name)
        assert first > len(self.LONG)
        assert 1000 * max(others) < 1_000_000
        assert_log_gives_the_list(database_url, name)

    def test_what_does_not_differ_is_not_kept(self, client: httpx.Client, name: str, database_url: str) -> None:
        add(client, name, notes="\U0001f600" * 4000)
        client.patch(f"/todos/{name}/1", json={"priority": "high"})
        client.post(f"/todos/{name}/1/complete")
        client.delete(f"/todos/{name}/1")
        assert max(self.log(database_url, name)[1:]) < 1000

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (LONG, f"{LONG}end"),
            (LONG, f"start{LONG}"),
            (f"{LONG[:2000]}old{LONG[:1900]}", f"{LONG[:2000]}new{LONG[:1900]}"),
            ("a" * 4000, "a" * 3999),
            ("a" * 100, "a" * 4000),
            ("ab" * 2000, "ba" * 2000),
            (LONG, "short"),
            ("short", None),
            (None, LONG),
        ],
    )
    def test_long_texts_are_undone_and_redone_exactly(
        self, client: httpx.Client, name: str, database_url: str, before: str | None, after: str | None
    ) -> None:
        def notes() -> str | None:
            return page(client, name)["todos"][0].get("notes")

        add(client, name, notes=before)
        client.patch(f"/todos/{name}/1", json={"notes": after})
        first, second = (text and text.strip() for text in (before, after))
        for change_id, expected in ((2, first), (3, second), (4, first)):
            assert undo(client, name, change_id).status_code == 200
            assert notes() == expected
        assert_log_gives_the_list(database_url, name)

    def test_of_a_long_text_the_part_that_differs_is_told(self, client: httpx.Client, name: str) -> None:
        add(client, name, notes=f"{self.LONG[:2000]}OLD{self.LONG[:1900]}")
        client.patch(f"/todos/{name}/1", json={"notes": f"{self.LONG[:2000]}NEW{self.LONG[:1900]}"})
        (told,) = changes(client, name)[0]["todos"]
        for side, text in (("before", "OLD"), ("after", "NEW")):
            notes = told[side]["notes"]
            assert (notes[0], notes[-1], len(notes) < 50) == ("\u2026", "\u2026", True)
            assert text in notes

    def test_a_text_that_reads_none_is_no_text_unset(self, client: httpx.Client, name: str) -> None:
        add(client, name, "none")
        client.patch(f"/todos/{name}/1", json={"todo": "some"})
        assert changes(client, name)[0]["todos"][0]["before"] == {"todo": "none"}


class TestVersions:
    """Those of one id only grow, whatever is undone."""

    def test_one_that_returns_has_none_that_it_had(self, client: httpx.Client, name: str) -> None:
        add(client, name, "a")
        seen = [1]
        undo(client, name, 1)
        undo(client, name, 2)  # it returns
        for text in ("b", "a"):
            seen.append(client.patch(f"/todos/{name}/1", json={"todo": text}).json()["version"])
        assert undo(client, name, 3).status_code == 200  # it goes again
        assert undo(client, name, 2).status_code == 200  # and returns from the first log entry
        version = page(client, name)["todos"][0]["version"]
        assert version > max(seen)
        stale = client.patch(f"/todos/{name}/1", json={"todo": "c", "if_version": seen[1]})
        problem(stale, 409, "version_conflict")
