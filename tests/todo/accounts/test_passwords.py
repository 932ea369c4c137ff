"""Guessing passwords, past HTTP: as fast and as much at once as anybody could."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import migrated_sqlite
from tests.people import PASSWORD
from todo.accounts import accounts, passwords
from todo.contract import SITE
from todo.errors.access import TooManyAttempts, WrongPassword
from todo.storage.database import open_engine

ALLOWED = SITE.limit("sign_ins_per_account")
REAL_HASHER, REAL_DUMMY_HASH = passwords._HASHER, passwords._DUMMY_HASH  # before tests make them cheap


def test_a_password_costs_what_owasp_recommends_also_that_of_nobody() -> None:
    for password_hash in (REAL_HASHER.hash(PASSWORD), REAL_DUMMY_HASH):
        assert password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_ten_thousand_wrong_passwords_cost_ten_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = migrated_sqlite(tmp_path)
    engine = open_engine(url)
    engine.start()
    account = engine.submit_write(
        accounts.open_account, "kevin", passwords.hash_password(PASSWORD), None, None
    ).result()
    looked_at: list[str] = []
    verify = passwords.verify
    monkeypatch.setattr(passwords, "verify", lambda *given: looked_at.append(given[1]) or verify(*given))

    def guess(number: int) -> type[Exception] | None:
        try:
            # Half of them from one address, half from as many as there are.
            accounts.check_password(engine, "one" if number % 2 else str(number), "kevin", f"guess {number}")
        except (TooManyAttempts, WrongPassword) as refusal:
            return type(refusal)
        return None

    try:
        with ThreadPoolExecutor(32) as attackers:
            outcomes = list(attackers.map(guess, range(10_000)))
        assert (outcomes.count(WrongPassword), outcomes.count(TooManyAttempts)) == (ALLOWED, 10_000 - ALLOWED)
        assert len(looked_at) == ALLOWED
        with pytest.raises(TooManyAttempts):
            accounts.check_password(engine, "elsewhere", account.username, PASSWORD)
    finally:
        engine.stop()
