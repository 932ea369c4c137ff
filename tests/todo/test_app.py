"""The app as a whole: what it does when a part fails, and that it stops the start when it can never work."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.answers import check_answer
from tests.conftest import AUTHORIZATION, SERVICE_KEY, migrated_sqlite
from todo.app import create_app
from todo.config import Settings
from todo.domain import changes, listing
from todo.errors import StorageUnavailable
from todo.manifest import ManifestError, build
from todo.storage.engine import StorageNotReady


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    url = migrated_sqlite(tmp_path)
    return Settings(service_auth_key=(SERVICE_KEY,), database_url=url)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), base_url="http://localhost:8000", headers=AUTHORIZATION) as client:
        client.event_hooks = {"response": [check_answer]}
        yield client


def test_a_fault_of_ours_tells_nothing_and_logs_its_place(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    text = "the secret text of a to-do"

    def fail(*_: object) -> None:
        raise RuntimeError(text)

    fail.__name__ = "add"
    monkeypatch.setattr(changes, "add", fail)
    response = client.post("/todos/kevin", json={"todo": text})
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert text not in response.text + caplog.text
    assert "RuntimeError" in caplog.text
    assert "test_app.py" in caplog.text


def test_a_database_that_fails_is_said_to_be_unavailable(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(listing, "page", fail)
    response = client.get("/todos/kevin")
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


def test_readiness_needs_the_database_and_health_does_not(client: TestClient, settings: Settings) -> None:
    Path(settings.database_url.removeprefix("sqlite:///")).unlink()
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")


def test_one_line_a_request_and_nothing_private(client: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    client.post("/todos/kevin", json={"todo": "Buy milk"}, headers={"X-Request-ID": "id-1"})
    client.get("/todos/kevin?q=milk", headers={"X-Request-ID": "id-2"})
    client.get("/kevin", headers={"X-Request-ID": "id-3"})
    client.request("BREW", "/todos/kevin")
    output = capfd.readouterr().out
    lines = output.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["POST", "/todos/{username}", "201"],
        ["GET", "/todos/{username}", "200"],
        ["GET", "-", "404"],
        ["OTHER", "/todos/{username}", "405"],
    ]
    assert [line.split()[4] for line in lines[:3]] == ["id-1", "id-2", "id-3"]
    assert all(line.split()[3].endswith("ms") for line in lines)
    for private in ("kevin", "milk", SERVICE_KEY):
        assert private not in output


def test_a_database_that_is_not_migrated_stops_the_start(tmp_path: Path) -> None:
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=f"sqlite:///{tmp_path}/none.db"))
    with pytest.raises(StorageNotReady), TestClient(app):
        pass


@pytest.mark.parametrize(
    ("change", "setting", "field"),
    [
        ({"contact_email": "nobody"}, "CONTACT_EMAIL", "contact_email"),
        ({"contact_email": "x" * 250 + "@y.zz"}, "CONTACT_EMAIL", "contact_email"),
        ({"legal_url": "legal"}, "LEGAL_URL", "legal_info_url"),
        ({"plugin_auth": "none"}, "PLUGIN_AUTH", "auth.type"),
    ],
)
def test_a_manifest_over_a_limit_stops_the_start(change: dict[str, str], setting: str, field: str) -> None:
    with pytest.raises(ManifestError, match=f"{setting} does not fit the plugin manifest: {field} "):
        create_app(Settings(service_auth_key=(SERVICE_KEY,), **change))  # type: ignore[arg-type]


def test_the_verification_token_stands_in_the_manifest() -> None:
    auth = build(Settings(service_auth_key=(SERVICE_KEY,), openai_verification_token="abc"))["auth"]
    assert auth["verification_tokens"] == {"openai": "abc"}
