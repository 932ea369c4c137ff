"""Refreshes of one token that meet, in two workers: one family lives on, and everybody holds it."""

from functools import partial

import pytest
import time_machine

from tests.people import Client, bearer
from tests.races.workers import Workers, at_once

pytestmark = pytest.mark.slow

UNUSED = "SELECT COUNT(*) FROM tokens WHERE kind = 'refresh' AND used_at IS NULL AND user_id = {}"
SEALED = "SELECT COUNT(*) FROM tokens WHERE successor IS NOT NULL AND user_id = {}"
USER_ID = "SELECT id FROM users WHERE username = '{}'"


def test_fifty_at_once_get_the_same(workers: Workers) -> None:
    for _ in range(20):
        person, client = workers.member(), workers.client()
        user_id = workers.ask(USER_ID.format(person.username))
        old = client.connect(person)["refresh_token"]
        twins = [Client(workers.browser(), client.id) for _ in range(50)]
        answers = at_once(*[partial(twin.refresh, old) for twin in twins])
        assert {answer.status_code for answer in answers} == {200}
        assert len({(answer.json()["access_token"], answer.json()["refresh_token"]) for answer in answers}) == 1
        given = answers[0].json()
        for _ in range(2):
            assert workers.browser().get("/todos/me", headers=bearer(given["access_token"])).status_code == 200
        assert workers.ask(UNUSED.format(user_id)) == 1
        assert client.refresh(given["refresh_token"]).status_code == 200
        assert client.refresh(old).status_code == 400
        assert workers.ask(UNUSED.format(user_id)) == 0


def test_fifty_with_the_old_and_the_new_token_leave_one_line_or_none(workers: Workers) -> None:
    """Some hold a token whose successor others use: whoever comes too late ends it all, and nobody has a line apart."""
    person, client = workers.member(), workers.client()
    user_id = workers.ask(USER_ID.format(person.username))
    old = client.connect(person)["refresh_token"]
    new = client.refresh(old).json()["refresh_token"]
    twins = [Client(workers.browser(), client.id) for _ in range(50)]
    sent = [old if number % 2 else new for number in range(50)]
    answers = at_once(*[partial(twin.refresh, token) for twin, token in zip(twins, sent, strict=True)])
    assert {answer.status_code for answer in answers} <= {200, 400}
    assert workers.ask(UNUSED.format(user_id)) <= 1
    assert client.refresh(old).status_code == 400
    assert workers.ask(UNUSED.format(user_id)) == 0


def test_a_family_keeps_one_sealed_answer_and_no_longer_than_it_may(workers: Workers) -> None:
    with time_machine.travel("2026-11-22T00:00:00Z") as clock:
        person, client = workers.member(), workers.client()
        user_id = workers.ask(USER_ID.format(person.username))
        tokens = client.connect(person)
        assert workers.ask(SEALED.format(user_id)) == 0
        for _ in range(3):
            tokens = client.refresh(tokens["refresh_token"]).json()
            assert workers.ask(SEALED.format(user_id)) == 1
        client.connect(person)
        assert workers.ask(SEALED.format(user_id)) == 1
        clock.shift(61)
        client.connect(person)
        assert workers.ask(SEALED.format(user_id)) == 0
