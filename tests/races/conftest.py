"""What the races share."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from tests.races.workers import Workers
from todo.accounts import passwords


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a password cost next to nothing: there are hundreds of them, and what is slow has a test of its own."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    monkeypatch.setattr(passwords, "_DUMMY_HASH", hasher.hash("the password of nobody"))


@pytest.fixture(scope="module")
def workers(database_url: str) -> Iterator[Workers]:
    with Workers(database_url) as both:
        yield both
