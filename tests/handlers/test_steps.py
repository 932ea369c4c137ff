"""Steps: the checklist inside a to-do, as a whole and step by step."""

from typing import Any

import httpx
import orjson
import pytest

from tests.handlers.test_todos import add, page, problem, texts

JSON = dict[str, Any]


def steps(*lines: str) -> list[JSON]:
    """Returns steps as JSON from lines such as "Eggs" and "x Milk", which is done."""
    return [{"text": line.removeprefix("x "), "done": line.startswith("x ")} for line in lines]


def change(client: httpx.Client, name: str, **fields: Any) -> JSON:
    response = client.patch(f"/todos/{name}/1", json=fields)
    assert response.status_code == 200, response.text
    return response.json()


def refused(client: httpx.Client, name: str, **fields: Any) -> list[JSON]:
    """Returns the errors of an update, having seen that they are short and that nothing was changed."""
    before = client.get(f"/todos/{name}/1").json()
    response = client.patch(f"/todos/{name}/1", json=fields)
    answer = problem(response, 400, "invalid_request")
    assert len(response.content) < 4096
    assert client.get(f"/todos/{name}/1").json() == before
    return answer["errors"]


@pytest.fixture
def shopping(client: httpx.Client, name: str) -> str:
    """A list with one to-do that has the steps Eggs, Milk (done), Flour and Milk."""
    add(client, name, "Shopping", steps=["Eggs", {"text": "Milk", "done": True}, {"text": " Flour "}, "Milk"])
    return name


class TestWhole:
    def test_texts_or_objects(self, client: httpx.Client, shopping: str) -> None:
        todo = client.get(f"/todos/{shopping}/1").json()
        assert todo["steps"] == steps("Eggs", "x Milk", "Flour", "Milk")
        assert page(client, shopping)["todos"][0]["steps"] == todo["steps"]

    @pytest.mark.parametrize("none", [None, []])
    def test_none(self, client: httpx.Client, shopping: str, none: Any) -> None:
        assert "steps" not in add(client, shopping, steps=none)
        assert "steps" not in change(client, shopping, steps=none)

    def test_clear(self, client: httpx.Client, shopping: str) -> None:
        assert "steps" not in change(client, shopping, clear=["steps"])

    def test_replaced_as_a_whole(self, client: httpx.Client, shopping: str) -> None:
        assert change(client, shopping, steps=["Butter"])["steps"] == steps("Butter")

    def test_the_same_again_is_no_new_version(self, client: httpx.Client, shopping: str) -> None:
        before = client.get(f"/todos/{shopping}/1").json()
        assert change(client, shopping, steps=before["steps"]) == before
        assert (
            change(client, shopping, check_steps=[2], uncheck_steps=["Eggs"], remove_steps=[], add_steps=[]) == before
        )

    def test_search_finds_them(self, client: httpx.Client, shopping: str) -> None:
        assert texts(client, shopping, q="FLOUR") == ["Shopping"]
        change(client, shopping, remove_steps=["flour"])
        assert texts(client, shopping, q="flour") == []

    @pytest.mark.parametrize(
        ("given", "field", "message"),
        [
            ("Eggs", "steps", "must be a list"),
            (["x" * 201], "steps.0", "must have at most 200 characters"),
            ([""], "steps.0", "must not be empty"),
            (["ok", "  "], "steps.1", "form"),
            (["a\nb"], "steps.0", "form"),
            (["a\u200b"], "steps.0", "invisible"),
            ([5], "steps.0", "must be text or an object"),
            ([None], "steps.0", "must be text or an object"),
            ([{}], "steps.0.text", "is required"),
            ([{"text": ""}], "steps.0.text", "must not be empty"),
            ([{"text": "a", "done": "yes"}], "steps.0.done", "must be true or false"),
            ([{"text": "a", "id": 1}], "steps.0.id", "known fields are text, done"),
            ([str(number) for number in range(51)], "steps", "at most 50 items"),
        ],
    )
    def test_refuses(self, client: httpx.Client, name: str, given: Any, field: str, message: str) -> None:
        response = client.post(f"/todos/{name}", json={"todo": "a", "steps": given})
        errors = problem(response, 400, "invalid_request")["errors"]
        assert any(error["field"] == field and message in error["message"] for error in errors), errors
        assert page(client, name)["total"] == 0


class TestStepByStep:
    @pytest.mark.parametrize(
        ("edits", "expected"),
        [
            ({"add_steps": [" Butter ", "Eggs"]}, ["Eggs", "x Milk", "Flour", "Milk", "Butter", "Eggs"]),
            ({"check_steps": ["EGGS", 3]}, ["x Eggs", "x Milk", "x Flour", "Milk"]),
            ({"check_steps": ["4", 1.0]}, ["x Eggs", "x Milk", "Flour", "x Milk"]),
            ({"check_steps": [1, "Ｅggs", "1"]}, ["x Eggs", "x Milk", "Flour", "Milk"]),
            ({"uncheck_steps": [2]}, ["Eggs", "Milk", "Flour", "Milk"]),
            ({"remove_steps": [2, "  flour "]}, ["Eggs", "Milk"]),
            ({"remove_steps": [1, 2, 3, 4]}, []),
            (
                {"add_steps": ["Salt"], "check_steps": [4], "uncheck_steps": [2], "remove_steps": ["Eggs"]},
                ["Milk", "Flour", "x Milk", "Salt"],
            ),
            ({"remove_steps": [1], "check_steps": [1]}, ["x Milk", "Flour", "Milk"]),
        ],
    )
    def test_edits(self, client: httpx.Client, shopping: str, edits: JSON, expected: list[str]) -> None:
        assert change(client, shopping, **edits).get("steps", []) == steps(*expected)

    def test_a_text_that_is_a_number_comes_first(self, client: httpx.Client, name: str) -> None:
        add(client, name, steps=["2", "two"])
        assert change(client, name, check_steps=["2"])["steps"] == steps("x 2", "two")
        assert change(client, name, check_steps=[2])["steps"] == steps("x 2", "x two")

    @pytest.mark.parametrize("field", ["check_steps", "uncheck_steps", "remove_steps"])
    def test_what_is_not_there_is_told_with_what_is(self, client: httpx.Client, shopping: str, field: str) -> None:
        there = "the steps are 1. Eggs; 2. Milk; 3. Flour; 4. Milk"
        assert refused(client, shopping, **{field: ["Flour", "Butter", 5, "0"]}) == [
            {"field": f"{field}.1", "message": f"is not a step; {there}"},
            {"field": f"{field}.2", "message": "is not a step"},
            {"field": f"{field}.3", "message": "is not a step"},
        ]
        several = "is the text of several steps: say which number, such as 2, 4"
        assert refused(client, shopping, **{field: ["milk"]}) == [
            {"field": f"{field}.0", "message": f"{several}; {there}"}
        ]

    def test_of_none(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        told = {"field": "check_steps.0", "message": "is not a step; this to-do has none"}
        assert refused(client, name, check_steps=["Eggs"]) == [told]

    @pytest.mark.parametrize("letter", ["x", '"', "\\", "🥚", "牛"])
    def test_a_refusal_is_short(self, client: httpx.Client, name: str, letter: str) -> None:
        add(client, name, steps=[letter * 200] * 50)
        (first, *others) = refused(client, name, remove_steps=[letter * 200] * 50)
        assert "; 50. " in first["message"]
        assert len(others) == 9

    def test_a_few_long_steps_are_told_in_full(self, client: httpx.Client, name: str) -> None:
        add(client, name, steps=["x" * 200, "y" * 200])
        (error,) = refused(client, name, check_steps=["z"])
        assert error["message"].endswith(f"1. {'x' * 200}; 2. {'y' * 200}")

    @pytest.mark.parametrize("field", ["add_steps", "check_steps", "uncheck_steps", "remove_steps"])
    def test_not_beside_all(self, client: httpx.Client, shopping: str, field: str) -> None:
        for all_of_them in (["a"], [], None):
            (error,) = refused(client, shopping, steps=all_of_them, **{field: ["Eggs"]})
            assert error["field"] == "steps"
            assert f"replaces all steps, so it cannot come with {field}" in error["message"]
        (error,) = refused(client, shopping, clear=["steps"], **{field: ["Eggs"]})
        assert error["field"] == "clear"
        assert field in error["message"]

    def test_check_and_uncheck(self, client: httpx.Client, shopping: str) -> None:
        (error,) = refused(client, shopping, check_steps=["Eggs", 3], uncheck_steps=[1])
        assert error == {"field": "uncheck_steps", "message": "must not name step 1, as check_steps does"}

    def test_fifty_at_most_in_the_end(self, client: httpx.Client, name: str) -> None:
        add(client, name, steps=[str(number) for number in range(49)])
        (error,) = refused(client, name, add_steps=["a", "b"])
        assert error == {"field": "add_steps", "message": "would make 51 steps; a to-do has at most 50"}
        assert len(change(client, name, add_steps=["a", "b"], remove_steps=[1])["steps"]) == 50

    @pytest.mark.parametrize(
        ("fields", "field", "message"),
        [
            ({"add_steps": "Eggs"}, "add_steps", "must be a list"),
            ({"add_steps": [{"text": "Eggs"}]}, "add_steps.0", "must be text"),
            ({"add_steps": ["x" * 201]}, "add_steps.0", "must have at most 200 characters"),
            ({"check_steps": None}, "check_steps", "must be a list"),
            ({"check_steps": [0]}, "check_steps.0", "must be at least 1"),
            ({"check_steps": [51]}, "check_steps.0", "must be at most 50"),
            ({"check_steps": [1.5]}, "check_steps.0", "must be text or a whole number"),
            ({"check_steps": [True]}, "check_steps.0", "must be text or a whole number"),
            ({"check_steps": [{"text": "Eggs"}]}, "check_steps.0", "must be text or a whole number"),
            ({"check_steps": [""]}, "check_steps.0", "must not be empty"),
        ],
    )
    def test_refuses(self, client: httpx.Client, shopping: str, fields: JSON, field: str, message: str) -> None:
        errors = refused(client, shopping, **fields)
        assert any(error["field"] == field and message in error["message"] for error in errors), errors

    def test_not_for_a_new_to_do(self, client: httpx.Client, name: str) -> None:
        response = client.post(f"/todos/{name}", json={"todo": "a", "add_steps": ["b"]})
        assert problem(response, 400, "invalid_request")["errors"][0]["field"] == "add_steps"
        actions = [{"action": "add", "todo": "a", "add_steps": ["b"]}]
        response = client.post(f"/todos/{name}/changes", json={"actions": actions})
        assert problem(response, 400, "invalid_request")["errors"][0]["field"] == "actions.0.add_steps"


class TestChanges:
    def test_in_one_change(self, client: httpx.Client, shopping: str) -> None:
        actions = [
            {"action": "add", "todo": "Pack", "steps": ["Socks", {"text": "Passport", "done": True}]},
            {"action": "update", "id": 1, "steps": ["Butter", "Jam"]},
            {"action": "update", "id": 1, "check_steps": ["Jam"], "add_steps": ["Tea"]},
            {"action": "complete", "id": 2},
        ]
        todos = client.post(f"/todos/{shopping}/changes", json={"actions": actions}).json()["todos"]
        assert todos[0]["steps"] == todos[3]["steps"] == steps("Socks", "x Passport")
        assert todos[1]["steps"] == todos[2]["steps"] == steps("Butter", "x Jam", "Tea")
        assert [todo.get("open_steps") for todo in todos] == [None, None, None, 1]

    def test_a_wrong_one_is_told_by_its_place(self, client: httpx.Client, shopping: str) -> None:
        actions = [{"action": "complete", "id": 1}, {"action": "update", "id": 1, "remove_steps": ["Eggs", "Tea"]}]
        response = client.post(f"/todos/{shopping}/changes", json={"actions": actions})
        (error,) = problem(response, 400, "invalid_request")["errors"]
        assert error["field"] == "actions.1.remove_steps.1"
        assert client.get(f"/todos/{shopping}/1").json()["status"] == "open"

    def test_a_long_answer_leaves_them_out(self, client: httpx.Client, name: str) -> None:
        for _ in range(10):
            add(client, name, steps=["x" * 200] * 50)
        actions = [{"action": "complete", "id": number} for number in range(1, 11)]
        response = client.post(f"/todos/{name}/changes", json={"actions": actions})
        assert len(response.text) < 100_000
        assert response.json()["left_out"] == ["notes", "tags", "steps"]
        assert [todo["open_steps"] for todo in response.json()["todos"]] == [50] * 10

    def test_the_log_shows_those_that_differ(self, client: httpx.Client, shopping: str) -> None:
        change(client, shopping, check_steps=["Flour"])
        change(client, shopping, add_steps=["Tea"])
        change(client, shopping, clear=["steps"])
        changes = client.get(f"/todos/{shopping}/changes").json()["changes"]
        sides = [[entry.get(side, {}).get("steps") for side in ("before", "after")] for entry in entries(changes)]
        assert sides == [
            [steps("Eggs", "x Milk", "x Flour", "Milk", "Tea"), None],
            [[], steps("Tea")],
            [steps("Flour"), steps("x Flour")],
            [None, steps("Eggs", "x Milk", "Flour", "Milk")],
        ]

    def test_undo_of_what_came_before_another_change_is_refused(self, client: httpx.Client, shopping: str) -> None:
        change(client, shopping, check_steps=["Eggs"])
        change(client, shopping, check_steps=["Flour"])
        problem(client.post(f"/todos/{shopping}/changes/2/undo"), 409, "undo_conflict")
        assert client.post(f"/todos/{shopping}/changes/3/undo").status_code == 200
        assert client.post(f"/todos/{shopping}/changes/2/undo").status_code == 200
        assert client.get(f"/todos/{shopping}/1").json()["steps"] == steps("Eggs", "x Milk", "Flour", "Milk")


def entries(changes: list[JSON]) -> list[JSON]:
    return [entry for each in changes for entry in each["todos"]]


class TestComplete:
    def test_says_how_many_are_open(self, client: httpx.Client, shopping: str) -> None:
        before = client.get(f"/todos/{shopping}/1").json()
        done = client.post(f"/todos/{shopping}/1/complete").json()
        assert (done["open_steps"], done["steps"]) == (3, before["steps"])
        assert client.post(f"/todos/{shopping}/1/complete").json() == done
        for response in (client.get(f"/todos/{shopping}/1"), client.post(f"/todos/{shopping}/1/reopen")):
            assert "open_steps" not in response.json()

    def test_says_nothing_if_none_is(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        add(client, name, steps=[{"text": "a", "done": True}])
        for number in (1, 2):
            assert "open_steps" not in client.post(f"/todos/{name}/{number}/complete").json()

    def test_the_next_one_has_all_open(self, client: httpx.Client, name: str) -> None:
        given = steps("x Socks", "Passport")
        add(client, name, due="2199-11-27", repeat="FREQ=DAILY", steps=given)
        assert client.post(f"/todos/{name}/1/complete").json()["steps"] == given
        assert client.get(f"/todos/{name}/2").json()["steps"] == steps("Socks", "Passport")


def test_document_shows_them(client: httpx.Client, shopping: str) -> None:
    lines = "[ ] Eggs\n[x] Milk\n[ ] Flour\n[ ] Milk"
    document = client.get(f"/todos/{shopping}/search/1").json()
    assert (document["text"], "steps" in document["metadata"]) == (f"Shopping\n\n{lines}", False)
    change(client, shopping, notes="at the market")
    assert client.get(f"/todos/{shopping}/search/1").json()["text"] == f"Shopping\n\nat the market\n\n{lines}"
    (found,) = client.get(f"/todos/{shopping}/search", params={"query": "flour"}).json()["results"]
    assert found["id"] == "1"


def test_the_longest_ones_fit(client: httpx.Client, name: str) -> None:
    for _ in range(4):
        add(client, name, "\\" * 500, notes="\\" * 4000, steps=["\\" * 200] * 50)
        client.patch(f"/todos/{name}/1", json={"steps": ["\\" * 199] * 50})
    for path in (f"/todos/{name}", f"/todos/{name}/1", f"/todos/{name}/changes"):
        response = client.get(path)
        assert response.status_code == 200
        assert 20_000 < len(orjson.dumps(response.json()).decode()) < 100_000
