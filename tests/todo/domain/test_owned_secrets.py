"""Secrets carry their owner's id; what is malformed carries none."""

import re

import pytest

from todo.accounts import tokens
from todo.domain import owned_secrets


@pytest.mark.parametrize("user_id", [1, 2**32, 2**62 + 12345, 2**63 - 1])
def test_a_secret_carries_the_id_and_its_random_bits(user_id: int) -> None:
    made = {owned_secrets.new(user_id, 32) for _ in range(100)}
    assert len({secret[11:] for secret in made}) == 100
    for secret in made:
        assert re.fullmatch(r"[A-Za-z0-9_-]{54}", secret)
        assert owned_secrets.owner_of(secret) == user_id


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "A",
        "AAAAAAAAAA",  # too short
        "gAAAAAAAAAA" + "x" * 43,  # 2**63
        "__________8" + "x" * 43,
        "AAAAA.AAAAA" + "x" * 43,
        "AAAAA=AAAAA" + "x" * 43,
        "=" * 54,
        "AAAAAAAAAA\n" + "x" * 43,
        "AAAAA\u00e4AAAAA" + "x" * 43,
        "\U0001f600" * 54,
        "\ud800" * 54,
    ],
)
def test_what_is_malformed_carries_none(secret: str) -> None:
    assert owned_secrets.owner_of(secret) is None
    assert tokens.key_of(f"todo_at_{secret}") is None


@pytest.mark.parametrize("kind", ["access", "refresh", "code", "session"])
def test_a_token_is_found_by_id_and_hash(kind: str) -> None:
    secret = tokens.new_for(5, kind)  # type: ignore[arg-type]
    assert tokens.key_of(secret) == {"user_id": 5, "hash": tokens.digest(secret)}
    assert secret.startswith(tokens.PREFIXES[kind])
    assert all(len(prefix) == tokens.PREFIX_CHARACTERS for prefix in tokens.PREFIXES.values())
