"""Clients written by others, and hosts as their documents say, connect a person's list to a running service."""

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import httpx2
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from requests_oauthlib import OAuth2Session

from tests.e2e.processes import ROOT, Child, migrated, serving
from tests.http_server import answering
from tests.people import Client, Person, bearer, told
from todo.contract import SITE

pytestmark = pytest.mark.slow

SCOPES = "todos:read todos:write"
_numbers = count(1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """The service with two workers, so that what one of them keeps the other must know."""
    folder = tmp_path_factory.mktemp("oauth")
    environ = migrated(folder, WEB_CONCURRENCY="2", PLUGIN_AUTH="oauth", LOCAL_CLIENT_DOCUMENTS="1")
    with serving(environ) as child:
        yield child


@pytest.fixture
def person(service: Child) -> Iterator[Person]:
    with httpx.Client(base_url=service.url, trust_env=False) as browser:
        somebody = Person(browser, f"person{next(_numbers)}")
        assert somebody.sign_up().status_code == 303
        yield somebody


def allow(person: Person, address: str) -> str:
    """Opens the address that a client leads to, allows it, and returns where that leads."""
    asked = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
    assert urlsplit(address).path == "/oauth/authorize"
    return person.decide(asked).headers["location"]


def operators_client(service: Child, redirect: str) -> dict[str, str]:
    """Returns what the operator's command prints, by its labels."""
    command = [sys.executable, "-m", "todo.cli", "client", "My GPT", redirect]
    printed = subprocess.run(command, env=service.environ, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"^  ([A-Z][A-Za-z ]+?) {2,}(.+)$", printed, re.MULTILINE))


def test_authlib(service: Child, person: Person) -> None:
    registered = Client.registered(person.browser, "http://127.0.0.1/callback", method="client_secret_basic")
    with OAuth2Client(
        registered.id,
        registered.secret,
        scope=SCOPES,
        redirect_uri="http://127.0.0.1:49152/callback",
        code_challenge_method="S256",
        trust_env=False,
    ) as client:
        metadata = person.browser.get("/.well-known/oauth-authorization-server").json()
        verifier = registered.verifier
        address, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
        back = allow(person, address)
        token = client.fetch_token(
            metadata["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state
        )
        assert token["scope"] == SCOPES
        assert client.get(f"{service.url}/todos/me").json()["total"] == 0
        client.refresh_token(metadata["token_endpoint"])
        assert client.post(f"{service.url}/todos/me", json={"todo": "by Authlib"}).status_code == 201
        assert (
            client.revoke_token(metadata["revocation_endpoint"], token=client.token["refresh_token"]).status_code == 200
        )
        assert client.get(f"{service.url}/todos/me").status_code == 401


def test_requests_oauthlib(service: Child, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # it does not know that loopback needs no TLS
    registered = Client.registered(person.browser, "http://127.0.0.1/callback", method="client_secret_post")
    redirect = "http://127.0.0.1:49152/callback"
    with OAuth2Session(registered.id, redirect_uri=redirect, scope=SCOPES.split(), pkce="S256") as client:
        client.trust_env = False
        address, _ = client.authorization_url(f"{service.url}/oauth/authorize")
        client.fetch_token(
            f"{service.url}/oauth/token",
            authorization_response=allow(person, address),
            client_secret=registered.secret,
            include_client_id=True,
        )
        assert client.post(f"{service.url}/todos/me", json={"todo": "by requests"}).status_code == 201
        sent = {"client_id": registered.id, "client_secret": registered.secret}
        client.refresh_token(f"{service.url}/oauth/token", **sent)
        assert client.get(f"{service.url}/todos/me").json()["total"] == 1


class Storage:
    """Where the provider of the package mcp keeps what it got."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def provider_for(service: Child, person: Person, storage: Storage, redirect: str) -> OAuthClientProvider:
    backs: list[str] = []

    async def lead(address: str) -> None:
        backs.append(await asyncio.to_thread(allow, person, address))

    async def come_back() -> AuthorizationCodeResult:
        answer = {name: value for name, (value,) in parse_qs(urlsplit(backs.pop()).query).items()}
        return AuthorizationCodeResult(code=answer["code"], state=answer["state"], iss=answer["iss"])

    metadata = OAuthClientMetadata(client_name="An MCP client", redirect_uris=[redirect], scope=None)
    return OAuthClientProvider(f"{service.url}/todos/me", metadata, storage, lead, come_back)


def call(service: Child, provider: OAuthClientProvider) -> int:
    async def calls() -> int:
        async with httpx2.AsyncClient(auth=provider, base_url=service.url, trust_env=False) as client:
            added = await client.post("/todos/me", json={"todo": f"Number {next(_numbers)}"})
            assert added.status_code == 201, added.text
            return int((await client.get("/todos/me")).json()["total"])

    return asyncio.run(calls())


def test_mcp_with_dynamic_registration(service: Child, person: Person) -> None:
    storage = Storage()
    assert call(service, provider_for(service, person, storage, "http://127.0.0.1:49152/callback")) == 1
    assert storage.client
    assert storage.tokens
    assert storage.tokens.scope == SCOPES
    # Another run of the program goes on with what it has.
    assert call(service, provider_for(service, person, storage, "http://127.0.0.1:49152/callback")) == 2


@pytest.fixture
def document_address() -> Iterator[str]:
    """The address of a client id metadata document on this machine."""

    class Document(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            port = self.server.server_address[1]
            document = {
                "client_id": f"http://127.0.0.1:{port}/client.json",
                "client_name": "A documented client",
                "redirect_uris": ["http://127.0.0.1/callback"],
                "token_endpoint_auth_method": "none",
            }
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with answering(ThreadingHTTPServer(("127.0.0.1", 0), Document)) as url:
        yield f"{url}/client.json"


def test_mcp_with_a_client_id_document(service: Child, person: Person, document_address: str) -> None:
    storage = Storage()
    provider = provider_for(service, person, storage, "http://127.0.0.1:49152/callback")
    provider.context.client_metadata_url = document_address  # its constructor takes https alone
    assert call(service, provider) == 1
    assert storage.client
    assert storage.client.client_id == document_address
    assert "A documented client" in person.browser.get("/account").text


@pytest.mark.parametrize("sends", ["JSON", "a form"])
def test_gpt_action(service: Child, person: Person, sends: str) -> None:
    given = operators_client(service, "chatgpt-action")
    callback = "https://chat.openai.com/aip/g-0123456789abcdef/oauth/callback"
    asked = {
        "response_type": "code",
        "client_id": given["Client ID"],
        "redirect_uri": callback,
        "scope": given["Scope"],
        "state": "a state",
    }
    back = told(person.decide(asked))
    assert back["state"] == "a state"
    sent = {
        "grant_type": "authorization_code",
        "client_id": given["Client ID"],
        "client_secret": given["Client secret"],
        "code": back["code"],
        "redirect_uri": callback,
    }
    with httpx.Client(trust_env=False) as host:
        body = {"json": sent} if sends == "JSON" else {"data": sent}
        answer = host.post(given["Token URL"], **body).raise_for_status().json()
        assert answer.keys() >= {"access_token", "token_type", "refresh_token", "expires_in"}
        assert answer["token_type"].lower() == "bearer"
        headers = bearer(answer["access_token"])
        host.post(f"{service.url}/todos/me", json={"todo": "x"}, headers=headers).raise_for_status()
        refresh = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}
        secret = {"client_id": given["Client ID"], "client_secret": given["Client secret"]}
        again = host.post(given["Token URL"], data={**refresh, **secret}).raise_for_status().json()
        assert again["expires_in"] == 3600


def test_plugin(service: Child, person: Person) -> None:
    given = operators_client(service, "https://plugins.example/aip/plugin-1/oauth/callback")
    with httpx.Client(trust_env=False) as host:
        auth = host.get(f"{service.url}/.well-known/ai-plugin.json").json()["auth"]
        asked = {
            "response_type": "code",
            "client_id": given["Client ID"],
            "redirect_uri": "https://plugins.example/aip/plugin-1/oauth/callback",
            "scope": auth["scope"],
            "state": "a state",
        }
        assert auth["client_url"] == given["Authorization URL"]
        code = told(person.decide(asked))["code"]
        sent = {
            "grant_type": "authorization_code",
            "client_id": given["Client ID"],
            "client_secret": given["Client secret"],
            "code": code,
            "redirect_uri": asked["redirect_uri"],
        }
        headers = {"Content-Type": auth["authorization_content_type"]}
        token = (
            host.post(auth["authorization_url"], content=json.dumps(sent), headers=headers).raise_for_status().json()
        )
        contract = host.get(host.get(f"{service.url}/.well-known/ai-plugin.json").json()["api"]["url"])
        assert f"tokenUrl: {auth['authorization_url']}" in contract.text
        answer = host.get(f"{service.url}/todos/me", headers=bearer(token["access_token"]))
        assert answer.json()["total"] == 0


def test_fifty_workers_ends_redeem_one_code_once(service: Child, person: Person) -> None:
    client = Client.registered(person.browser, "http://127.0.0.1/callback")
    code = client.code(person)
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(base_url=service.url, trust_env=False, limits=limits, timeout=30) as http:
        client.http = http
        with ThreadPoolExecutor(50) as together:
            answers = list(together.map(lambda _: client.redeem(code), range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 49
    (given,) = [answer.json() for answer in answers if answer.status_code == 200]
    # The others were replays: what the first gave is no longer good, in either worker.
    for _ in range(8):
        with httpx.Client(base_url=service.url, trust_env=False) as http:
            assert http.get("/todos/me", headers=bearer(given["access_token"])).status_code == 401


def test_fifty_refreshes_at_once_leave_one_family(service: Child, person: Person) -> None:
    client = Client.registered(person.browser, "http://127.0.0.1/callback")
    old = client.connect(person)["refresh_token"]
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(base_url=service.url, trust_env=False, limits=limits, timeout=30) as http:
        client.http = http
        with ThreadPoolExecutor(50) as together:
            answers = [answer.raise_for_status().json() for answer in together.map(client.refresh, [old] * 50)]
        (given,) = {(answer["access_token"], answer["refresh_token"]) for answer in answers}
        assert http.get("/todos/me", headers=bearer(given[0])).status_code == 200
        assert client.refresh(given[1]).status_code == 200


def test_disconnecting_is_known_to_both_workers_at_once(service: Child, person: Person) -> None:
    token = Client.registered(person.browser, "http://127.0.0.1/callback").connect(person)["access_token"]
    clients = [httpx.Client(base_url=service.url, trust_env=False, headers=bearer(token)) for _ in range(8)]
    assert {client.get("/todos/me").status_code for client in clients} == {200}
    person.send("/account/disconnect", grant_id=person.grant_id())
    assert {client.get("/todos/me").status_code for client in clients} == {401}
    for client in clients:
        client.close()


def test_claiming_by_the_operators_command(service: Child, tmp_path: Path) -> None:
    username = f"person{next(_numbers)}"
    key = bearer(service.environ["SERVICE_AUTH_KEY"])
    with httpx.Client(base_url=service.url, trust_env=False) as browser:
        browser.post(f"/todos/{username}", json={"todo": "x"}, headers=key).raise_for_status()
        command = [sys.executable, "-m", "todo.cli", "claim", username]
        printed = subprocess.run(
            command, env=service.environ, cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        (code,) = re.findall(r"todo_cl_[A-Za-z0-9_-]{43}", printed)
        person = Person(browser, username)
        assert person.sign_up().status_code == 409
        assert person.sign_up(claim_code=code).status_code == 303


def test_who_forges_where_it_calls_from_is_counted_all_the_same(service: Child) -> None:
    with httpx.Client(base_url=service.url, trust_env=False) as browser:
        fields = {"csrf_token": Person(browser, "x").csrf_token(), "password": "not the password at all"}
        for number in range(SITE.limit("sign_ins_per_address") + 1):
            headers = {"X-Forwarded-For": f"10.9.8.{number}"}
            last = browser.post("/sign-in", data={**fields, "username": f"nobody{number}"}, headers=headers)
        assert last.status_code == 429


@pytest.fixture
def stalling_address() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_documents_that_stall_hold_nobody_up(tmp_path: Path, stalling_address: str) -> None:
    with (
        serving(migrated(tmp_path, WEB_CONCURRENCY="1", PLUGIN_AUTH="oauth", LOCAL_CLIENT_DOCUMENTS="1")) as service,
        httpx.Client(base_url=service.url, trust_env=False) as browser,
        ThreadPoolExecutor(20) as people,
    ):
        assert Person(browser, "kevin").sign_up().status_code == 303
        cookies = dict(browser.cookies)

        def ask(number: int) -> int:
            asked = {
                "response_type": "code",
                "client_id": f"{stalling_address}{number}",
                "redirect_uri": "http://[::1]/",
            }
            signed_in = cookies if number % 2 else None
            address = f"{service.url}/oauth/authorize"
            return httpx.get(address, params=asked, cookies=signed_in, trust_env=False, timeout=60).status_code

        asking = [people.submit(ask, number) for number in range(20)]
        for _ in range(10):
            time.sleep(0.1)
            for path in ("/healthz", "/openapi.json"):
                start = time.monotonic()
                assert httpx.get(f"{service.url}{path}", trust_env=False, timeout=30).status_code == 200
                assert time.monotonic() - start < 1
        answers = Counter(answer.result() for answer in asking)
    assert answers == {303: 10, 429: 7, 400: 3}
