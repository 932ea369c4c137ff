"""What clients sign to prove who they are, at the token endpoint and at that of revocation."""

import json
import re
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from secrets import token_urlsafe
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from starlette.testclient import TestClient

from tests.conftest import GENEROUS, SERVICE_KEY, migrated_sqlite
from tests.http_server import answering
from tests.people import CALLBACK, Client, Person
from todo.accounts import attempts, tokens
from todo.accounts.buckets import bucket_of
from todo.app import create_app
from todo.config import Settings
from todo.oauth import assertions, client_keys, fetching
from todo.oauth.metadata import SIGNING_ALGORITHMS
from todo.storage.engine import Engine

JSON = dict[str, Any]
ISSUER = "http://localhost:8000"
TOKEN_ENDPOINT = f"{ISSUER}/oauth/token"
KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RSA, OTHER_RSA = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("rsa", "other"))
with warnings.catch_warnings(action="ignore"):
    SMALL_RSA = RSAKey.generate_key(1024, {"kid": "small"})
OCT = OctKey.generate_key(256, {"kid": "oct"})
KEYS: dict[str, Key] = {
    "RS": RSA,
    "PS": RSA,
    "ES256": ECKey.generate_key("P-256", {"kid": "p-256"}),
    "ES384": ECKey.generate_key("P-384", {"kid": "p-384"}),
    "ES512": ECKey.generate_key("P-521", {"kid": "p-521"}),
    "Ed": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
}
_numbers = count(1)


def public(*some: Key) -> JSON:
    return {"keys": [key.as_dict(private=key is OCT) for key in some]}


ALL = public(*KEYS.values(), SMALL_RSA, OCT)


class Host:
    """A host with a client document and keys, which counts how often each is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.document: JSON = {}
        self.jwks: Any = public(RSA)
        self.status = 200
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append(self.path)
                self.send_response(host.status if self.path == "/jwks.json" else 200)
                self.end_headers()
                found = host.jwks if self.path == "/jwks.json" else host.document
                self.wfile.write(found if isinstance(found, bytes) else json.dumps(found).encode())

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.id = f"{origin}/client.json"
        self.jwks_uri = f"{origin}/jwks.json"
        self.publish()

    def publish(self, methods: tuple[str, ...] = ("private_key_jwt",), **changed: Any) -> None:
        document = {
            "client_id": self.id,
            "client_name": "A host",
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_methods_supported": list(methods),
            "jwks_uri": self.jwks_uri,
            **changed,
        }
        self.document = {name: value for name, value in document.items() if value is not None}

    def claims(self, **changed: Any) -> JSON:
        now = int(time.time())
        claims = {
            "iss": self.id,
            "sub": self.id,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 60,
            "jti": token_urlsafe(16),
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, key: Key = RSA, alg: str = "RS256", header: JSON | None = None, **changed: Any) -> str:
        head = {"alg": alg, "kid": key.kid, **(header or {})}
        named = {name: value for name, value in head.items() if value is not None}
        payload = json.dumps(self.claims(**changed)).encode()
        algorithm = jws.JWSRegistry.algorithms[alg]
        obj = jws.CompactSignature(named, payload)
        return jws.sign_compact(obj, algorithm, key).decode()


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    with answering(host.server):
        yield host


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return migrated_sqlite(tmp_path_factory.mktemp("assertions"))


@pytest.fixture(scope="module")
def app(database: str) -> Iterator[TestClient]:
    settings = Settings(service_auth_key=(SERVICE_KEY,), database_url=database, local_client_documents=True, **GENEROUS)
    with TestClient(create_app(settings), base_url=ISSUER, follow_redirects=False) as http:
        yield http


@pytest.fixture
def http(app: TestClient) -> TestClient:
    """A client with an address of its own, as what one makes the service fetch is limited."""
    address = (f"192.0.2.{next(_numbers)}", 50000)
    return TestClient(app.app, base_url=ISSUER, follow_redirects=False, client=address)


@pytest.fixture(scope="module")
def signed_up(app: TestClient) -> Person:
    person = Person(TestClient(app.app, base_url=ISSUER, follow_redirects=False), "someone")
    assert person.sign_up().status_code == 303
    return person


@pytest.fixture
def person(http: TestClient, signed_up: Person) -> Person:
    http.cookies.update(signed_up.browser.cookies)
    return Person(http, signed_up.username)


@pytest.fixture
def client(http: TestClient, host: Host) -> Client:
    return Client(http, host.id)


def proof(assertion: str, kind: str = KIND) -> dict[str, str]:
    return {"client_assertion_type": kind, "client_assertion": assertion}


def refusal(response: httpx.Response) -> str:
    """Returns why a client was not believed."""
    assert (response.status_code, response.json()["error"]) in ((400, "invalid_client"), (401, "invalid_client"))
    return str(response.json()["error_description"])


@pytest.mark.parametrize("alg", SIGNING_ALGORITHMS)
@pytest.mark.parametrize("at", ["jwks", "jwks_uri"])
def test_is_believed(host: Host, client: Client, person: Person, alg: str, at: str) -> None:
    host.jwks = ALL
    host.publish(**{"jwks": ALL, "jwks_uri": None} if at == "jwks" else {})
    key = KEYS.get(alg) or KEYS[alg[:2]]
    code = client.code(person)
    assert client.redeem(code, **proof(host.sign(key, alg))).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": TOKEN_ENDPOINT},
        {"aud": [ISSUER, "https://other.example"]},
        {"nbf": -5, "iat": None},
        {"header": {"kid": None}},
        {"header": {"typ": "client-authentication+jwt", "x-unknown": "is ignored"}},
        {"exp": 500},
    ],
)
def test_is_believed_too(host: Host, client: Client, person: Person, changed: JSON) -> None:
    code = client.code(person)
    changed = {name: int(time.time()) + value if isinstance(value, int) else value for name, value in changed.items()}
    assert client.redeem(code, client_id=None, **proof(host.sign(**changed))).status_code == 200


NOW = int(time.time())
WRONG: list[tuple[JSON, str]] = [
    ({"iss": "https://other.example/x"}, "iss"),
    ({"sub": "https://other.example/x"}, "iss|sub"),
    ({"iss": None}, "iss"),
    ({"sub": None}, "sub"),
    ({"aud": "https://other.example"}, "aud"),
    ({"aud": [TOKEN_ENDPOINT + "/x"]}, "aud"),
    ({"aud": None}, "aud"),
    ({"aud": 5}, "aud"),
    ({"exp": None}, "exp"),
    ({"exp": NOW - 3600}, "exp"),
    ({"exp": NOW + 86400}, "exp"),
    ({"exp": 1e300}, "exp"),
    ({"exp": "soon"}, "exp"),
    ({"exp": True}, "exp"),
    ({"nbf": NOW + 3600}, "nbf"),
    ({"iat": NOW + 3600}, "iat"),
    ({"jti": None}, "jti"),
    ({"jti": ""}, "jti"),
    ({"jti": 5}, "jti"),
    ({"key": OTHER_RSA}, "No key"),
    ({"key": OTHER_RSA, "header": {"kid": "rsa"}}, "No key"),
    ({"key": OTHER_RSA, "header": {"kid": None}}, "No key"),
    ({"key": SMALL_RSA}, "No key"),
    ({"key": OCT, "alg": "HS256"}, "one of RS256"),
    ({"key": OCT, "alg": "HS512", "header": {"kid": "rsa"}}, "one of RS256"),
    ({"key": OCT, "alg": "none"}, "one of RS256"),
    ({"key": OTHER_RSA, "header": {"jwk": OTHER_RSA.as_dict(private=False), "kid": None}}, "No key"),
    ({"header": {"crit": ["x"], "x": 1}}, "not a signed JWT"),
    ({"header": {"alg": ["RS256"]}}, "one of RS256|not a signed JWT"),
    ({"header": {"kid": 5}}, "not a signed JWT"),
    ({"header": {"b64": False, "crit": ["b64"]}}, "."),
]


@pytest.mark.parametrize(("changed", "why"), WRONG)
def test_is_not_believed(host: Host, client: Client, person: Person, changed: JSON, why: str) -> None:
    host.jwks = ALL
    code = client.code(person)
    assert re.search(why, refusal(client.redeem(code, **proof(host.sign(**changed)))))
    assert client.redeem(code, **proof(host.sign())).status_code == 200  # and nothing is lost


NO_ASSERTIONS = [
    "",
    "x",
    "a.b.c",
    "..",
    "eyJhbGciOiJSUzI1NiJ9.e30.",
    "eyJhbGciOiJSUzI1NiJ9.bnVsbA.c2ln",
    "eyJhbGciOiJSUzI1NiJ9._w.c2ln",
    "e30.e30.c2ln",
    "W10.e30.c2ln",
    "eyJhbGciOiJSUzI1NiJ9." + "W1tb" * 1900 + ".c2ln",
    "x" * 8192,
]


@pytest.mark.parametrize("assertion", NO_ASSERTIONS)
def test_what_is_no_assertion(host: Host, client: Client, person: Person, assertion: str) -> None:
    code = client.code(person)
    refusal(client.redeem(code, **proof(assertion)))
    refusal(client.redeem(code, **proof(host.sign(), "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")))
    refusal(client.redeem(code, client_assertion=host.sign()))
    assert client.redeem(code, **proof("x" * 8193)).json()["error"] == "invalid_request"


def test_works_once(host: Host, client: Client, person: Person) -> None:
    assertion = host.sign()
    code = client.code(person)
    assert client.redeem("todo_ac_wrong", **proof(assertion)).json()["error"] == "invalid_grant"
    assert "has been used" in refusal(client.redeem(code, **proof(assertion)))
    assert client.redeem(code, **proof(host.sign())).status_code == 200


def test_works_once_for_all_who_bring_it_at_once(app: TestClient, host: Host, client: Client, person: Person) -> None:
    tokens = client.redeem(client.code(person), **proof(host.sign())).json()
    assertion = host.sign()
    revoke = {"token": tokens["access_token"], **proof(assertion)}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: app.post("/oauth/revoke", data=revoke), range(16)))
    assert sorted(answer.status_code for answer in answers) == [200, *[400] * 15]


def test_who_must_sign_is_no_public_client(host: Host, client: Client, person: Person) -> None:
    code = client.code(person)
    refusal(client.redeem(code))
    given = client.redeem(code, **proof(host.sign())).json()
    refusal(client.refresh(given["refresh_token"]))
    refusal(client.http.post("/oauth/revoke", data={"client_id": host.id, "token": given["refresh_token"]}))
    assert client.refresh(given["refresh_token"], **proof(host.sign())).status_code == 200


def test_who_may_do_either_must_not_sign_wrongly(host: Host, client: Client, person: Person) -> None:
    host.publish(("none", "private_key_jwt"))
    code = client.code(person)
    refusal(client.redeem(code, **proof(host.sign(OTHER_RSA))))
    given = client.redeem(code).json()
    assert client.refresh(given["refresh_token"], **proof(host.sign())).status_code == 200


def test_needs_pkce_all_the_same(host: Host, client: Client, person: Person) -> None:
    asked = client.asks(code_challenge=None, code_challenge_method=None)
    assert person.browser.get("/oauth/authorize", params=asked).status_code == 400
    code = client.code(person)
    assert client.redeem(code, code_verifier=None, **proof(host.sign())).status_code == 400


def test_who_has_no_keys_cannot_sign(host: Host, http: TestClient, client: Client, person: Person) -> None:
    host.publish(("none",), token_endpoint_auth_method="none")
    code = client.code(person)
    refusal(client.redeem(code, **proof(host.sign())))
    registered = Client.registered(http)
    refusal(registered.redeem("x", **proof(host.sign(iss=registered.id, sub=registered.id))))
    refusal(registered.redeem("x", client_id=None, **proof(host.sign(iss="unknown", sub="unknown"))))
    refusal(registered.redeem("x", **proof(host.sign())))  # another client's


def test_unknown_documents_are_not_fetched(host: Host, client: Client) -> None:
    refusal(client.redeem("x", **proof(host.sign())))
    assert host.asked == []


def test_keys_are_kept_and_fetched_again_for_a_new_one(
    host: Host, client: Client, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = client.redeem(client.code(person), **proof(host.sign())).json()
    given = client.refresh(given["refresh_token"], **proof(host.sign())).json()
    assert host.asked.count("/jwks.json") == 1
    host.jwks = public(OTHER_RSA)
    refusal(client.refresh(given["refresh_token"], **proof(host.sign(OTHER_RSA))))  # just fetched
    assert host.asked.count("/jwks.json") == 1
    monkeypatch.setattr(client_keys, "MIN_REFETCH_SECONDS", 0)
    given = client.refresh(given["refresh_token"], **proof(host.sign(OTHER_RSA))).json()
    assert "No key" in refusal(client.refresh(given["refresh_token"], **proof(host.sign())))
    monkeypatch.setattr(client_keys, "TTL_SECONDS", -1)
    host.status = 500
    refusal(client.refresh(given["refresh_token"], **proof(host.sign())))
    assert client.refresh(given["refresh_token"], **proof(host.sign(OTHER_RSA))).status_code == 200


@pytest.mark.parametrize(
    "jwks",
    [
        b"{",
        b"[]",
        b"x" * 20000,
        {"keys": 5},
        {"keys": [5, None, {}, {"kty": 5}, {"kty": "RSA", "kid": "rsa"}]},
        {"keys": [{"kty": "RSA", "kid": "rsa", "n": "A" * 342, "e": "AQAB"}]},
        {"keys": [{"kty": "RSA", "kid": "rsa", "n": "!" * 342, "e": "AQAB"}]},
        {"keys": [{"kty": "EC", "kid": "rsa", "crv": "P-256", "x": "AQ", "y": "AQ"}]},
    ],
)
def test_what_are_no_keys(host: Host, client: Client, person: Person, jwks: Any) -> None:
    host.jwks = jwks
    code = client.code(person)
    refusal(client.redeem(code, **proof(host.sign())))
    refusal(client.redeem(code, **proof(host.sign(KEYS["ES256"], "ES256", {"kid": "rsa"}))))


def test_keys_are_fetched_with_the_care_of_documents(
    host: Host, client: Client, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.publish(jwks_uri="http://10.0.0.1/jwks.json")
    assert "could not be fetched" in refusal(client.redeem(client.code(person), **proof(host.sign())))
    monkeypatch.setattr(fetching, "MAX_CONCURRENT", 0)
    monkeypatch.setattr(fetching, "_slots", threading.BoundedSemaphore(1))
    fetching._slots.acquire()
    monkeypatch.setattr(client_keys, "_cache", client_keys.KeyCache())
    busy = client.redeem("x", **proof(host.sign()))
    assert (busy.status_code, busy.headers["content-type"]) == (429, "application/json")
    assert int(busy.headers["retry-after"]) > 0
    assert client.http.post("/oauth/token", data={"grant_type": "refresh_token"}).status_code == 401


def test_so_many_sets_of_keys_are_kept() -> None:
    sets = client_keys.KeyCache()
    for number in range(client_keys.MAX_CACHED + 10):
        sets.put(f"https://client.example/{number}", client_keys.KeySet([], 0, 0))
    assert len(sets._sets) == client_keys.MAX_CACHED
    assert f"https://client.example/{client_keys.MAX_CACHED + 9}" in sets._sets


class TestKept:
    """Used assertions in the database."""

    def use(self, engine: Engine, client_id: str, jti: str, seconds: int = 60) -> tuple[int, bool]:
        claims = {"jti": jti, "exp": time.time() + seconds}
        return engine.submit_write(assertions._mark_used, client_id, claims).result()  # type: ignore[no-any-return]

    def kept(self, engine: Engine) -> int:
        count = "SELECT COUNT(*) AS total FROM assertions"
        return int(engine.submit_read(lambda connection: connection.driver.execute(count).fetchone()["total"]).result())

    def test_are_known_until_they_expire(self, engine: Engine) -> None:
        assert self.use(engine, "one", "a") == (0, True)
        assert self.use(engine, "one", "a") == (0, False)
        assert self.use(engine, "other", "a") == (0, True)
        assert self.use(engine, "one", "b", -assertions.LEEWAY - 2) == (0, True)
        bucket = bucket_of(tokens.digest("one b"))
        after = next(f"c{n}" for n in range(1000) if bucket_of(tokens.digest(f"one c{n}")) == bucket)
        self.use(engine, "one", after)
        assert self.kept(engine) == 3

    def test_a_flood_leaves_so_many(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(assertions, "MAX_STORED", 5)
        for number in range(300):
            self.use(engine, f"client {number}", "a", 60 + number)
        assert 4 * 16 <= self.kept(engine) <= 5 * 16
        assert self.use(engine, "client 299", "a") == (0, False)

    def test_one_client_brings_only_so_many(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(attempts, "assertions", lambda client: [attempts.AttemptLimit("assertion of", client, 5)])
        used = [self.use(engine, "one", str(number)) for number in range(8)]
        assert [is_new for _, is_new in used] == [True] * 5 + [False] * 3
        assert all(wait > 0 for wait, _ in used[5:])
        assert self.kept(engine) == 5
        assert self.use(engine, "other", "a") == (0, True)
