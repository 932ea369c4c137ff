"""Who may do what, for every operation of both contracts: with every kind of token or session, by every method.

Nothing here is written by operation: one that is added to the contract is tried like the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import httpx
import pytest
import time_machine
from starlette.testclient import TestClient

from tests.answers import check_answer
from tests.conftest import AUTHORIZATION, GENEROUS, OTHER_KEY, SERVICE_KEY, migrated_sqlite
from tests.paths import path_of
from tests.people import PASSWORD, Client, Person, bearer
from todo import accounts
from todo.app import create_app
from todo.config import Settings
from todo.contract import API, SITE, Operation
from todo.contract.schemas import find_errors
from todo.errors import StorageUnavailable

PUBLIC_URL = "http://localhost:8000"


@dataclass
class Tokens:
    """One of each kind, and what a call with it is answered: a status and, for a refusal, its code."""

    app: TestClient
    headers: dict[str, dict[str, str]]
    expired_session: str


def own_scope(operation: Operation) -> str:
    (scopes,) = [scheme["oauth"] for scheme in operation.spec["security"] if "oauth" in scheme]
    (scope,) = scopes
    return str(scope)


REFUSED = {
    "no token": (401, "unauthorized"),
    "bad": (401, "invalid_token"),
    "bad of our form": (401, "invalid_token"),
    "expired": (401, "invalid_token"),
    "revoked": (401, "invalid_token"),
    "disconnected": (401, "invalid_token"),
    "another audience": (401, "invalid_token"),
    "refresh token": (401, "invalid_token"),
    "wrong scope": (403, "insufficient_scope"),
    "another user's": (403, "not_your_list"),
}


@pytest.fixture(scope="module", params=["compiled", "connexion"])
def tokens(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tokens]:
    """A service on each engine, with kevin and somebody else, and tokens of all kinds."""
    url = migrated_sqlite(tmp_path_factory.mktemp("who"))
    settings = {"service_auth_key": (SERVICE_KEY, OTHER_KEY), "database_url": url, **GENEROUS}
    elsewhere = create_app(Settings(**settings, public_url="https://other.example"))
    with (
        TestClient(create_app(Settings(**settings), dispatcher=request.param), base_url=PUBLIC_URL) as app,
        TestClient(elsewhere, base_url="https://other.example") as other_app,
    ):
        for client in (app, other_app):
            client.follow_redirects = False
        numbers = count(1)

        def person(app: TestClient, username: str) -> Person:
            address = (f"10.0.0.{next(numbers)}", 1)
            browser = TestClient(app.app, base_url=app.base_url, follow_redirects=False, client=address)
            return Person(browser, username)

        kevin, anna = person(app, "kevin"), person(app, "anna")
        assert (kevin.sign_up().status_code, anna.sign_up().status_code) == (303, 303)
        kevin_elsewhere = person(other_app, "kevin")
        assert kevin_elsewhere.sign_in(PASSWORD).status_code == 303
        client = Client.registered(kevin.browser)
        with time_machine.travel("2026-11-20T00:00:00Z"):
            visitor = person(app, "kevin")
            visitor.sign_in()
            expired = client.connect(visitor)
        revoked, disconnected, whole = (client.connect(kevin) for _ in range(3))
        app.post("/oauth/revoke", data={"client_id": client.id, "token": revoked["access_token"]})
        app.post("/oauth/revoke", data={"client_id": client.id, "token": disconnected["refresh_token"]})
        of_another = Client.registered(kevin_elsewhere.browser).connect(kevin_elsewhere)
        app.event_hooks = {"response": [check_answer]}
        yield Tokens(
            app,
            {
                "no token": {},
                "bad": bearer("nonsense"),
                "bad of our form": bearer("todo_at_" + "x" * 43),
                "expired": bearer(expired["access_token"]),
                "revoked": bearer(revoked["access_token"]),
                "disconnected": bearer(disconnected["access_token"]),
                "another audience": bearer(of_another["access_token"]),
                "refresh token": bearer(whole["refresh_token"]),
                "another user's": bearer(client.connect(anna)["access_token"]),
                "todos:read": bearer(client.connect(kevin, scope="todos:read")["access_token"]),
                "todos:write": bearer(client.connect(kevin, scope="todos:write")["access_token"]),
                "mcp": bearer(client.connect(kevin, resource=f"{PUBLIC_URL}/mcp")["access_token"]),
                "service key": AUTHORIZATION,
                "next service key": bearer(OTHER_KEY),
            },
            expired_session=visitor.browser.cookies["session"],
        )


def body_of(operation: Operation) -> object:
    """Returns the body that the contract itself has for an example."""
    content = operation.spec.get("requestBody", {}).get("content", {})
    return API.resolve(content["application/json"]["schema"])["example"] if content else None


def ask(tokens: Tokens, kind: str, operation: Operation, method: str, path: str) -> httpx.Response:
    wrong = [scope for scope in API.scopes if scope != own_scope(operation)]
    headers = tokens.headers[wrong[0] if kind == "wrong scope" else kind]
    body = body_of(operation) if method == operation.method else None
    required = [parameter for parameter in API.parameters(operation, "query") if parameter.get("required")]
    query = {parameter["name"]: parameter["example"] for parameter in required}
    return tokens.app.request(method, path, headers=headers, json=body, params=query)


each_operation = pytest.mark.parametrize("operation", API.operations, ids=lambda operation: operation.id)


@each_operation
@pytest.mark.parametrize("kind", REFUSED)
def test_refused(tokens: Tokens, operation: Operation, kind: str) -> None:
    status, code = REFUSED[kind]
    for username in ("kevin", "KEVIN") if kind == "another user's" else ("kevin", "me"):
        response = ask(tokens, kind, operation, operation.method, path_of(operation, username))
        assert (response.status_code, response.json()["code"]) == (status, code)
        challenge = response.headers["www-authenticate"]
        metadata = f'resource_metadata="{PUBLIC_URL}/.well-known/oauth-protected-resource"'
        assert challenge.startswith("Bearer ")
        assert metadata in challenge
        errors = {"invalid_token", "insufficient_scope"} & {code}
        assert [f'error="{error}"' in challenge for error in ("invalid_token", "insufficient_scope")] == [
            error in errors for error in ("invalid_token", "insufficient_scope")
        ]
        assert own_scope(operation) in challenge.partition('scope="')[2]


@each_operation
def test_refused_by_reading_methods_too(tokens: Tokens, operation: Operation) -> None:
    path = path_of(operation)
    at_path = {other.method: other for other in API.operations if other.path == operation.path}
    for kind, (status, _) in REFUSED.items():
        for method in ("GET", "HEAD"):
            response = ask(tokens, kind, at_path.get("GET", operation), method, path)
            # Where nothing is to be read, that is all there is to say.
            assert response.status_code == (status if "GET" in at_path else 405), kind
            assert method == "GET" or response.content == b""


@each_operation
@pytest.mark.parametrize("change", ["double slash", "double slash inside", "encoded slash", "trailing slash"])
def test_odd_addresses_are_nobodys(tokens: Tokens, operation: Operation, change: str) -> None:
    path = path_of(operation)
    changed = {
        "double slash": f"/{path}",
        "double slash inside": path.replace("/kevin", "//kevin"),
        "encoded slash": path.replace("/kevin", "%2Fkevin"),
        "trailing slash": f"{path}/",
    }[change]
    for kind, headers in tokens.headers.items():
        for method in {"GET", "HEAD", operation.method}:
            sent = tokens.app.build_request(method, PUBLIC_URL, headers=headers)
            sent.url = httpx.URL(PUBLIC_URL).copy_with(raw_path=changed.encode())
            assert tokens.app.send(sent).status_code == 404, kind


@each_operation
@pytest.mark.parametrize("kind", ["own", "mcp", "service key", "next service key"])
def test_allowed(tokens: Tokens, operation: Operation, kind: str) -> None:
    names = ("kevin",) if "key" in kind else ("me", "ME", "kevin", "Kevin")
    kind = own_scope(operation) if kind == "own" else kind
    for username in names:
        response = ask(tokens, kind, operation, operation.method, path_of(operation, username))
        # What there is to act on differs from one to the next: what matters is that nobody is turned away.
        assert response.status_code in (200, 201, 404, 409), response.text


@each_operation
def test_me_is_nobody_for_the_service_key(tokens: Tokens, operation: Operation) -> None:
    response = ask(tokens, "service key", operation, operation.method, path_of(operation, "me"))
    assert (response.status_code, response.json()["code"]) == (400, "me_needs_user")


def test_every_operation_names_both_schemes_and_one_scope_by_its_method() -> None:
    for operation in API.operations:
        assert [next(iter(scheme)) for scheme in operation.spec["security"]] == ["oauth", "service_key"]
        assert own_scope(operation) == ("todos:read" if operation.method == "GET" else "todos:write")
        assert own_scope(operation) in API.scopes


@each_operation
def test_a_database_that_fails_costs_nobody_their_token(
    tokens: Tokens, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable

    # A 401 would make a host throw the token away.
    monkeypatch.setattr(accounts.bearer, "_access_token", fail)
    response = ask(tokens, own_scope(operation), operation, operation.method, path_of(operation))
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")


def test_the_log_names_the_assistant(tokens: Tokens) -> None:
    tokens.app.post("/todos/me", json={"todo": "x"}, headers=tokens.headers["todos:write"]).raise_for_status()
    changes = tokens.app.get("/todos/me/changes?limit=1", headers=tokens.headers["todos:read"]).json()["changes"]
    assert (changes[0]["actor"], changes[0]["client"]) == ("assistant", "An assistant without a name")


SESSION: list[object] = [{"session": []}]
NEED_A_SESSION = [operation for operation in SITE.operations if operation.spec["security"] == SESSION]
PAGES_FOR_ALL = [o for o in SITE.operations if o.method == "GET" and o not in NEED_A_SESSION and "{" not in o.path]


@pytest.mark.parametrize("session", ["none", "of another browser", "unknown", "expired"])
@pytest.mark.parametrize("operation", NEED_A_SESSION, ids=lambda operation: operation.id)
def test_without_a_session_pages_redirect_to_sign_in(tokens: Tokens, operation: Operation, session: str) -> None:
    cookie = {"none": "", "of another browser": "x" * 43, "unknown": "todo_se_" + "x" * 43}
    headers = {"Cookie": f"session={cookie.get(session, tokens.expired_session)}"}
    # What else is wrong with the request is not said to who is signed out.
    for query in ("", "?unknown=x"):
        response = tokens.app.request(operation.method, f"{operation.path}{query}", headers=headers, content=b"")
        assert response.status_code == 303
        location = httpx.URL(response.headers["location"])
        assert location.path == "/sign-in"
        assert find_errors(SITE.schema("Next"), location.params["next"]) == []
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize("operation", PAGES_FOR_ALL, ids=lambda operation: operation.id)
def test_other_pages_need_no_session(tokens: Tokens, operation: Operation) -> None:
    response = tokens.app.get(operation.path)
    expected = {"get_consent": {400}, "get_login": {308}, "get_signup": {308}}
    assert response.status_code in expected.get(operation.id, {200, 204})


def test_all_pages_of_a_person_need_a_session() -> None:
    personal = {"/list", "/lists", "/trash", "/history", "/account"}
    paths = {o.path for o in SITE.operations if "/" + o.path.split("/")[1] in personal}
    assert paths | {"/calendar"} == {  # under which are the secret addresses of feeds, too
        o.path for o in NEED_A_SESSION if o.id != "decide_consent"
    }
