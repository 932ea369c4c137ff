"""The password is changed while somebody signs in with the old one, or changes it too."""

import pytest

from tests.people import NEW_PASSWORD, PASSWORD, Person
from tests.races.workers import Pause, Workers
from todo.accounts import passwords

pytestmark = pytest.mark.slow

OTHER_PASSWORD = "nine shy otters hum along"


def change(person: Person, password: str) -> str:
    """Returns where the change leads."""
    answer = person.send("/account/password", password=PASSWORD, new_password=password)
    return answer.headers["location"]


def pause_after_the_check(monkeypatch: pytest.MonkeyPatch) -> Pause:
    pause = Pause()
    monkeypatch.setattr(passwords, "verify", pause.after(passwords.verify))
    return pause


def test_a_sign_in_with_the_old_one_comes_too_late(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    person = workers.member()
    thief = workers.person(person.username)
    pause = pause_after_the_check(monkeypatch)
    answer = pause.during(thief.sign_in, lambda: change(person, NEW_PASSWORD))
    assert answer.status_code == 403
    assert not thief.is_signed_in()
    assert person.is_signed_in()


def test_of_two_changes_the_later_one_is_refused(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    person = workers.member()
    elsewhere = workers.person(person.username)
    assert elsewhere.sign_in().status_code == 303
    pause = pause_after_the_check(monkeypatch)
    led_to = pause.during(lambda: change(elsewhere, OTHER_PASSWORD), lambda: change(person, NEW_PASSWORD))
    assert led_to == "/sign-in?next=%2Faccount"
    assert workers.person(person.username).sign_in(OTHER_PASSWORD).status_code == 403
    assert workers.person(person.username).sign_in(NEW_PASSWORD).status_code == 303
