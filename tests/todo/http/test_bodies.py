"""Large bodies: from whom, how many at a time, and where they are looked at."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope

from tests.people import Person
from todo.contract import API
from todo.errors import Overloaded, PayloadTooLarge
from todo.errors.access import StaleForm
from todo.http import bodies, validators
from todo.http.bodies import Bodies
from todo.http.validators import read_text

USUAL = API.limit("request_body_bytes")
LARGE = 10 * USUAL
CHUNKED = {b"transfer-encoding": b"chunked"}


async def anybody(_: Scope) -> bool:
    return True


async def nobody(_: Scope) -> bool:
    return False


def arriving(size: int) -> Receive:
    """Returns what gives a body in pieces."""
    pieces = [min(1000, size - start) for start in range(0, size, 1000)]
    messages: Iterator[Message] = iter(
        {"type": "http.request", "body": b"x" * piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    )

    async def receive() -> Message:
        await asyncio.sleep(0)
        return next(messages)

    return receive


def declared(size: int) -> dict[bytes, bytes]:
    return {b"content-length": str(size).encode()}


def test_who_may_send_large_ones() -> None:
    def read(may: Any, headers: dict[bytes, bytes], size: int, larger: int = LARGE) -> bytes:
        return asyncio.run(Bodies(may).read({}, headers, arriving(size), larger))

    for headers in (declared(LARGE), CHUNKED):
        assert len(read(anybody, headers, LARGE)) == LARGE
    for headers in (declared(USUAL), CHUNKED):
        assert len(read(nobody, headers, USUAL)) == USUAL
    with pytest.raises(StaleForm) as refused:
        read(nobody, declared(USUAL + 1), USUAL + 1)
    assert refused.value.headers["Connection"] == "close"
    for may, headers, size, larger in (
        (nobody, CHUNKED, USUAL + 1, LARGE),
        (anybody, CHUNKED, USUAL + 1, 0),
        (anybody, declared(USUAL + 1), USUAL + 1, 0),
        (anybody, CHUNKED, LARGE + 1, LARGE),
        (anybody, declared(LARGE + 1), LARGE + 1, LARGE),
    ):
        with pytest.raises(PayloadTooLarge):
            read(may, headers, size, larger)


def test_how_many_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_IN_FLIGHT", 2 * LARGE)

    async def run() -> None:
        reader = Bodies(anybody)
        scopes: list[Scope] = [{} for _ in range(4)]
        for scope in scopes[:2]:
            await reader.read(scope, declared(LARGE), arriving(LARGE), LARGE)
        with pytest.raises(Overloaded):
            await reader.read(scopes[2], CHUNKED, arriving(LARGE), LARGE)
        await reader.read(scopes[3], declared(USUAL), arriving(USUAL), LARGE)
        for scope in scopes:
            reader.forget(scope)
        for _ in range(3):
            await reader.read(scopes[0], declared(LARGE), arriving(LARGE), LARGE)
            reader.forget(scopes[0])

    asyncio.run(run())


def test_room_comes_back_once_it_is_answered(monkeypatch: pytest.MonkeyPatch, person: Person) -> None:
    monkeypatch.setattr(bodies, "MAX_IN_FLIGHT", 3 * USUAL)
    token = person.csrf_token("/account")
    for _ in range(4):
        answer = person.browser.post(
            "/account/import", data={"csrf_token": token}, files={"file": ("a.csv", b"todo\n" + b"x" * 2 * USUAL)}
        )
        assert answer.status_code == 400


def test_files_are_looked_at_off_the_event_loop(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def read(file: Any) -> str:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            seen.append("thread")
        else:
            seen.append("loop")
        return read_text(file)

    monkeypatch.setattr(validators, "read_text", read)
    token = person.csrf_token("/account")
    answer = person.browser.post(
        "/account/import", data={"csrf_token": token}, files={"file": ("a.csv", b"todo\nBuy milk\n")}
    )
    assert answer.status_code == 303
    assert seen == ["thread"]
