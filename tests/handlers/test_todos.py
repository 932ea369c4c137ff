"""The operations on to-dos, over HTTP, on both databases; every answer is checked against the contract."""

import uuid
from datetime import UTC, datetime

import httpx
import pytest
import time_machine

from todo.contract import product
from todo.domain import listing

SUNDAY = datetime(2026, 11, 22, 16, 5, 9, tzinfo=UTC)


def add(client: httpx.Client, name: str, text: str = "Buy milk", **fields: object) -> dict:
    # Each call names itself, so that two to-dos with the same words are two.
    response = client.post(f"/todos/{name}", json={"todo": text, "request_id": uuid.uuid4().hex, **fields})
    assert response.status_code == 201, response.text
    return response.json()


def texts(client: httpx.Client, name: str, **query: object) -> list[str]:
    return [todo["todo"] for todo in page(client, name, **query)["todos"]]


def page(client: httpx.Client, name: str, **query: object) -> dict:
    response = client.get(f"/todos/{name}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def problem(response: httpx.Response, status: int, code: str) -> dict:
    assert (response.status_code, response.json()["code"]) == (status, code)
    return response.json()


class TestTutorial:
    """The three requests of the plugin tutorial, as it sends them."""

    def test_flow(self, client: httpx.Client, name: str) -> None:
        assert page(client, name)["todos"] == []
        client.post(f"/todos/{name}", json={"todo": "first"})
        client.post(f"/todos/{name}", json={"todo": "second"})
        deleted = client.request("DELETE", f"/todos/{name}", json={"todo_idx": 0})
        assert deleted.json()["todo"] == "first"
        assert texts(client, name) == ["second"]

    def test_index_counts_open_todos_only(self, client: httpx.Client, name: str) -> None:
        done = add(client, name, "done")
        add(client, name, "open")
        client.post(f"/todos/{name}/{done['id']}/complete")
        assert client.request("DELETE", f"/todos/{name}", json={"todo_idx": 0}).json()["todo"] == "open"

    @pytest.mark.parametrize("index", [1, 2147483647])
    def test_index_out_of_range(self, client: httpx.Client, name: str, index: int) -> None:
        add(client, name)
        problem(client.request("DELETE", f"/todos/{name}", json={"todo_idx": index}), 404, "todo_not_found")
        assert page(client, name)["total"] == 1

    @pytest.mark.parametrize("body", [{"todo_idx": -1}, {"todo_idx": "0"}, {"todo_idx": 0.5}, {"todo_idx": True}, {}])
    def test_wrong_index(self, client: httpx.Client, name: str, body: dict) -> None:
        answer = problem(client.request("DELETE", f"/todos/{name}", json=body), 400, "invalid_request")
        assert answer["errors"][0]["field"] == "todo_idx"


class TestAdd:
    @time_machine.travel(SUNDAY, tick=False)
    def test_text_alone_is_enough(self, client: httpx.Client, name: str) -> None:
        response = client.post(f"/todos/{name}", json={"todo": "Buy milk"})
        assert response.headers["location"] == f"/todos/{name}/1"
        assert response.json() == {
            "id": 1,
            "todo": "Buy milk",
            "list": "Inbox",
            "status": "open",
            "version": 1,
            "created_at": "2026-11-22T16:05:09Z",
            "updated_at": "2026-11-22T16:05:09Z",
            "change_id": 1,
        }

    @time_machine.travel(SUNDAY, tick=False)
    def test_all_fields(self, client: httpx.Client, name: str) -> None:
        fields = {"notes": "the oat one", "due": "2026-11-27T18:00", "priority": "high", "tags": ["home", "Läden"]}
        todo = add(client, name, **fields)
        assert todo.items() >= {**fields, "due_weekday": "Friday", "overdue": False}.items()
        assert client.get(f"/todos/{name}/1").json() == todo

    def test_null_and_none_mean_unset(self, client: httpx.Client, name: str) -> None:
        todo = add(client, name, notes=None, due=None, priority="none", tags=None)
        assert not {"notes", "due", "due_weekday", "overdue", "priority", "tags"} & set(todo)

    def test_text_is_trimmed_and_tags_are_kept_once(self, client: httpx.Client, name: str) -> None:
        todo = add(client, name, "  Buy milk ", tags=[" Home", "home ", "work"], due="2026-11-27T18:00:00", notes=" ")
        assert (todo["todo"], todo["tags"], todo["due"]) == ("Buy milk", ["Home", "work"], "2026-11-27T18:00")
        assert "notes" not in todo

    def test_ids_count_within_one_list(self, client: httpx.Client, name: str) -> None:
        assert [add(client, name)["id"] for _ in range(3)] == [1, 2, 3]
        assert add(client, f"{name}-other")["id"] == 1

    def test_ids_are_never_used_again(self, client: httpx.Client, name: str) -> None:
        client.request("DELETE", f"/todos/{name}/{add(client, name)['id']}")
        assert add(client, name)["id"] == 2

    def test_case_of_the_username_does_not_matter(self, client: httpx.Client, name: str) -> None:
        add(client, name.upper())
        assert page(client, name)["total"] == 1

    @pytest.mark.parametrize(
        ("fields", "field", "message"),
        [
            ({}, "todo", "is required"),
            ({"todo": 5}, "todo", "must be text"),
            ({"todo": None}, "todo", "must be text"),
            ({"todo": ""}, "todo", "must not be empty"),
            ({"todo": "   "}, "todo", "form"),
            ({"todo": "x" * 501}, "todo", "at most 500"),
            ({"todo": "a\nb"}, "todo", "form"),
            ({"todo": "a\n"}, "todo", "form"),
            ({"todo": "a\0b"}, "todo", "form"),
            ({"todo": "a", "notes": "x" * 4001}, "notes", "at most 4000"),
            ({"todo": "a", "notes": "a\0b"}, "notes", "form"),
            ({"todo": "a", "due": "tomorrow"}, "due", "form"),
            ({"todo": "a", "due": "2026-02-29"}, "due", "form"),
            ({"todo": "a", "due": "2100-02-29"}, "due", "form"),
            ({"todo": "a", "due": "2026-04-31"}, "due", "form"),
            ({"todo": "a", "due": "2026-11-27T24:00"}, "due", "form"),
            ({"todo": "a", "due": "2026-11-27Z"}, "due", "form"),
            ({"todo": "a", "due": "2026-11-27T18:00+24:00"}, "due", "form"),
            ({"todo": "a", "due": "2026-11-27T18:00+0100"}, "due", "form"),
            ({"todo": "a", "due": "2026-11-27T18:00:60"}, "due", "form"),
            ({"todo": "a", "due": "2026-11-27T18:00:00.1234567890"}, "due", "form"),
            ({"todo": "a", "due": "2199-12-31T23:59-12:00"}, "due", "between 1900 and 2199"),
            ({"todo": "a", "due": "1900-01-01T00:00+12:00"}, "due", "between 1900 and 2199"),
            ({"todo": "a", "due": "2026-11-27\n"}, "due", "form"),
            ({"todo": "a", "priority": "urgent"}, "priority", "one of none, low, medium, high"),
            ({"todo": "a", "priority": 1}, "priority", "one of none, low, medium, high (a word, as the number 1"),
            ({"todo": "a", "tags": "home"}, "tags", 'must be a list of texts, such as ["home"]'),
            ({"todo": "a", "tags": [str(n) for n in range(21)]}, "tags", "at most 20"),
            ({"todo": "a", "tags": ["ok", ""]}, "tags.1", "must not be empty"),
            ({"todo": "a", "tags": ["x" * 51]}, "tags.0", "at most 50"),
            ({"todo": "a", "prio": "high"}, "prio", "(did you mean priority?); known fields are todo, notes"),
            ({"todo": "a", "dueDate": "2026-11-27"}, "dueDate", "(did you mean due?)"),
            ({"todo": "a", "Description": "b"}, "Description", "(did you mean notes?)"),
            ({"todo": "a", "id": 7}, "id", "is not a known field"),
        ],
    )
    def test_refuses(self, client: httpx.Client, name: str, fields: dict, field: str, message: str) -> None:
        errors = problem(client.post(f"/todos/{name}", json=fields), 400, "invalid_request")["errors"]
        assert any(error["field"] == field and message in error["message"] for error in errors), errors
        assert page(client, name)["total"] == 0

    @pytest.mark.parametrize(
        ("given", "stored"),
        [
            ("2026-11-27T18:00Z", "2026-11-27T10:00"),
            ("2026-11-27T18:00:30Z", "2026-11-27T10:00"),
            ("2026-11-27T18:00:30.250+01:00", "2026-11-27T09:00"),
            ("2026-11-27T00:30:00-00:00", "2026-11-26T16:30"),
            ("2026-07-01T18:00Z", "2026-07-01T11:00"),
        ],
    )
    def test_a_due_date_with_an_offset_is_converted(
        self, client: httpx.Client, name: str, given: str, stored: str
    ) -> None:
        client.patch(f"/profiles/{name}", json={"time_zone": "America/Los_Angeles"})
        note = f"due was converted to {stored}, the local time in America/Los_Angeles."
        assert add(client, name, due=given).items() >= {"due": stored, "note": note}.items()
        add(client, name)
        assert client.patch(f"/todos/{name}/2", json={"due": given}).json()["note"] == note
        action = {"action": "update", "id": 2, "due": given}
        answer = client.post(f"/todos/{name}/changes", json={"actions": [action]}).json()
        assert answer["todos"][0].items() >= {"due": stored, "note": note, "version": 2}.items()
        assert "note" not in client.get(f"/todos/{name}/2").json()

    def test_a_conversion_by_a_guessed_zone_says_so(self, client: httpx.Client, name: str) -> None:
        note = add(client, name, due="2026-11-27T18:00Z", repeat="FREQ=WEEKLY;BYDAY=MO")["note"]
        converted = "due was converted to 2026-11-27T18:00, the local time in UTC, which is a guess."
        assert note == f"{converted} due is a Friday, but the to-do repeats on Mondays."

    @pytest.mark.parametrize("due", ["2026-11-27T18:00:30", "2026-11-27T18:00:30.999"])
    def test_seconds_are_cut_off(self, client: httpx.Client, name: str, due: str) -> None:
        added = add(client, name, due=due)
        assert added["due"] == "2026-11-27T18:00"
        assert "note" not in added

    def test_a_retry_gets_the_note_again(self, client: httpx.Client, name: str) -> None:
        first, again = (
            client.post(f"/todos/{name}", json={"todo": "a", "due": "2026-11-27T18:00Z"}).json() for _ in range(2)
        )
        assert (again["deduplicated"], again["note"]) == (True, first["note"])

    def test_leap_day_is_a_day(self, client: httpx.Client, name: str) -> None:
        assert add(client, name, due="2028-02-29")["due_weekday"] == "Tuesday"

    def test_names_every_wrong_field_and_no_value(self, client: httpx.Client, name: str) -> None:
        response = client.post(f"/todos/{name}", json={"todo": 5, "due": "secret-value", "priority": "secret-value"})
        assert [error["field"] for error in response.json()["errors"]] == ["todo", "due", "priority"]
        assert "secret-value" not in response.text


class TestGet:
    def test_missing(self, client: httpx.Client, name: str) -> None:
        problem(client.get(f"/todos/{name}/1"), 404, "todo_not_found")

    def test_of_another_list(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        problem(client.get(f"/todos/{name}-other/1"), 404, "todo_not_found")

    def test_id_out_of_range(self, client: httpx.Client, name: str) -> None:
        answer = problem(client.get(f"/todos/{name}/2147483648"), 400, "invalid_request")
        (error,) = answer["errors"]
        assert error["field"] == "todo_id"
        assert error["message"].startswith("must be at most 2147483647 (list_todos shows the ids")

    @pytest.mark.parametrize("todo_id", ["x", "01", "+1", "1.0", "1_0", "-1", "٣", "9" * 5000])
    def test_what_is_no_id_is_no_address(self, client: httpx.Client, name: str, todo_id: str) -> None:
        problem(client.get(f"/todos/{name}/{todo_id}"), 404, "not_found")


class TestUpdate:
    def test_what_is_left_out_stays(self, client: httpx.Client, name: str) -> None:
        before = add(client, name, notes="n", due="2026-11-27", priority="low", tags=["a"])
        after = client.patch(f"/todos/{name}/1", json={"todo": "Buy bread"}).json()
        assert after == before | {
            "todo": "Buy bread",
            "version": 2,
            "change_id": 2,
            "updated_at": after["updated_at"],
        }

    @pytest.mark.parametrize("field", ["notes", "due", "priority", "tags"])
    def test_null_clears(self, client: httpx.Client, name: str, field: str) -> None:
        add(client, name, notes="n", due="2026-11-27", priority="low", tags=["a"])
        after = client.patch(f"/todos/{name}/1", json={field: None}).json()
        assert field not in after
        assert {"notes", "due", "priority", "tags"} - set(after) == {field}

    def test_text_cannot_be_cleared(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        answer = problem(client.patch(f"/todos/{name}/1", json={"todo": None}), 400, "invalid_request")
        (error,) = answer["errors"]
        assert error["field"] == "todo"
        assert error["message"].startswith("must be text")

    def test_nothing_to_change(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        problem(client.patch(f"/todos/{name}/1", json={}), 400, "invalid_request")

    def test_the_same_again_is_no_new_version(self, client: httpx.Client, name: str) -> None:
        todo = add(client, name, tags=["a"], due="2026-11-27")
        assert client.patch(f"/todos/{name}/1", json={"todo": "Buy milk", "tags": ["a"]}).json() == todo

    def test_search_follows(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        client.patch(f"/todos/{name}/1", json={"todo": "Buy bread", "tags": ["x"]})
        assert (texts(client, name, q="milk"), texts(client, name, q="bread", tag="x")) == ([], ["Buy bread"])


class TestStatus:
    def test_complete_and_reopen(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        done = client.post(f"/todos/{name}/1/complete").json()
        assert (done["status"], done["version"]) == ("done", 2)
        assert client.post(f"/todos/{name}/1/complete").json() == done
        reopened = client.post(f"/todos/{name}/1/reopen").json()
        assert (reopened["status"], reopened["version"]) == ("open", 3)
        assert client.post(f"/todos/{name}/1/reopen").json() == reopened

    def test_delete_moves_to_the_trash(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        assert client.delete(f"/todos/{name}/1").json()["status"] == "deleted"
        assert texts(client, name) == texts(client, name, status="all") == []
        assert texts(client, name, status="deleted") == ["Buy milk"]

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "", None),
            ("PATCH", "", {"todo": "x"}),
            ("DELETE", "", None),
            ("POST", "/complete", None),
            ("POST", "/reopen", None),
        ],
    )
    def test_trash_is_out_of_reach(
        self, client: httpx.Client, name: str, method: str, path: str, body: dict | None
    ) -> None:
        add(client, name)
        client.delete(f"/todos/{name}/1")
        problem(client.request(method, f"/todos/{name}/1{path}", json=body), 404, "todo_not_found")


WRITES = [
    ("PATCH", "", {"todo": "x"}),
    ("DELETE", "", {}),
    ("POST", "/complete", {}),
    ("POST", "/reopen", {}),
]


class TestIfVersion:
    @pytest.mark.parametrize(("method", "path", "body"), WRITES)
    def test_holds(self, client: httpx.Client, name: str, method: str, path: str, body: dict) -> None:
        add(client, name)
        response = client.request(method, f"/todos/{name}/1{path}", json={**body, "if_version": 1})
        assert response.status_code == 200

    @pytest.mark.parametrize(("method", "path", "body"), WRITES)
    def test_has_moved(self, client: httpx.Client, name: str, method: str, path: str, body: dict) -> None:
        add(client, name)
        client.patch(f"/todos/{name}/1", json={"todo": "changed"})
        response = client.request(method, f"/todos/{name}/1{path}", json={**body, "if_version": 1})
        assert problem(response, 409, "version_conflict")["current_version"] == 2
        assert client.get(f"/todos/{name}/1").json()["todo"] == "changed"

    @pytest.mark.parametrize("version", [0, "1", 1.5, None, 2**31])
    def test_refuses(self, client: httpx.Client, name: str, version: object) -> None:
        add(client, name)
        answer = problem(client.post(f"/todos/{name}/1/complete", json={"if_version": version}), 400, "invalid_request")
        assert answer["errors"][0]["field"] == "if_version"


class TestFilters:
    def test_status(self, client: httpx.Client, name: str) -> None:
        for text in ("open", "done", "deleted"):
            add(client, name, text)
        client.post(f"/todos/{name}/2/complete")
        client.delete(f"/todos/{name}/3")
        assert texts(client, name) == texts(client, name, status="open") == ["open"]
        assert texts(client, name, status="done") == ["done"]
        assert texts(client, name, status="all") == ["open", "done"]
        assert texts(client, name, status="deleted") == ["deleted"]

    @pytest.mark.parametrize(
        ("stored", "q"),
        [
            ("Buy MILK", "milk"),
            ("Молоко купить", "МОЛОКО"),
            ("ΟΔΟΣ", "οδος"),
            ("Straße fegen", "STRASSE"),
            ("牛奶", "牛"),
            ("cafe\u0301", "CAFÉ"),
            ("ｍｉｌｋ", "milk"),
            ("100% sure", "100%"),
            ("a_b", "A_B"),
            ("50!", "50!"),
            ("it's", "it's"),
            ("two   spaces", "two spaces"),
            ("🧑‍🌾 feed hens", "🧑‍🌾"),
        ],
    )
    def test_search_in_any_alphabet(self, client: httpx.Client, name: str, stored: str, q: str) -> None:
        add(client, name, stored)
        add(client, name, "something else")
        assert texts(client, name, q=q) == [stored]

    @pytest.mark.parametrize("q", ["%", "_", "x!y", "axb"])
    def test_search_takes_wildcards_for_themselves(self, client: httpx.Client, name: str, q: str) -> None:
        add(client, name, "a b")
        assert texts(client, name, q=q) == []

    def test_search_looks_into_notes_and_tags(self, client: httpx.Client, name: str) -> None:
        add(client, name, "a", notes="Call the\nPlumber")
        add(client, name, "b", tags=["Garden"])
        assert (texts(client, name, q="plumber"), texts(client, name, q="garden")) == (["a"], ["b"])

    def test_tag_is_matched_whole(self, client: httpx.Client, name: str) -> None:
        add(client, name, "a", tags=["home", "Work"])
        add(client, name, "b", tags=["homework"])
        assert (texts(client, name, tag="Home"), texts(client, name, tag="work")) == (["a"], ["a"])

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"due_from": "2026-11-27"}, ["27", "27T18", "28"]),
            ({"due_to": "2026-11-27"}, ["26", "27", "27T18"]),
            ({"due_from": "2026-11-27", "due_to": "2026-11-27"}, ["27", "27T18"]),
            ({"due_from": "2026-11-27T12:00"}, ["27T18", "28"]),
            ({"due_to": "2026-11-27T12:00"}, ["26", "27"]),
            ({"due_from": "2027-01-01"}, []),
        ],
    )
    def test_due(self, client: httpx.Client, name: str, query: dict, found: list[str]) -> None:
        for due in ("26", "27", "27T18", "28"):
            add(client, name, due, due=f"2026-11-{due}" + (":00" if "T" in due else ""))
        add(client, name, "never")
        assert texts(client, name, **query) == found

    def test_priority(self, client: httpx.Client, name: str) -> None:
        for priority in ("none", "low", "medium", "high"):
            add(client, name, priority, priority=priority)
        for priority in ("none", "low", "medium", "high"):
            assert texts(client, name, priority=priority) == [priority]

    def test_filters_together(self, client: httpx.Client, name: str) -> None:
        add(client, name, "both", tags=["a"], priority="high")
        add(client, name, "tag", tags=["a"])
        add(client, name, "priority", priority="high")
        answer = page(client, name, tag="a", priority="high")
        assert ([todo["todo"] for todo in answer["todos"]], answer["total"]) == (["both"], 1)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("status=closed", "status"),
            ("sort=size", "sort"),
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=%205", "limit"),
            ("limit=1_0", "limit"),
            ("limit=%D9%A3", "limit"),
            ("limit=5.0", "limit"),
            ("limit=", "limit"),
            ("limit=" + "9" * 5000, "limit"),
            ("limit=1&limit=2", "limit"),
            ("q=", "q"),
            ("q=" + "x" * 201, "q"),
            ("q=a%00b", "q"),
            ("tag=a%0A", "tag"),
            ("priority=null", "priority"),
            ("due_from=yesterday", "due_from"),
            ("due_to=2026-02-30", "due_to"),
            ("cursor=%21", "cursor"),
            ("cursor=abc", "cursor"),
            ("state=open", "state"),
            ("Status=open", "Status"),
        ],
    )
    def test_refuses(self, client: httpx.Client, name: str, query: str, field: str) -> None:
        answer = problem(client.get(f"/todos/{name}?{query}"), 400, "invalid_request")
        assert [error["field"] for error in answer["errors"]] == [field]


class TestOrderAndPages:
    def test_a_short_list_is_read_as_a_whole(self, client: httpx.Client, name: str) -> None:
        for number in range(1, 13):
            add(client, name, f"{number}", **({"due": "2020-01-01"} if number % 2 else {}))
        for number in (12, 3, 7):
            client.patch(f"/todos/{name}/{number}", json={"priority": "high"})
        client.post(f"/todos/{name}/4/complete")
        client.delete(f"/todos/{name}/5")
        found = page(client, name)
        assert [todo["id"] for todo in found["todos"]] == [1, 2, 3, 6, 7, 8, 9, 10, 11, 12]
        assert [todo.get("overdue") for todo in found["todos"]] == [
            True,
            None,
            True,
            None,
            True,
            None,
            True,
            None,
            True,
            None,
        ]
        assert (found["returned"], found["total"], "next_cursor" in found) == (10, 10, False)
        assert [todo["id"] for todo in page(client, name, status="done")["todos"]] == [4]
        assert page(client, name, status="deleted")["todos"][0]["id"] == 5

    @pytest.mark.parametrize("limit", [1, 3, 4, 5, 6])
    @pytest.mark.parametrize("scanned", [100, 4, 0])
    def test_pages_near_the_end_are_as_those_before(
        self, client: httpx.Client, name: str, limit: int, scanned: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listing, "MAX_SCANNED", scanned)
        for number in range(1, 8):
            add(client, name, f"{number}")
        client.post(f"/todos/{name}/2/complete")
        client.delete(f"/todos/{name}/5")
        pages = [page(client, name, limit=limit)]
        while "next_cursor" in pages[-1]:
            pages.append(page(client, name, limit=limit, cursor=pages[-1]["next_cursor"]))
        assert [[todo["id"] for todo in each["todos"]] for each in pages] == [
            [1, 3, 4, 6, 7][start : start + limit] for start in range(0, 5, limit)
        ]
        assert all(each["total"] == 5 for each in pages)

    def test_a_short_list_of_long_texts_comes_in_pages(self, client: httpx.Client, name: str) -> None:
        for number in range(25):
            add(client, name, f"{number}", notes="n" * 4000)
        first = page(client, name, limit=100)
        assert first["returned"] < 25
        rest = page(client, name, limit=100, cursor=first["next_cursor"])
        assert first["returned"] + rest["returned"] == 25

    @pytest.fixture
    def filled(self, client: httpx.Client, name: str) -> str:
        add(client, name, "a", due="2026-11-28", priority="low")
        add(client, name, "b", priority="high")
        add(client, name, "c", due="2026-11-27", priority="high")
        add(client, name, "d")
        add(client, name, "e", due="2026-11-27T09:00", priority="medium")
        return name

    @pytest.mark.parametrize(
        ("sort", "order"), [("oldest", "abcde"), ("newest", "edcba"), ("due", "ceabd"), ("priority", "cbead")]
    )
    @pytest.mark.parametrize("status", ["open", "all"])
    @pytest.mark.parametrize("limit", [1, 2, 5])
    def test_pages_join_to_the_whole(
        self, client: httpx.Client, filled: str, sort: str, order: str, status: str, limit: int
    ) -> None:
        seen, query = "", {"sort": sort, "status": status, "limit": limit}
        while True:
            answer = page(client, filled, **query)
            assert (answer["total"], answer["returned"]) == (5, len(answer["todos"]))
            seen += "".join(todo["todo"] for todo in answer["todos"])
            if "next_cursor" not in answer:
                break
            query["cursor"] = answer["next_cursor"]
        assert seen == order

    def test_updated(self, client: httpx.Client, name: str) -> None:
        with time_machine.travel(SUNDAY, tick=False) as clock:
            for text in "abc":
                add(client, name, text)
            clock.shift(60)
            client.patch(f"/todos/{name}/1", json={"notes": "changed"})
            first = page(client, name, sort="updated", limit=2)
            rest = texts(client, name, sort="updated", limit=2, cursor=first["next_cursor"])
        assert [todo["todo"] for todo in first["todos"]] + rest == ["a", "c", "b"]

    def test_a_page_is_not_shifted_by_what_happens_between(self, client: httpx.Client, filled: str) -> None:
        first = page(client, filled, limit=2)
        client.delete(f"/todos/{filled}/1")
        add(client, filled, "f")
        assert texts(client, filled, cursor=first["next_cursor"]) == ["c", "d", "e", "f"]

    def test_cursor_of_another_order(self, client: httpx.Client, filled: str) -> None:
        cursor = page(client, filled, limit=1)["next_cursor"]
        answer = problem(client.get(f"/todos/{filled}?sort=due&cursor={cursor}"), 400, "invalid_request")
        assert answer["errors"][0]["field"] == "cursor"

    def test_default_page_is_of_twenty(self, client: httpx.Client, name: str) -> None:
        for number in range(21):
            add(client, name, str(number))
        answer = page(client, name)
        assert (answer["returned"], answer["total"], "next_cursor" in answer) == (20, 21, True)

    def test_long_todos_make_a_shorter_page(self, client: httpx.Client, name: str) -> None:
        for _ in range(40):
            add(client, name, '"' * 500, notes="\\" * 4000)
        first = client.get(f"/todos/{name}?limit=40")
        assert len(first.text) < 100_000
        assert 0 < first.json()["returned"] < 40
        assert "next_cursor" in first.json()


class TestTime:
    def test_overdue_and_today_are_local(self, client: httpx.Client, name: str) -> None:
        client.patch(f"/profiles/{name}", json={"time_zone": "America/Los_Angeles"})
        with time_machine.travel(
            datetime(2026, 11, 23, 7, 30, tzinfo=UTC), tick=False
        ):  # 23:30 on Sunday the 22nd there
            for due in ("2026-11-21", "2026-11-22", "2026-11-22T23:29", "2026-11-22T23:30", "2026-11-23"):
                add(client, name, due, due=due)
            answer = page(client, name)
            counts = client.get(f"/profiles/{name}").json()["counts"]
        assert answer["today"] == "Sunday 2026-11-22"
        assert [todo["overdue"] for todo in answer["todos"]] == [True, False, True, False, False]
        assert counts["overdue"] == 2

    def test_done_is_not_overdue(self, client: httpx.Client, name: str) -> None:
        add(client, name, due="2020-01-01")
        assert client.post(f"/todos/{name}/1/complete").json()["overdue"] is False


class TestWho:
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_without_token(self, anonymous: httpx.Client, name: str, method: str) -> None:
        response = anonymous.request(method, f"/todos/{name}", json={"todo": "x"})
        problem(response, 401, "unauthorized")
        metadata = "http://localhost:8000/.well-known/oauth-protected-resource"
        challenge = f'Bearer realm="{product.NAME}", resource_metadata="{metadata}", scope="todos:read todos:write"'
        assert response.headers["www-authenticate"] == challenge

    @pytest.mark.parametrize("header", ["Bearer wrong", "Bearer schlüssel", "Bearer " + "x" * 5000])
    def test_with_a_wrong_token(self, anonymous: httpx.Client, name: str, header: str) -> None:
        response = anonymous.get(f"/todos/{name}", headers={"Authorization": header.encode()})
        problem(response, 401, "invalid_token")
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
        assert header.split()[1] not in response.text

    @pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic dTpw", "nonsense", ""])
    def test_with_another_scheme(self, anonymous: httpx.Client, name: str, header: str) -> None:
        problem(anonymous.get(f"/todos/{name}", headers={"Authorization": header}), 401, "unauthorized")

    def test_both_keys_work_while_rotating(self, anonymous: httpx.Client, name: str) -> None:
        from tests.conftest import OTHER_KEY

        assert anonymous.get(f"/todos/{name}", headers={"Authorization": f"bearer {OTHER_KEY}"}).status_code == 200

    @pytest.mark.parametrize("me", ["me", "ME"])
    def test_me_is_nobody_for_the_service_key(self, client: httpx.Client, me: str) -> None:
        assert "username" in problem(client.get(f"/todos/{me}"), 400, "me_needs_user")["hint"]

    @pytest.mark.parametrize("username", ["-a", ".a", "a b", "ä", "a%00", "x" * 65, "a;b"])
    def test_wrong_username(self, client: httpx.Client, username: str) -> None:
        answer = problem(client.get(f"/todos/{username}"), 400, "invalid_request")
        assert answer["errors"][0]["field"] == "username"

    def test_username_with_a_line_break_is_no_address(self, client: httpx.Client) -> None:
        problem(client.get("/todos/a%0A"), 404, "not_found")

    def test_a_refused_write_opens_no_list(self, client: httpx.Client, name: str) -> None:
        region = {"openai-subdivision-1-iso-code": "US-CA"}
        problem(client.patch(f"/todos/{name}/1", json={"todo": "x"}, headers=region), 404, "todo_not_found")
        assert client.get(f"/profiles/{name}").json()["time_zone"] == "UTC"


class TestWholeNumbers:
    """JSON has one kind of number, and JSON Schema takes 1.0 for an integer."""

    def test_without_a_fraction_is_whole_in_a_body(self, client: httpx.Client, name: str) -> None:
        add(client, name, "a")
        add(client, name, "b")
        headers = {"Content-Type": "application/json"}
        sent = [
            ("PATCH", f"/todos/{name}/1", '{"notes": "n", "if_version": 1.0}'),
            ("POST", f"/todos/{name}/changes", '{"actions": [{"action": "complete", "id": 1.0, "if_version": 2e0}]}'),
            ("DELETE", f"/todos/{name}", '{"todo_idx": 0.0}'),
        ]
        for method, path, content in sent:
            answer = client.request(method, path, content=content, headers=headers)
            assert answer.status_code == 200, answer.text
            assert ".0" not in answer.text
        assert ".0" not in client.get(f"/todos/{name}/changes").text

    def test_is_the_same_request_again(self, client: httpx.Client, name: str) -> None:
        add(client, name, "a")
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
        first, again = (
            client.post(f"/todos/{name}/1/complete", content=f'{{"if_version": {version}}}', headers=headers)
            for version in ("1", "1.0")
        )
        assert (again.status_code, again.json()) == (200, first.json())

    @pytest.mark.parametrize("number", ["1.5", '"1.0"', "1e30", "-1.0", "true"])
    def test_others_are_refused(self, client: httpx.Client, name: str, number: str) -> None:
        add(client, name, "a")
        headers = {"Content-Type": "application/json"}
        answer = client.patch(f"/todos/{name}/1", content=f'{{"todo": "b", "if_version": {number}}}', headers=headers)
        assert [error["field"] for error in problem(answer, 400, "invalid_request")["errors"]] == ["if_version"]

    def test_in_an_address_it_is_digits(self, client: httpx.Client, name: str) -> None:
        problem(client.get(f"/todos/{name}?limit=1.0"), 400, "invalid_request")
