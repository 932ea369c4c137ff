"""A secret with the id of somebody else in it opens nothing: neither theirs nor one's own."""

from collections.abc import Callable

import httpx
import pytest
from starlette.testclient import TestClient

from tests.handlers.test_calendars import address
from tests.people import Client, Person, bearer
from todo.domain.owned_secrets import ID_CHARACTERS

NewBrowser = Callable[[], TestClient]
NOT_IDS = ["", "x", "A" * 10, "________8__", "A.A.A.A.A.A", "AAAAAAAAAAE"]


def forged(secret: str, other: str, start: int) -> str:
    """Returns a secret with the id of another, each of which begins at `start`."""
    end = start + ID_CHARACTERS
    assert secret[:start] == other[:start]
    assert secret[start:end] != other[start:end]
    return other[:end] + secret[end:]


def malformed(secret: str, start: int) -> list[str]:
    return [secret[:start] + text + rest for text in NOT_IDS for rest in ("", secret[start + ID_CHARACTERS :])]


PREFIX = len("todo_at_")


@pytest.fixture
def anna(new_browser: NewBrowser, person: Person) -> Person:
    anna = Person(new_browser(), f"{person.username}-anna")
    assert anna.sign_up().status_code == 303
    return anna


@pytest.fixture
def public(new_browser: NewBrowser) -> Client:
    return Client.registered(new_browser())


def test_tokens(person: Person, anna: Person, public: Client) -> None:
    own, hers = public.connect(person), public.connect(anna)
    access = forged(own["access_token"], hers["access_token"], PREFIX)
    for token in (access, *malformed(own["access_token"], PREFIX)):
        for username in ("me", person.username, anna.username):
            answer = public.http.get(f"/todos/{username}", headers=bearer(token))
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    refresh = forged(own["refresh_token"], hers["refresh_token"], PREFIX)
    for token in (refresh, *malformed(own["refresh_token"], PREFIX)):
        answer = public.refresh(token)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), token
        revoked = public.http.post("/oauth/revoke", data={"client_id": public.id, "token": token or "x"})
        assert revoked.status_code == 200
    for tokens in (own, hers):
        assert public.http.get("/todos/me", headers=bearer(tokens["access_token"])).status_code == 200
        assert public.refresh(tokens["refresh_token"]).status_code == 200


def test_codes(person: Person, anna: Person, public: Client) -> None:
    own, hers = public.code(person), public.code(anna)
    for code in (forged(own, hers, PREFIX), forged(hers, own, PREFIX), *malformed(own, PREFIX)):
        answer = public.redeem(code)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), code
    assert public.redeem(own).status_code == public.redeem(hers).status_code == 200


def test_sessions(person: Person, anna: Person, new_browser: NewBrowser) -> None:
    own, hers = person.browser.cookies["session"], anna.browser.cookies["session"]
    for cookie in (forged(own, hers, PREFIX), forged(hers, own, PREFIX), *malformed(own, PREFIX)):
        browser = new_browser()
        browser.cookies.set("session", cookie)
        assert browser.get("/account").headers["location"] == "/sign-in?next=%2Faccount"
        assert browser.get("/live").status_code == 204
        stranger = Person(browser, person.username)
        assert stranger.send("/sign-out").status_code == 303
    assert person.is_signed_in()
    assert anna.is_signed_in()


def test_shares(client: httpx.Client, person: Person, anna: Person) -> None:
    for username in (person.username, anna.username):
        client.post(f"/todos/{username}", json={"todo": username})
    own, hers = (
        httpx.URL(client.post(f"/todos/{username}/1/share").json()["url"]).path
        for username in (person.username, anna.username)
    )
    start = len("/s/")
    for path in (forged(own, hers, start), forged(hers, own, start), "/s/" + "x" * 22, *malformed(own, start)):
        answer = client.get(path)
        assert answer.status_code in (400, 404), path
        assert person.username not in answer.text
    assert person.username in client.get(own).text


def test_calendars(anonymous: httpx.Client, person: Person, anna: Person) -> None:
    paths = []
    for somebody in (person, anna):
        somebody.send("/account/calendar", calendar="new")
        paths.append(str(address(somebody)))
    start = len("/calendar/")
    for path in (forged(*paths, start), forged(*paths[::-1], start), *malformed(paths[0], start)):
        assert anonymous.get(path).status_code in (400, 404), path
    assert [anonymous.get(path).status_code for path in paths] == [200, 200]
