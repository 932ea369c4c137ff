"""Passkeys over HTTP: who may add them, what signs in, and everything that does not."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine
from starlette.testclient import TestClient

from tests.authenticator import PRESENT, Authenticator
from tests.conftest import GENEROUS, SERVICE_KEY, migrated_sqlite
from tests.handlers.test_accounts import NewBrowser, refused
from tests.people import NEW_PASSWORD, PASSWORD, Person, soup
from todo.accounts import challenges
from todo.accounts.passkeys import host_of
from todo.app import create_app
from todo.config import Settings
from todo.contract import SITE, product

pytestmark = pytest.mark.slow_on_postgresql

JSON = dict[str, Any]
REFUSED = "The passkey is not known here, or took too long."


def offered(person: Person, password: str = PASSWORD) -> JSON:
    answer = person.send("/account/passkeys/new", password=password)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def added(person: Person, name: str = "My phone") -> Authenticator:
    """Returns an authenticator that has just become a passkey of the person."""
    key = Authenticator()
    answer = person.send("/account/passkeys", name=name, credential=key.create(offered(person)))
    assert answer.headers["location"] == "/account?saved=passkeys#notice"
    return key


def offer(person: Person) -> JSON:
    answer = person.send("/sign-in/passkey")
    assert answer.status_code == 200
    return dict(answer.json())


def sign_in(person: Person, key: Authenticator, **fields: str) -> httpx.Response:
    return person.send("/sign-in", credential=key.get(offer(person)), **fields)


def passkeys(person: Person) -> list[JSON]:
    return list(person.browser.get("/account/export").json()["passkeys"])


@pytest.fixture
def key(person: Person) -> Authenticator:
    return added(person)


@pytest.fixture
def visitor(new_browser: NewBrowser, person: Person) -> Person:
    """The person's other browser, which is not signed in."""
    return Person(new_browser(), person.username)


class TestAdding:
    def test_takes_the_password(self, person: Person) -> None:
        answer = person.send("/account/passkeys/new", password="not the password at all")
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_current_password")
        assert passkeys(person) == []

    def test_asks_for_what_signs_in_by_itself(self, person: Person, key: Authenticator) -> None:
        options = offered(person)
        assert options["rp"] == {"id": "localhost", "name": product.TITLE}
        assert options["authenticatorSelection"]["residentKey"] == "required"
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert len(options["excludeCredentials"]) == 1

    def test_shows_it_with_its_name(self, person: Person) -> None:
        added(person, " Kevin's <b>key</b> ")
        page = soup(person.browser.get("/account"))
        assert "Kevin's <b>key</b>" in page.get_text()
        assert [passkey["name"] for passkey in passkeys(person)] == ["Kevin's <b>key</b>"]

    @pytest.mark.parametrize("called", ["", "x" * 61, "a\u202eb"])
    def test_takes_no_such_name(self, person: Person, called: str) -> None:
        answer = person.send("/account/passkeys", name=called, credential=Authenticator().create(offered(person)))
        refused(answer, 400, "Name of the passkey: must")
        assert passkeys(person) == []

    def test_there_are_only_so_many(self, person: Person) -> None:
        options = [offered(person) for _ in range(2)]
        for _ in range(SITE.limit("passkeys") - 1):
            added(person)
        sent = [person.send("/account/passkeys", name="x", credential=Authenticator().create(o)) for o in options]
        assert [answer.status_code for answer in sent] == [303, 409]
        assert person.send("/account/passkeys/new", password=PASSWORD).status_code == 409
        assert len(passkeys(person)) == SITE.limit("passkeys")

    def test_an_answer_counts_once_and_in_its_own_session(self, person: Person, visitor: Person) -> None:
        answer = Authenticator().create(offered(person))
        visitor.sign_in()
        refused(visitor.send("/account/passkeys", name="x", credential=answer), 403, REFUSED)
        assert person.send("/account/passkeys", name="x", credential=answer).status_code == 303
        refused(person.send("/account/passkeys", name="x", credential=answer), 403, REFUSED)

    def test_a_challenge_for_signing_in_adds_nothing(self, person: Person) -> None:
        options = {**offered(person), "challenge": offer(person)["challenge"]}
        refused(person.send("/account/passkeys", name="x", credential=Authenticator().create(options)), 403, REFUSED)


class TestSigningIn:
    def test_needs_no_name(self, key: Authenticator, person: Person, visitor: Person) -> None:
        answer = sign_in(visitor, key, next="/account", time_zone="Europe/Vienna")
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        page = visitor.browser.get("/account").text
        assert f"<strong>{person.username}</strong>" in page
        assert 'value="Europe/Vienna"' in page
        assert passkeys(person)[0]["last_used_at"]

    def test_can_be_kept(self, key: Authenticator, visitor: Person) -> None:
        assert "Max-Age" in sign_in(visitor, key, keep="on").headers["set-cookie"]

    def test_an_answer_counts_once(self, key: Authenticator, visitor: Person, new_browser: NewBrowser) -> None:
        answer = key.get(offer(visitor))
        refused(Person(new_browser(), "x").send("/sign-in", credential=answer), 403, REFUSED)
        token = visitor.csrf_token()
        form = {"csrf_token": token, "credential": answer}
        secret = visitor.browser.cookies["session"]
        assert visitor.browser.post("/sign-in", data=form).status_code == 303
        visitor.browser.cookies.clear()
        visitor.browser.cookies.set("session", secret)
        refused(visitor.browser.post("/sign-in", data=form), 403, REFUSED)

    def test_a_challenge_expires(self, person: Person, new_browser: NewBrowser) -> None:
        with time_machine.travel("2099-11-22T00:00:00Z") as clock:
            somebody = Person(new_browser(), f"{person.username}-later")
            somebody.sign_up()
            key, visitor = added(somebody), Person(new_browser(), "x")
            answer = key.get(offer(visitor))
            clock.shift(SITE.limit("challenge_seconds") + 1)
            refused(visitor.send("/sign-in", credential=answer), 403, REFUSED)

    @pytest.mark.parametrize(
        "changed",
        [
            {"origin": "http://localhost:8001"},
            {"origin": "https://evil.example"},
            {"host": "evil.example"},
            {"flags": PRESENT},
            {"user_handle": b""},
            {"user_handle": bytes(8)},
            {"user_handle": b"\xff" * 8},
            {"id": b"another"},
            {"count": -1},
        ],
        ids=str,
    )
    def test_anything_else_is_refused(self, key: Authenticator, visitor: Person, changed: JSON) -> None:
        assert sign_in(visitor, key).status_code == 303
        visitor.browser.cookies.clear()
        for name, value in changed.items():
            setattr(key, name, value)
        refused(sign_in(visitor, key), 403, REFUSED)
        assert not visitor.is_signed_in()

    def test_another_key_is_refused(self, key: Authenticator, visitor: Person) -> None:
        other = Authenticator()
        other.id, other.user_handle = key.id, key.user_handle
        refused(sign_in(visitor, other), 403, REFUSED)

    @pytest.mark.parametrize(
        "credential",
        [
            "x",
            "[]",
            "{}",
            "[" * 8000,
            json.dumps({"id": "x", "rawId": "x", "type": "public-key", "response": {}}),
            json.dumps(
                {
                    "id": "eA",
                    "rawId": "eA",
                    "type": "public-key",
                    "response": {"clientDataJSON": "eA", "authenticatorData": "eA", "signature": "eA"},
                }
            ),
        ],
    )
    def test_nonsense_is_refused(self, person: Person, credential: str) -> None:
        refused(Person(person.browser, "x").send("/sign-in", credential=credential), 403, REFUSED)
        refused(person.send("/account/passkeys", name="x", credential=credential), 403, REFUSED)

    def test_counts_like_any_sign_in(self, key: Authenticator, visitor: Person, new_browser: NewBrowser) -> None:
        key.flags = PRESENT
        most = SITE.limit("sign_ins_per_account")
        assert [sign_in(visitor, key).status_code for _ in range(most + 1)] == [403] * most + [429]
        assert Person(new_browser(), visitor.username).sign_in().status_code == 429

    def test_one_that_is_unknown_counts_for_its_address(self, new_browser: NewBrowser) -> None:
        visitor, stranger = Person(new_browser(), "x"), Authenticator()
        form = {"csrf_token": visitor.csrf_token(), "credential": stranger.get({"challenge": "eA"})}
        most = SITE.limit("sign_ins_per_address")
        statuses = [visitor.browser.post("/sign-in", data=form).status_code for _ in range(most + 1)]
        assert statuses == [403] * most + [429]

    def test_a_form_without_anything_is_refused(self, visitor: Person) -> None:
        refused(visitor.send("/sign-in"), 400, "Username: use letters")


class TestRemoving:
    def test_ends_it(self, key: Authenticator, person: Person, visitor: Person) -> None:
        passkey = soup(person.browser.get("/account")).select_one("input[name=passkey]")["value"]
        answer = person.send("/account/passkeys/remove", passkey=passkey)
        assert answer.headers["location"] == "/account?saved=passkeys/remove#notice"
        assert "The passkey is removed." in person.browser.get("/account?saved=passkeys/remove").text
        refused(sign_in(visitor, key), 403, REFUSED)

    def test_is_for_ones_own(self, key: Authenticator, person: Person, visitor: Person, name: str) -> None:
        passkey = soup(person.browser.get("/account")).select_one("input[name=passkey]")["value"]
        other = Person(visitor.browser, f"{name}-other")
        other.sign_up()
        other.send("/account/passkeys/remove", passkey=passkey)
        assert len(passkeys(person)) == 1

    def test_a_new_password_leaves_them(self, key: Authenticator, person: Person, visitor: Person) -> None:
        person.send("/account/password", password=PASSWORD, new_password=NEW_PASSWORD)
        assert sign_in(visitor, key).status_code == 303

    def test_an_account_that_is_deleted_has_none(self, key: Authenticator, person: Person, visitor: Person) -> None:
        assert person.send("/account/delete", password=PASSWORD).status_code == 303
        assert person.sign_up().status_code == 303
        assert passkeys(person) == []
        refused(sign_in(visitor, key), 403, REFUSED)


def test_challenges_do_not_grow_without_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenges, "MAX_CHALLENGES", 10)
    url = migrated_sqlite(tmp_path)
    with TestClient(
        create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=url, **GENEROUS)),
        base_url="http://localhost:8000",
    ) as browser:
        form = {"csrf_token": Person(browser, "x").csrf_token()}
        for _ in range(300):
            assert browser.post("/sign-in/passkey", data=form).status_code == 200
    with sqlite3.connect(tmp_path / "todo.db") as database:
        (total,) = database.execute("SELECT COUNT(*) FROM challenges").fetchone()
    database.close()
    assert total <= 16 * 10


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://localhost:8000", "localhost"),
        ("https://todo.example.com", "todo.example.com"),
        ("http://127.0.0.1:8000", None),
        ("http://[::1]:8000", None),
    ],
)
def test_passkeys_are_for_a_name(url: str, host: str | None) -> None:
    assert host_of(url) == host


def test_at_an_ip_address_there_are_none(tmp_path: Path) -> None:
    url = migrated_sqlite(tmp_path)
    address = "http://127.0.0.1:8000"
    settings = Settings(service_auth_key=(SERVICE_KEY,), database_url=url, public_url=address, **GENEROUS)
    with TestClient(create_app(settings), base_url=address, follow_redirects=False) as browser:
        person = Person(browser, "kevin")
        assert person.send("/sign-in/passkey").status_code == 403
        person.sign_up()
        assert person.send("/account/passkeys/new", password=PASSWORD).status_code == 403
