"""What is sealed: only its secret opens it, and nothing that is kept of the secret does."""

import pytest
from cryptography.fernet import InvalidToken

from todo.accounts import tokens
from todo.accounts.encryption import seal, unseal


def test_the_secret_opens_it() -> None:
    secret = tokens.new_for(1, "refresh")
    assert unseal(secret, seal(secret, "a text, é")) == "a text, é"


def test_neither_another_secret_nor_the_hash_opens_it() -> None:
    secret = tokens.new_for(1, "refresh")
    sealed = seal(secret, "a text")
    assert "a text" not in sealed
    for other in (tokens.new_for(1, "refresh"), tokens.digest(secret), ""):
        with pytest.raises(InvalidToken):
            unseal(other, sealed)


def test_what_was_changed_does_not_open() -> None:
    secret = tokens.new_for(1, "refresh")
    sealed = seal(secret, "a text")
    with pytest.raises(InvalidToken):
        unseal(secret, sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:])


def test_the_same_text_is_never_sealed_alike() -> None:
    assert seal("secret", "a text") != seal("secret", "a text")
