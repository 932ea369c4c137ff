"""A link for a new password, and the answer of a passkey, used twice at once."""

import pytest

from tests.authenticator import Authenticator
from tests.people import NEW_PASSWORD, PASSWORD, Person, field
from tests.races.workers import Pause, Workers
from todo.accounts import attempts, passwords, resets

pytestmark = pytest.mark.slow

OTHER_PASSWORD = "nine shy otters hum along"


def reset(person: Person, secret: str, password: str) -> int:
    page = person.browser.get(f"/reset-password/{secret}")
    form = {"csrf_token": field(page, "csrf_token"), "reset": secret, "new_password": password}
    return person.browser.post("/reset-password", data=form).status_code


def test_a_link_sets_one_password(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    person = workers.member()
    secret = workers.engine.submit_write(resets.new_for, person.username).result()
    late, early = workers.person(person.username), workers.person(person.username)
    pause = Pause()
    monkeypatch.setattr(passwords, "hash_password", pause.after(passwords.hash_password))
    answers: list[int] = []
    last = pause.during(
        lambda: reset(late, secret, OTHER_PASSWORD), lambda: answers.append(reset(early, secret, NEW_PASSWORD))
    )
    assert (answers, last) == ([303], 404)
    assert not person.is_signed_in()
    assert early.is_signed_in()
    assert not late.is_signed_in()
    assert workers.person(person.username).sign_in(NEW_PASSWORD).status_code == 303


def test_an_answer_of_a_passkey_signs_in_once(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    person, key = workers.member(), Authenticator()
    options = person.send("/account/passkeys/new", password=PASSWORD).json()
    assert person.send("/account/passkeys", name="x", credential=key.create(options)).status_code == 303
    late, early = workers.person(person.username), workers.person(person.username)
    form = {"csrf_token": late.csrf_token()}
    early.browser.cookies.set("session", late.browser.cookies["session"])
    form["credential"] = key.get(late.browser.post("/sign-in/passkey", data=form).json())
    pause, answers = Pause(), []
    # Both have found the passkey before either uses up the challenge.
    monkeypatch.setattr(attempts, "raise_if_limited", pause.after(attempts.raise_if_limited))
    last = pause.during(
        lambda: late.browser.post("/sign-in", data=form).status_code,
        lambda: answers.append(early.browser.post("/sign-in", data=form).status_code),
    )
    assert (answers, last) == ([303], 403)
