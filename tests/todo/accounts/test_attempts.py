"""What may be tried only so often, in the database."""

import pytest
import time_machine

from todo.accounts import attempts
from todo.contract import SITE
from todo.storage.engine import Engine

PER_ADDRESS = SITE.limit("sign_ins_per_address")
MINUTES = SITE.limit("attempts_minutes")


def rows(engine: Engine) -> int:
    def count(connection: object) -> int:
        found = connection.driver.execute("SELECT COUNT(*) AS total FROM attempts").fetchone()  # type: ignore[attr-defined]
        return int(found["total"])

    return engine.submit_read(count).result()


def sign_in(engine: Engine, username: str, address: str = "6.6.6.6") -> int:
    return engine.submit_write(attempts.count, attempts.sign_ins(username, address)).result()


def test_an_address_adds_no_more_rows_than_it_has_tries(engine: Engine) -> None:
    waits = [sign_in(engine, f"nobody{number}") for number in range(5 * PER_ADDRESS)]
    assert [wait > 0 for wait in waits] == [False] * PER_ADDRESS + [True] * 4 * PER_ADDRESS
    assert rows(engine) == PER_ADDRESS + 1


def test_what_an_address_may_not_try_counts_for_no_account(engine: Engine) -> None:
    for number in range(PER_ADDRESS):
        sign_in(engine, f"nobody{number}")
    assert all(sign_in(engine, "kevin") for _ in range(2 * SITE.limit("sign_ins_per_account")))
    assert not sign_in(engine, "kevin", "1.1.1.1")


def test_rows_are_swept_by_the_next_try(engine: Engine) -> None:
    with time_machine.travel("2026-11-22T00:00:00Z") as clock:
        for number in range(PER_ADDRESS):
            sign_in(engine, f"nobody{number}")
        clock.shift(MINUTES * 60)
        for number in range(100):  # which come to every bucket
            assert not sign_in(engine, f"kevin{number}", f"1.1.1.{number}")
        assert rows(engine) == 200


def test_a_try_that_succeeded_counts_for_nothing(engine: Engine) -> None:
    counts = attempts.sign_ins("kevin", "1.1.1.1")
    for _ in range(2 * PER_ADDRESS):
        assert engine.submit_write(attempts.count, counts).result() == 0
        engine.submit_write(attempts.forgive, counts).result()
    assert rows(engine) == 1


def test_any_number_of_addresses_adds_no_more_rows_than_are_kept(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MAX_COUNTERS", 3)
    with time_machine.travel("2026-11-22T00:00:00Z") as clock:
        for number in range(100):
            sign_in(engine, f"nobody{number}", f"6.6.6.{number}")
            clock.shift(1)
        assert rows(engine) <= 16 * 4
        for _ in range(SITE.limit("sign_ins_per_account")):
            sign_in(engine, "nobody99", "1.1.1.1")
        assert sign_in(engine, "nobody99", "2.2.2.2") > 0  # the newest counters are kept
