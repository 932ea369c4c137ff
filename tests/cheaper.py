"""What makes the tests cheaper and none of them weaker; conftest.py brings it to all."""

import gc
from collections.abc import Generator, Iterator
from typing import Any

import orjson
import pytest
from argon2 import PasswordHasher
from connexion.spec import Specification
from starlette import testclient

from tests import in_process
from todo.accounts import passwords


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Looks for no garbage among the many thousand tests, neither while they are collected nor while they run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Lets a password cost next to nothing: there are thousands. What a real one costs is in test_passwords.py."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", hasher)
        patch.setattr(passwords, "_DUMMY_HASH", hasher.hash("the password of nobody"))
        yield


@pytest.fixture(scope="session", autouse=True)
def each_document_is_validated_once() -> Iterator[None]:
    """Connexion validates a contract for each app that is made of it, which is two thirds of what one costs."""
    valid: set[bytes] = set()
    validate = Specification._validate_spec.__func__

    def once(cls: type[Specification], document: Any) -> None:
        text = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)
        if text not in valid:
            validate(cls, document)
            valid.add(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Specification, "_validate_spec", classmethod(once))
        yield


@pytest.fixture(scope="session", autouse=True)
def a_request_is_one_step() -> Iterator[None]:
    """Has a TestClient change threads once for a request, which is half of what a cheap one costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(testclient._TestClientTransport, "handle_request", in_process.ask)
        yield
