"""Live: what open pages ask, and what a stranger can do there."""

import time
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from tests.people import Person
from todo.errors import StorageUnavailable
from todo.http.session_cookie import session_secret
from todo.service import Service, current


def test_nobody_is_signed_in(anonymous: httpx.Client) -> None:
    for cookie in ("", "session=x", "session", "other=1; session=todo_se_x", 'session="\\"', "=;;="):
        assert anonymous.get("/live", headers={"Cookie": cookie}).status_code == 204


def test_version_changes_with_the_list(person: Person) -> None:
    tag = person.browser.get("/live").headers["etag"]
    assert person.browser.get("/live", headers={"If-None-Match": tag}).status_code == 304
    person.send("/list", todo="Buy milk")
    assert person.browser.get("/live", headers={"If-None-Match": tag}).status_code == 200


def test_cookies_take_linear_time(anonymous: httpx.Client) -> None:
    start = time.monotonic()
    anonymous.get("/live", headers={"Cookie": 'session="' + r"\a" * 15_000 + '"'})
    assert time.monotonic() - start < 1


def test_cookies_beside_one_that_is_not_utf_8() -> None:
    current.set(cast(Service, SimpleNamespace(session_cookie="session")))
    for cookie in (b"a=\xff; session=todo_se_x", b"session=todo_se_x; \xc3=a"):
        assert session_secret({"headers": [(b"cookie", cookie)]}) == "todo_se_x"


@pytest.mark.parametrize("path", ["/live", "/readyz"])
def test_database_is_away(
    path: str, person: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def peek(*_: Any) -> Any:
        raise StorageUnavailable

    monkeypatch.setattr("handlers.live.peek", peek)
    monkeypatch.setattr("handlers.health.read", peek)
    answer = person.browser.get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert "Traceback" not in caplog.text
