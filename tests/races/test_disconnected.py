"""An assistant is disconnected, or the account deleted, while its tokens are given out, used and revoked."""

import time
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

import handlers.todos
from tests.people import PASSWORD, Person, bearer
from tests.races.workers import ROUNDS, Pause, Workers, at_once
from todo.accounts.sessions import Session
from todo.oauth import grant_types

pytestmark = pytest.mark.slow

ORPHANS = """
SELECT COUNT(*) FROM tokens WHERE NOT EXISTS
  (SELECT 1 FROM grants WHERE grants.user_id = tokens.user_id AND grants.id = tokens.grant_id)
"""


def disconnect(person: Person) -> None:
    person.send("/account/disconnect", grant_id=person.grant_id())


def test_a_write_that_comes_late_is_refused(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    person, http, pause = workers.member(), workers.browser(), Pause()
    headers = bearer(workers.client().connect(person)["access_token"])
    monkeypatch.setattr(handlers.todos, "write", pause.before(handlers.todos.write))
    answer = pause.during(
        lambda: http.post("/todos/me", json={"todo": "x"}, headers=headers), lambda: disconnect(person)
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert person.browser.get("/account/export").json()["todos"] == []


def test_a_form_that_comes_late_leads_to_the_sign_in(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session has ended meanwhile, and the account is still there."""
    person, pause = workers.member(), Pause()
    form = {"csrf_token": person.csrf_token(), "todo": "x"}
    elsewhere = workers.person(person.username)
    elsewhere.browser.cookies.update(person.browser.cookies)
    monkeypatch.setattr(Session, "accepts", pause.after(Session.accepts))
    answer = pause.during(lambda: person.browser.post("/list", data=form), lambda: elsewhere.send("/sign-out"))
    assert answer.status_code == 403
    assert '<input type="hidden" name="todo" value="x">' in answer.text  # of the sign-in page
    assert person.sign_in().status_code == 303
    assert person.browser.get("/account/export").json()["todos"] == []


@pytest.mark.parametrize("ending", ["disconnect", "delete"])
def test_a_refresh_under_way_leaves_nothing(workers: Workers, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """The person ends it all while the refresh token has been found good: one of them waits for the other."""
    person, client, pause = workers.member(), workers.client(), Pause()
    given = client.connect(person)
    ends = {
        "disconnect": ("/account/disconnect", {"grant_id": person.grant_id()}),
        "delete": ("/account/delete", {"password": PASSWORD}),
    }
    path, fields = ends[ending]
    form = {"csrf_token": person.csrf_token(), **fields}
    monkeypatch.setattr(grant_types, "check_resource", pause.after(grant_types.check_resource))
    with ThreadPoolExecutor(1) as pool:

        def end() -> None:
            pool.submit(person.browser.post, path, data=form).add_done_callback(answers.append)
            time.sleep(0.3)  # it waits in the database by then

        answers: list[Future[httpx.Response]] = []
        given = pause.during(lambda: client.refresh(given["refresh_token"]), end).json()
    assert answers[0].result().status_code == 303
    assert client.refresh(given["refresh_token"]).status_code == 400
    revoked = client.http.post("/oauth/revoke", data={"client_id": client.id, "token": given["access_token"]})
    assert revoked.status_code == 200
    assert workers.ask(ORPHANS) == 0


def one_round(workers: Workers, *, delete: bool) -> None:
    person = workers.member()
    asking, redeeming = workers.client(), workers.client()
    given = asking.connect(person)
    code, grant_id, csrf_token = redeeming.code(person), person.grant_id(), person.csrf_token()

    def end() -> int:
        fields = {"password": PASSWORD} if delete else {"grant_id": grant_id}
        path = "/account/delete" if delete else "/account/disconnect"
        return person.browser.post(path, data={"csrf_token": csrf_token, **fields}).status_code

    def revoke() -> int:
        form = {"client_id": asking.id, "token": given["access_token"]}
        return workers.browser().post("/oauth/revoke", data=form).status_code

    def refresh() -> int:
        return asking.refresh(given["refresh_token"]).status_code

    statuses = at_once(end, refresh, revoke, refresh, lambda: redeeming.redeem(code).status_code)
    assert set(statuses) <= {200, 303, 400}


@pytest.mark.parametrize("delete", [False, True], ids=["disconnected", "deleted"])
def test_tokens_of_what_has_ended_are_never_given_out(workers: Workers, delete: bool) -> None:
    for _ in range(ROUNDS):
        one_round(workers, delete=delete)
    assert workers.ask(ORPHANS) == 0
