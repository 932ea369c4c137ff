"""What the hosts are known to send, replayed: tests/fixtures/hosts/ has it, each file with its sources.

A host's client document is served from this machine, so {documents} stands for the host's own address in it.
"""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
import pytest
import yaml
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from tests import hosts
from tests.answers import check_answer
from tests.conftest import GENEROUS, SERVICE_KEY, migrated_sqlite
from tests.http_server import answering
from tests.people import Person, bearer, told
from todo.app import create_app
from todo.config import Settings
from todo.oauth import register
from todo.storage.database import open_engine

JSON = dict[str, Any]
ISSUER = "http://localhost:8000"
FIXTURES = {
    file.stem: yaml.safe_load(file.read_text(encoding="utf-8"))
    for file in sorted((Path(__file__).parents[1] / "fixtures" / "hosts").glob("*.yaml"))
}
_numbers = count(1)
SIGNING_IN = [
    pytest.param(host, asked, exchange, id=f"{host}-{asked}-{exchange}")
    for host, fixture in FIXTURES.items()
    for asked in fixture.get("authorize", ())
    for exchange, sent in fixture["token"].items()
    if sent.get("resource") != "{asked_resource}" or fixture["authorize"][asked]["resource"]
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return migrated_sqlite(tmp_path_factory.mktemp("hosts"))


@pytest.fixture(scope="module")
def service(database: str) -> Iterator[TestClient]:
    """The service as the hosts find it, but that it fetches client documents from this machine too."""
    settings = Settings(service_auth_key=(SERVICE_KEY,), database_url=database, local_client_documents=True, **GENEROUS)
    with TestClient(create_app(settings), base_url=ISSUER, follow_redirects=False) as client:
        client.event_hooks = {"response": [check_answer]}
        yield client


class Documents:
    """A web server that has what stands at the addresses of the hosts."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "cimd-1", "use": "sig", "alg": "RS256"})
        self.at: dict[str, JSON] = {"/oauth/jwks.json": {"keys": [self.key.as_dict(private=False)]}}
        documents = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(documents.at[self.path]).encode())

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"

    def assertion(self, client_id: str, audience: str) -> str:
        """Returns what the client proves itself by (RFC 7523 section 3), signed with the key that is published."""
        now = int(time.time())
        claims = {"iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + 60}
        return jwt.encode({"alg": "RS256", "kid": "cimd-1"}, {**claims, "jti": token_urlsafe(16)}, self.key)


@pytest.fixture(scope="module")
def documents() -> Iterator[Documents]:
    documents = Documents()
    with answering(documents.server):
        yield documents


def filled(node: Any, values: dict[str, str]) -> Any:
    """Returns a part of a fixture with the values in place of their names, and without what is null."""
    if isinstance(node, dict):
        return {key: filled(value, values) for key, value in node.items() if value is not None}
    if isinstance(node, list):
        return [filled(item, values) for item in node]
    for name, value in values.items():
        node = node.replace(f"{{{name}}}", value) if isinstance(node, str) else node
    return node


class Host:
    """A host that replays its fixture. `values` are what it and the service have made up so far."""

    def __init__(self, http: TestClient, fixture: JSON, documents: Documents, database: str) -> None:
        self.http = http
        self.fixture = fixture
        self.documents = documents
        self.database = database
        verifier = token_urlsafe(40)
        self.values = {
            "documents": documents.origin,
            "issuer": ISSUER,
            "mcp": f"{ISSUER}/mcp",
            "verifier": verifier,
            "challenge": create_s256_code_challenge(verifier),
        }

    def become_known(self) -> None:
        """Publishes its document, registers itself, or is registered by the operator."""
        ((way, what),) = self.fixture["known by"].items()
        getattr(self, f"_by_{way}")(filled(what, self.values))

    def _by_document(self, document: JSON) -> None:
        self.values["client_id"] = document["client_id"]
        self.documents.at[document["client_id"].removeprefix(self.documents.origin)] = document

    def _by_registration(self, metadata: JSON) -> None:
        answer = self.http.post("/oauth/register", json=metadata)
        assert answer.status_code == 201, answer.text
        known = answer.json()
        assert set(known["redirect_uris"]) == set(metadata["redirect_uris"])
        self.values["client_id"] = known["client_id"]

    def _by_operator(self, redirect_uris: list[str]) -> None:
        engine = open_engine(self.database)
        engine.start()
        try:
            known = engine.submit_write(register.register_by_operator, "A GPT", redirect_uris).result()
        finally:
            engine.stop()
        self.values["client_id"], self.values["client_secret"] = known

    def lead(self, person: Person, asked: str) -> None:
        """Leads the person to the consent page, and takes the code."""
        sent = filled(self.fixture["authorize"][asked], self.values)
        self.values |= {f"asked_{name}": sent[name] for name in ("redirect_uri", "resource") if name in sent}
        response = person.decide(sent)
        assert response.headers["location"].startswith(sent["redirect_uri"])
        back = told(response)
        assert back["state"] == sent["state"]
        assert back["iss"] == ISSUER
        self.values["code"] = back["code"]

    def exchange(self, sent: JSON, *, as_json: bool) -> str:
        """Returns the access token that it gets for a code or a refresh token."""
        client_id = self.values["client_id"]
        proofs = {
            "assertion_for_issuer": self.documents.assertion(client_id, ISSUER),
            "assertion_for_token_endpoint": self.documents.assertion(client_id, f"{ISSUER}/oauth/token"),
        }
        body = filled(sent, self.values | proofs)
        answer = self.http.post("/oauth/token", **({"json": body} if as_json else {"data": body}))
        assert answer.status_code == 200, answer.text
        given = answer.json()
        assert given["token_type"].lower() == "bearer"
        assert given["expires_in"] > 0
        self.values["refresh_token"] = given["refresh_token"]
        return str(given["access_token"])


@pytest.mark.parametrize(("name", "asked", "exchange"), SIGNING_IN)
def test_gets_in(
    service: TestClient, documents: Documents, database: str, name: str, asked: str, exchange: str
) -> None:
    fixture, number = FIXTURES[name], next(_numbers)
    # Everybody has an address of their own, as what comes from one is limited.
    address = (f"192.0.2.{number}", 50000)
    browser = TestClient(service.app, base_url=ISSUER, follow_redirects=False, client=address)
    person = Person(browser, f"guest{number}")
    assert person.sign_up().status_code == 303
    host = Host(browser, fixture, documents, database)
    host.become_known()
    host.lead(person, asked)
    token = host.exchange(fixture["token"][exchange], as_json="JSON" in exchange)
    assert fixture["host"] in browser.get("/account").text or "operator" in fixture["known by"]
    assert acts(service, token)
    proof = {key: value for key, value in fixture["token"][exchange].items() if key.startswith("client_assertion")}
    refreshed = host.exchange({**fixture["refresh"], **proof}, as_json="JSON" in exchange)
    assert refreshed != token
    assert acts(service, refreshed)


def acts(service: TestClient, token: str) -> bool:
    """Whether the token is good for both ways to a list."""
    by_http = service.post("/todos/me", json={"todo": "x"}, headers=bearer(token))
    by_mcp = hosts.send(service, "tools/list", **bearer(token))
    return by_http.status_code == 201 and bool(by_mcp.json()["result"]["tools"])


@pytest.mark.parametrize("name", [name for name, fixture in FIXTURES.items() if "requests" in fixture])
def test_is_answered(service: TestClient, name: str) -> None:
    for sent in filled(FIXTURES[name]["requests"], {"service_key": SERVICE_KEY}):
        expected = sent.pop("expect")
        answer: httpx.Response = service.request(sent.pop("method"), sent.pop("path"), **sent)
        assert answer.status_code == expected, answer.text


def test_each_names_its_sources() -> None:
    assert len(FIXTURES) >= 10
    for fixture in FIXTURES.values():
        assert fixture["host"]
        assert fixture["sources"]
        assert all("https://" in source or source.startswith("RFC") for source in fixture["sources"])
