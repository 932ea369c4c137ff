"""Retries: with a request_id, with the header, and without either."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
import pytest
import time_machine

from tests.conftest import AUTHORIZATION, running
from tests.handlers.test_todos import add, page, problem
from tests.people import Person
from tests.replay import assert_bytes_are_counted
from todo.domain.users import Owner, find
from todo.storage.database import open_engine
from todo.storage.statements import Connection

NOW = datetime(2026, 11, 22, 16, 5, 9, tzinfo=UTC)


def recent_adds_of(database_url: str, name: str) -> list[str]:
    engine = open_engine(database_url)
    engine.start()
    try:
        return engine.submit_read(find, Owner(name)).result().recent_adds.splitlines()
    finally:
        engine.stop()


def implied_of(database_url: str, name: str) -> list[str]:
    """Returns what stands for the request_id of requests that had none."""

    def kept(connection: Connection, owner: Owner) -> list[str]:
        rows = connection.all_answers(user_id=find(connection, owner).id)
        return [row["request_id"] for row in rows if row["request_id"].startswith(" ")]

    with running(database_url) as engine:
        return engine.submit_read(kept, Owner(name)).result()


def post(
    client: httpx.Client, name: str, text: str = "Buy milk", key: str | None = None, **body: Any
) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/todos/{name}", json={"todo": text, **body}, headers=headers)


WRITES: list[tuple[str, str, dict]] = [
    ("POST", "/todos/{name}", {"todo": "x"}),
    ("DELETE", "/todos/{name}", {"todo_idx": 0}),
    ("PATCH", "/todos/{name}/1", {"todo": "y"}),
    ("DELETE", "/todos/{name}/1", {}),
    ("POST", "/todos/{name}/1/complete", {}),
    ("POST", "/todos/{name}/1/reopen", {}),
    ("POST", "/todos/{name}/changes", {"actions": [{"action": "add", "todo": "z"}]}),
    ("POST", "/todos/{name}/changes/matching", {"filter": {"when": "no_due"}, "action": "delete", "expect": 1}),
    ("POST", "/todos/{name}/changes/1/undo", {}),
    ("PATCH", "/profiles/{name}", {"time_zone": "Asia/Tokyo"}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
@pytest.mark.parametrize("by_header", [True, False])
def test_every_write_is_done_once(
    client: httpx.Client, name: str, method: str, path: str, body: dict, by_header: bool
) -> None:
    add(client, name)
    send = {"json": body, "headers": {"Idempotency-Key": "k"}} if by_header else {"json": {**body, "request_id": "k"}}
    first, again = (client.request(method, path.format(name=name), **send) for _ in range(2))
    assert first.status_code == again.status_code < 300
    assert first.json() == again.json()
    assert "idempotent-replay" not in first.headers
    assert again.headers["idempotent-replay"] == "true"
    assert first.headers.get("location") == again.headers.get("location")


def test_the_same_key_in_body_and_header(client: httpx.Client, name: str) -> None:
    assert post(client, name, key="k", request_id="k").status_code == 201
    assert post(client, name, key="k").headers["idempotent-replay"] == "true"
    problem(post(client, name, key="k", request_id="other"), 409, "request_ids_differ")
    assert page(client, name)["total"] == 1


def test_another_request_with_the_same_key(client: httpx.Client, name: str) -> None:
    post(client, name, key="k")
    problem(post(client, name, "Buy bread", key="k"), 409, "request_id_reused")
    problem(client.post(f"/todos/{name}/1/complete", json={"request_id": "k"}), 409, "request_id_reused")
    assert page(client, name)["total"] == 1


def test_keys_are_the_lists_own(client: httpx.Client, name: str) -> None:
    assert "idempotent-replay" not in post(client, name, key="k").headers
    assert "idempotent-replay" not in post(client, f"{name}-other", key="k").headers


def test_a_refused_request_keeps_nothing(client: httpx.Client, name: str) -> None:
    url = f"/todos/{name}/1/complete"
    problem(client.post(url, json={"request_id": "k"}), 404, "todo_not_found")
    add(client, name)
    assert "idempotent-replay" not in client.post(url, json={"request_id": "k"}).headers


def test_answers_are_kept_for_a_day(client: httpx.Client, name: str) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        post(client, name, key="k")
        clock.shift(86399)
        assert post(client, name, key="k").headers["idempotent-replay"] == "true"
        clock.shift(1)
        assert post(client, name, key="k").json()["id"] == 2


def test_the_first_answer_is_given_whatever_happened_since(client: httpx.Client, name: str) -> None:
    first = post(client, name, key="k").json()
    client.delete(f"/todos/{name}/1")
    assert post(client, name, key="k").json() == first


def test_fifty_at_once_are_one(client: httpx.Client, name: str) -> None:
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: post(client, name, key="k"), range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert sum("idempotent-replay" not in answer.headers for answer in answers) == 1
    assert page(client, name)["total"] == 1


def test_a_header_that_comes_twice(client: httpx.Client, name: str) -> None:
    headers = [("Idempotency-Key", "k1"), ("Idempotency-Key", "k2"), *client.headers.items()]
    response = client.post(f"/todos/{name}", json={"todo": "x"}, headers=headers)
    answer = problem(response, 400, "invalid_request")
    assert answer["errors"] == [{"field": "Idempotency-Key", "message": "must be one value, given only once"}]


@pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 256])
def test_wrong_keys(client: httpx.Client, name: str, key: str) -> None:
    answer = problem(post(client, name, request_id=key), 400, "invalid_request")
    assert answer["errors"][0]["field"] == "request_id"
    response = client.post(f"/todos/{name}", json={"todo": "x"}, headers={"Idempotency-Key": key.encode()})
    assert problem(response, 400, "invalid_request")["errors"][0]["field"] == "Idempotency-Key"


class TestWithoutKey:
    def test_the_same_words_at_once_are_one(self, client: httpx.Client, name: str) -> None:
        first, again = post(client, name).json(), post(client, name)
        assert again.json() == {**first, "deduplicated": True}
        assert again.status_code == 201
        assert page(client, name)["total"] == 1

    def test_fifty_at_once_are_one(self, client: httpx.Client, name: str) -> None:
        with ThreadPoolExecutor(10) as threads:
            list(threads.map(lambda _: post(client, name), range(50)))
        assert page(client, name)["total"] == 1

    def test_only_for_ten_seconds(self, client: httpx.Client, name: str) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            post(client, name)
            clock.shift(10)
            assert "deduplicated" in post(client, name).json()
            clock.shift(1)
            assert "deduplicated" not in post(client, name).json()

    def test_many_that_are_all_sent_again(self, client: httpx.Client, name: str) -> None:
        with time_machine.travel(NOW, tick=False):
            first = [post(client, name, f"{number}").json() for number in range(32)]
            again = [post(client, name, f"{number}").json() for number in range(32)]
        assert again == [{**todo, "deduplicated": True} for todo in first]

    def test_not_for_longer_where_the_clock_is_set_back(self, client: httpx.Client, name: str) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            post(client, name)
            clock.shift(-1)
            assert "deduplicated" in post(client, name).json()
            clock.shift(-3600)
            assert "deduplicated" not in post(client, name).json()

    def test_what_is_kept_for_it_stays_small(self, client: httpx.Client, name: str, database_url: str) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            for number in range(60):
                post(client, name, f"{number}")
            assert len(recent_adds_of(database_url, name)) == 38  # of 44 characters each
            clock.shift(11)
            post(client, name)
            assert len(recent_adds_of(database_url, name)) == 1

    def test_other_words_conversations_lists_or_keys_are_other_todos(self, client: httpx.Client, name: str) -> None:
        post(client, name)
        for response in (
            post(client, name, "Buy milk!"),
            post(client, name, tags=["x"]),
            post(client, name, key="k"),
            post(client, f"{name}-other"),
            client.post(f"/todos/{name}", json={"todo": "Buy milk"}, headers={"openai-conversation-id": "c"}),
            client.post(f"/todos/{name}", json={"todo": "Buy milk"}, headers={"User-Agent": "another"}),
        ):
            assert "deduplicated" not in response.json()

    @pytest.mark.parametrize("since", ["complete", "delete", "undo"])
    def test_not_when_the_first_has_moved_on(self, client: httpx.Client, name: str, since: str) -> None:
        post(client, name)
        path, method = {
            "complete": ("/1/complete", "POST"),
            "delete": ("/1", "DELETE"),
            "undo": ("/changes/1/undo", "POST"),
        }[since]
        client.request(method, f"/todos/{name}{path}")
        assert post(client, name).json()["id"] == 2


class TestBatchesWithoutKey:
    """The same batch within ten seconds is a retry, as long as its to-dos are as it left them."""

    BODY: ClassVar = {"actions": [{"action": "add", "todo": "Buy milk"}, {"action": "update", "id": 1, "notes": "n"}]}

    def send(self, client: httpx.Client, name: str, body: Any = BODY, **headers: str) -> Any:
        response = client.post(f"/todos/{name}/changes", json=body, headers=headers)
        assert response.status_code == 200, response.text
        return response.json()

    def test_is_done_once(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        first, again = (self.send(client, name) for _ in range(2))
        assert again == {**first, "deduplicated": True}
        assert page(client, name)["total"] == 2

    def test_twenty_at_once_are_one(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        with ThreadPoolExecutor(10) as threads:
            list(threads.map(lambda _: self.send(client, name), range(20)))
        assert page(client, name)["total"] == 2

    def test_only_for_ten_seconds(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        with time_machine.travel(NOW, tick=False) as clock:
            self.send(client, name)
            clock.shift(10)
            assert "deduplicated" in self.send(client, name)
            clock.shift(1)
            assert "deduplicated" not in self.send(client, name)

    def test_not_for_longer_where_the_clock_is_set_back(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        with time_machine.travel(NOW, tick=False) as clock:
            self.send(client, name)
            clock.shift(-3600)
            assert "deduplicated" not in self.send(client, name)

    @pytest.mark.parametrize("path", ["/1/complete", "/2/complete", "/changes/2/undo"])
    def test_not_when_one_of_its_todos_has_moved_on(self, client: httpx.Client, name: str, path: str) -> None:
        add(client, name)
        self.send(client, name)
        assert client.post(f"/todos/{name}{path}").is_success
        assert "deduplicated" not in self.send(client, name)
        assert "deduplicated" in self.send(client, name)

    def test_not_when_nothing_was_changed(self, client: httpx.Client, name: str) -> None:
        add(client, name)
        body = {"actions": [{"action": "reopen", "id": 1}]}
        assert "deduplicated" not in self.send(client, name, body)
        client.post(f"/todos/{name}/1/complete")
        assert self.send(client, name, body)["change_id"] == 3

    def test_other_conversations_clients_and_lists_are_others(self, client: httpx.Client, name: str) -> None:
        for username in (name, f"{name}-other"):
            add(client, username)
        self.send(client, name)
        for username, headers in (
            (name, {"openai-conversation-id": "c"}),
            (name, {"User-Agent": "another"}),
            (f"{name}-other", {}),
        ):
            assert "deduplicated" not in self.send(client, username, **headers)

    def test_what_is_kept_for_it_goes(self, client: httpx.Client, name: str, database_url: str) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            add(client, name)
            for number in range(20):
                self.send(client, name, {"actions": [{"action": "update", "id": 1, "notes": f"{number}"}]})
            assert len(implied_of(database_url, name)) == 20
            clock.shift(11)
            self.send(client, name)
            assert len(implied_of(database_url, name)) == 1
        assert_bytes_are_counted(database_url, name)


def test_a_retry_of_what_was_done_before_the_trash_was_emptied_is_not_done_again(
    client: httpx.Client, person: Person
) -> None:
    name = person.username
    body = {"todo": "a secret word", "request_id": "k"}
    first = client.post(f"/todos/{name}", json=body, headers=AUTHORIZATION)
    client.delete(f"/todos/{name}/{first.json()['id']}", headers=AUTHORIZATION)
    assert person.send("/trash/empty").status_code == 303
    again = client.post(f"/todos/{name}", json=body, headers=AUTHORIZATION)
    problem(again, 409, "answer_gone")
    other = client.post(f"/todos/{name}", json={**body, "todo": "another"}, headers=AUTHORIZATION)
    problem(other, 409, "request_id_reused")
    assert client.get(f"/todos/{name}?status=all", headers=AUTHORIZATION).json()["total"] == 0
