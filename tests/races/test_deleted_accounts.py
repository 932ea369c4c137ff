"""An account is deleted while somebody writes for it, signs in to it, or connects an assistant to it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

import handlers.todos
from tests.http_server import answering
from tests.people import CALLBACK, NEW_PASSWORD, PASSWORD, Client, Person, bearer
from tests.races.workers import ROUNDS, Pause, Workers, at_once
from todo.accounts import passwords
from todo.domain import import_export

pytestmark = pytest.mark.slow


def todos_of(person: Person) -> list[str]:
    return [todo["todo"] for todo in person.browser.get("/account/export").json()["todos"]]


def delete(person: Person) -> None:
    assert person.send("/account/delete", password=PASSWORD).headers["location"] == "/sign-up"


def delete_and_sign_up_again(workers: Workers, person: Person) -> Person:
    """Returns somebody else, who has taken the name at once."""
    delete(person)
    newcomer = workers.person(person.username)
    assert newcomer.sign_up(NEW_PASSWORD).status_code == 303
    return newcomer


def one_round(workers: Workers) -> None:
    person, http = workers.member(), workers.browser()
    headers = bearer(workers.client().connect(person)["access_token"])
    csrf_token, over = person.csrf_token(), threading.Event()

    def by_token(number: int) -> Callable[[], set[int]]:
        http = workers.browser()

        def write() -> set[int]:
            statuses, step = set(), 0
            while not over.is_set():
                step += 1
                todo = {"todo": f"{number} {step}"}
                statuses.add(http.post("/todos/me", json=todo, headers=headers).status_code)
            return statuses

        return write

    def by_filter() -> set[int]:
        http, statuses = workers.browser(), set()
        body = {"filter": {"status": "open"}, "action": "update", "shift_days": 1, "add_tags": ["x"], "expect": 3}
        while not over.is_set():
            statuses.add(http.post("/todos/me/changes/matching", json=body, headers=headers).status_code)
        return statuses

    def by_form() -> set[int]:
        browser = workers.browser()
        browser.cookies.update(person.browser.cookies)
        statuses, step = set(), 0
        while not over.is_set():
            step += 1
            form = {"csrf_token": csrf_token, "todo": f"form {step}"}
            statuses.add(browser.post("/list", data=form).status_code)
        return statuses

    def end() -> Person:
        try:
            return delete_and_sign_up_again(workers, person)
        finally:
            over.set()

    newcomer, in_bulk, *statuses = at_once(end, by_filter, by_form, *map(by_token, range(4)))
    assert in_bulk <= {200, 401, 409}
    assert set.union(*statuses) <= {201, 303, 401, 403}
    assert todos_of(newcomer) == []
    assert http.get("/todos/me", headers=headers).status_code == 401


def test_nothing_that_is_under_way_reaches_who_takes_the_name(workers: Workers) -> None:
    for _ in range(ROUNDS):
        one_round(workers)


def test_a_write_that_comes_late_opens_no_list(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    person, http, pause = workers.member(), workers.browser(), Pause()
    headers = bearer(workers.client().connect(person)["access_token"])
    monkeypatch.setattr(handlers.todos, "write", pause.before(handlers.todos.write))
    answer = pause.during(lambda: http.post("/todos/me", json={"todo": "x"}, headers=headers), lambda: delete(person))
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert workers.operator().get(f"/todos/{person.username}").json()["total"] == 0
    assert person.sign_up().status_code == 303


def test_an_import_that_comes_late_opens_no_list(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    person, pause = workers.member(), Pause()
    monkeypatch.setattr(import_export, "read_file", pause.after(import_export.read_file))
    form, upload = {"csrf_token": person.csrf_token()}, {"file": ("todo.csv", "todo\nA\n", "text/csv")}
    elsewhere = workers.person(person.username)
    assert elsewhere.sign_in().status_code == 303
    answer = pause.during(
        lambda: person.browser.post("/account/import", data=form, files=upload), lambda: delete(elsewhere)
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Faccount")
    assert workers.operator().get(f"/todos/{person.username}").json()["total"] == 0
    assert person.sign_up().status_code == 303


def test_a_sign_in_that_comes_late_opens_nobody_elses_account(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, pause = workers.member(), Pause()
    elsewhere = workers.person(person.username)
    monkeypatch.setattr(passwords, "verify", pause.after(passwords.verify))
    answer = pause.during(elsewhere.sign_in, lambda: delete_and_sign_up_again(workers, person))
    assert answer.status_code == 403
    assert not elsewhere.is_signed_in()


def test_what_was_allowed_late_is_nobody_elses(workers: Workers) -> None:
    """The document of the client comes when the account is gone, and perhaps another has been opened."""
    person, pause = workers.member(), Pause()
    with slow_document(pause) as client_id:
        client = Client(workers.browser(), client_id)
        form = {"csrf_token": person.csrf_token(), "decision": "allow", **client.asks()}
        elsewhere = workers.person(person.username)
        assert elsewhere.sign_in().status_code == 303
        answer = pause.during(
            lambda: person.browser.post("/oauth/authorize", data=form),
            lambda: delete_and_sign_up_again(workers, elsewhere),
        )
    assert "code" not in parse_qs(urlsplit(answer.headers.get("location", "")).query)


@contextmanager
def slow_document(pause: Pause) -> Iterator[str]:
    """Yields the id of a client whose document comes when the pause is over."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pause.wait()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"client_id": client_id, "redirect_uris": [CALLBACK]}).encode())

        def log_message(self, *_: object) -> None: ...

    with answering(HTTPServer(("127.0.0.1", 0), Handler)) as url:
        client_id = f"{url}/client.json"
        yield client_id
