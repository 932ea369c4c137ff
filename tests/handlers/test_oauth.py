"""The authorization server: what it gives, and all that it refuses."""

import base64
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import time_machine
from authlib.oauth2 import rfc8414, rfc9207
from starlette.testclient import TestClient

from tests.conftest import SERVICE_KEY, migrated_sqlite
from tests.people import CALLBACK, PASSWORD, Client, Person, bearer, field, soup, told
from todo.app import create_app
from todo.config import Settings
from todo.contract import API, SITE
from todo.oauth import register
from todo.storage.database import open_engine

pytestmark = pytest.mark.slow_on_postgresql

NewBrowser = Callable[[], TestClient]
ISSUER = "http://localhost:8000"


@pytest.fixture
def http(new_browser: NewBrowser) -> TestClient:
    return new_browser()


@pytest.fixture
def public(http: TestClient) -> Client:
    return Client.registered(http, client_name="Helper")


@pytest.fixture
def confidential(http: TestClient, database_url: str) -> Client:
    """A client of the operator's, as for the plugin and for GPT Actions."""
    engine = open_engine(database_url)
    engine.start()
    try:
        client_id, secret = engine.submit_write(register.register_by_operator, "My GPT", [CALLBACK]).result()
    finally:
        engine.stop()
    return Client(http, client_id, secret)


def error_of(response: httpx.Response) -> str:
    assert response.status_code in (400, 401), response.text
    assert response.headers["cache-control"] == "no-store"
    return str(response.json()["error"])


class TestMetadata:
    def test_server_is_as_its_standards_say(self, http: TestClient) -> None:
        found = http.get("/.well-known/oauth-authorization-server").json()
        metadata = rfc8414.AuthorizationServerMetadata({**found, "issuer": "https://x.example"})
        for name, value in metadata.items():
            if isinstance(value, str):
                metadata[name] = value.replace("http://localhost:8000", "https://x.example")
        metadata.validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])
        assert found["issuer"] == ISSUER
        assert found["code_challenge_methods_supported"] == ["S256"]
        assert "none" in found["token_endpoint_auth_methods_supported"]
        assert found["authorization_response_iss_parameter_supported"] is True
        assert found["client_id_metadata_document_supported"] is True

    def test_every_address_of_it_is_one_of_the_contract(self, http: TestClient) -> None:
        paths = {operation.path for operation in SITE.operations}
        found = http.get("/.well-known/oauth-authorization-server").json()
        assert {urlsplit(url).path for url in found.values() if str(url).startswith(ISSUER + "/")} <= paths

    @pytest.mark.parametrize(("path", "resource"), [("", ISSUER), ("/mcp", f"{ISSUER}/mcp")])
    def test_resources_name_the_server(self, http: TestClient, path: str, resource: str) -> None:
        found = http.get(f"/.well-known/oauth-protected-resource{path}").json()
        assert (found["resource"], found["authorization_servers"]) == (resource, [ISSUER])
        assert found["scopes_supported"] == list(API.scopes)

    def test_a_refused_call_leads_there(self, http: TestClient) -> None:
        challenge = http.get("/todos/me").headers["www-authenticate"]
        url = challenge.partition('resource_metadata="')[2].partition('"')[0]
        assert http.get(urlsplit(url).path).json()["resource"] == ISSUER

    def test_there_is_no_openid_configuration(self, http: TestClient) -> None:
        assert http.get("/.well-known/openid-configuration").status_code == 404

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/.well-known/oauth-authorization-server"),
            ("GET", "/.well-known/oauth-protected-resource/mcp"),
            ("POST", "/oauth/token"),
            ("POST", "/oauth/register"),
            ("POST", "/oauth/revoke"),
        ],
    )
    def test_any_web_page_may_call_what_needs_no_cookie(self, http: TestClient, method: str, path: str) -> None:
        asked = {"Origin": "http://localhost:6274", "Access-Control-Request-Method": method}
        answer = http.options(path, headers=asked)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
        assert "access-control-allow-credentials" not in answer.headers

    @pytest.mark.parametrize("path", ["/oauth/authorize", "/account", "/sign-in"])
    def test_no_other_web_page_may_call_the_rest(self, http: TestClient, path: str) -> None:
        asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        assert http.options(path, headers=asked).status_code == 403


class TestConsent:
    def test_says_who_asks_for_what_in_plain_words(self, person: Person, http: TestClient) -> None:
        client = Client.registered(http, "https://app.example/callback", client_name="<i>Helper</i>")
        page = soup(person.browser.get("/oauth/authorize", params=client.asks(scope="todos:read")))
        text = page.get_text()
        assert "The assistant “<i>Helper</i>”, at app.example," in " ".join(text.split())
        assert [tag.text for tag in page.select("bdi")][:2] == ["<i>Helper</i>", "app.example"]
        assert API.scopes["todos:read"] in text
        assert API.scopes["todos:write"] not in text

    def test_leads_back_with_code_state_and_issuer(self, person: Person, public: Client) -> None:
        location = person.decide(public.asks(state='a "state" of <many> kinds & more')).headers["location"]
        assert location.startswith(f"{CALLBACK}?")
        answer = {name: value for name, (value,) in parse_qs(urlsplit(location).query).items()}
        assert answer.keys() == {"code", "state", "iss"}
        assert (answer["state"], answer["iss"]) == ('a "state" of <many> kinds & more', ISSUER)

    @pytest.mark.parametrize("character", ["x", "%"])
    def test_leads_back_with_a_long_state(self, new_browser: NewBrowser, person: Person, character: str) -> None:
        state = character * 4096
        client = Client.registered(person.browser)
        assert told(person.decide(client.asks(state=state)))["state"] == state
        # It passes the page where people sign in.
        led = new_browser().get("/oauth/authorize", params=client.asks(state=state))
        page = person.browser.get(led.headers["location"], follow_redirects=False)
        assert page.status_code in (200, 303)
        assert person.browser.get("/oauth/authorize", params=client.asks(state=f"{state}x")).status_code == 400

    def test_of_a_callback_with_a_query_the_query_stays(self, person: Person, http: TestClient) -> None:
        client = Client.registered(http, "https://app.example/callback?a=1")
        assert told(person.decide(client.asks()))["a"] == "1"

    def test_scopes_of_others_alone_are_as_good_as_none(self, person: Person, public: Client) -> None:
        text = soup(person.browser.get("/oauth/authorize", params=public.asks(scope="claudeai"))).get_text()
        assert all(meaning in text for meaning in API.scopes.values())
        assert public.connect(person, scope="claudeai")["scope"] == "todos:read todos:write"

    @pytest.mark.parametrize("uri", ["cursor://anysphere.cursor-mcp/oauth/callback", "vscode:/x?y=z", "windsurf:x"])
    def test_leads_back_to_an_app(self, person: Person, http: TestClient, uri: str) -> None:
        client = Client.registered(http, uri)
        page = person.browser.get("/oauth/authorize", params=client.asks())
        scheme = uri.partition(":")[0]
        assert page.headers["content-security-policy"].endswith(f"form-action 'self' {scheme}:")
        assert f"an app on this device ({scheme}:)" in page.text
        for decision, told_of in (("allow", "code"), ("deny", "error")):
            response = person.decide(client.asks(), decision)
            assert response.headers["location"].startswith(uri)
            assert told_of in told(response)
        assert client.connect(person)["token_type"] == "Bearer"

    def test_needs_pkce_to_lead_back_to_an_app(self, person: Person, http: TestClient) -> None:
        client = Client.registered(http, "cursor://callback", CALLBACK, method="client_secret_post")
        unsafe = {"code_challenge": None, "code_challenge_method": None}
        assert person.browser.get("/oauth/authorize", params=client.asks(**unsafe)).status_code == 400
        assert "code" in told(person.decide(client.asks()))
        assert "code" in told(person.decide(client.asks(redirect_uri=CALLBACK, **unsafe)))

    def test_declining_leads_back_too(self, person: Person, public: Client) -> None:
        answer = told(person.decide(public.asks(), "deny"))
        assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "a state", ISSUER)
        assert "code" not in answer

    def test_signing_up_and_in_are_on_the_way(self, new_browser: NewBrowser, public: Client, name: str) -> None:
        browser = new_browser()
        asked = public.asks()
        to_sign_in = browser.get("/oauth/authorize", params=asked).headers["location"]
        assert to_sign_in.startswith("/sign-in?next=%2Foauth%2Fauthorize%3F")
        to_sign_up = soup(browser.get(to_sign_in)).select_one("a[href^='/sign-up']")["href"]
        assert to_sign_up.startswith("/sign-up?next=/oauth/authorize%3F")
        following = field(browser.get(to_sign_up), "next")
        back = Person(browser, name).sign_up(next=following).headers["location"]
        assert parse_qs(urlsplit(back).query) == {name: [value] for name, value in asked.items()}
        assert browser.get(back).status_code == 200

    def test_somebody_else_can_sign_in_on_the_way(self, person: Person, public: Client) -> None:
        page = soup(person.browser.get("/oauth/authorize", params=public.asks()))
        following = page.select_one("form[action='/sign-out'] input[name=next]")["value"]
        to_sign_in = person.send("/sign-out", next=following).headers["location"]
        assert parse_qs(urlsplit(to_sign_in).query)["next"] == [following]
        assert person.sign_in(next=following).headers["location"] == following

    def test_only_the_page_may_lead_to_the_client(self, person: Person, public: Client) -> None:
        policy = person.browser.get("/oauth/authorize", params=public.asks()).headers["content-security-policy"]
        assert "form-action 'self' https://client.example" in policy
        assert "frame-ancestors 'none'" in policy

    def test_others_are_ignored(self, person: Person, public: Client) -> None:
        asked = {**public.asks(), "prompt": "consent", "access_type": "offline", "nonce": "n" * 500}
        assert person.browser.get("/oauth/authorize", params=asked).status_code == 200

    def test_unknown_scopes_are_left_out(self, person: Person, public: Client) -> None:
        assert public.connect(person, scope="openid todos:read offline_access")["scope"] == "todos:read"

    def test_without_scope_it_is_all(self, person: Person, public: Client) -> None:
        assert public.connect(person)["scope"] == "todos:read todos:write"


# What is wrong with a request whose client and address are right, and OAuth's name for it.
WRONG: list[tuple[dict[str, str | None], str]] = [
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": None}, "unsupported_response_type"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"resource": "https://other.example"}, "invalid_target"),
    ({"resource": f"{ISSUER}/todos"}, "invalid_target"),
]


def says_something(answer: dict[str, str]) -> bool:
    """Whether an error tells a developer in a sentence what is wrong, in characters that may stand there.

    RFC 6749 section 4.1.2.1.
    """
    return re.fullmatch(r"[ !#-\[\]-~]{20,}", answer.get("error_description", "")) is not None


class TestNeverRedirects:
    """To an address that is not the client's own, whatever else is wrong (RFC 9700 section 4.1)."""

    @pytest.mark.parametrize(
        "changed",
        [
            {"client_id": "unknown"},
            {"client_id": None},
            {"client_id": "https://127.0.0.1/client.json"},
            {"client_id": "https://127.0.0.1/client.json", "scope": "unknown"},
            {"client_id": "http://127.0.0.1/client.json"},
            {"redirect_uri": "https://evil.example/callback"},
            {"redirect_uri": f"{CALLBACK}/"},
            {"redirect_uri": f"{CALLBACK}/../evil"},
            {"redirect_uri": f"{CALLBACK}?x=1"},
            {"redirect_uri": f"{CALLBACK}#x"},
            {"redirect_uri": "https://client.example@evil.example/callback"},
            {"redirect_uri": "https://client.example.evil.example/callback"},
            {"redirect_uri": "https://CLIENT.example/callback"},
            {"redirect_uri": "http://client.example/callback"},
            {"redirect_uri": "https://client.example:443/callback"},
            {"redirect_uri": "javascript:alert(1)//"},
            {"redirect_uri": "//client.example/callback"},
            {"redirect_uri": 'https://client.example/"'},
            {"redirect_uri": "https://evil.example/", "response_type": "token"},
            {"redirect_uri": "https://evil.example/", "scope": "unknown"},
            {"redirect_uri": "https://evil.example/", "code_challenge_method": "plain"},
        ],
    )
    def test_for_a_wrong_client_or_address(
        self, person: Person, public: Client, changed: dict[str, str | None]
    ) -> None:
        asked = public.asks(**changed)
        response = person.browser.get("/oauth/authorize", params=asked)
        assert response.status_code == 400
        assert "location" not in response.headers
        assert "evil" not in response.text
        sent = person.send("/oauth/authorize", decision="allow", **asked)
        assert sent.status_code == 400

    def test_twice_the_same_parameter(self, person: Person, public: Client) -> None:
        asked = [*public.asks().items(), ("redirect_uri", "https://evil.example/")]
        assert person.browser.get("/oauth/authorize", params=asked).status_code == 400

    def test_while_nobody_is_signed_in_for_a_document(self, http: TestClient, public: Client) -> None:
        asked = public.asks(client_id="https://127.0.0.1/client.json", scope="unknown")
        location = http.get("/oauth/authorize", params=asked).headers["location"]
        assert location.startswith("/sign-in?next=%2Foauth%2Fauthorize")

    @pytest.mark.parametrize(("changed", "error"), WRONG)
    def test_what_else_is_wrong_goes_back_to_a_client_of_the_operator(
        self, person: Person, confidential: Client, changed: dict[str, str | None], error: str
    ) -> None:
        asked = confidential.asks(**changed)
        answers = [
            person.browser.get("/oauth/authorize", params=asked),
            person.send("/oauth/authorize", decision="allow", **asked),
        ]
        for response in answers if "code_challenge" not in changed or changed["code_challenge"] else ():
            answer = told(response)
            assert response.headers["location"].startswith(f"{CALLBACK}?")
            assert (answer["error"], answer["state"], answer["iss"]) == (error, "a state", ISSUER)
            assert says_something(answer)
            assert "code" not in answer

    @pytest.mark.parametrize(("changed", "error"), WRONG)
    def test_what_else_is_wrong_is_a_page_for_who_registered_itself(
        self, person: Person, public: Client, http: TestClient, changed: dict[str, str | None], error: str
    ) -> None:
        asked = public.asks(**changed)
        for response in (
            http.get("/oauth/authorize", params=asked),  # nobody is signed in
            person.browser.get("/oauth/authorize", params=asked),
            person.send("/oauth/authorize", decision="allow", **asked),
            person.send("/oauth/authorize", decision="deny", **asked),
        ):
            assert response.status_code == 400
            assert not {"location", "refresh"} & set(response.headers)
            page = soup(response)
            assert not page.select("[http-equiv]")
            (link,) = page.select(f"a[href^='{CALLBACK}']")
            answer = parse_qs(urlsplit(link["href"]).query)
            assert (answer["error"], answer["state"], answer["iss"]) == ([error], ["a state"], [ISSUER])
            assert says_something({name: values[0] for name, values in answer.items()})
            assert "code" not in answer


class TestCodes:
    def test_give_tokens(self, person: Person, public: Client) -> None:
        answer = public.redeem(public.code(person))
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        found = answer.json()
        assert (found["token_type"], found["expires_in"]) == ("Bearer", 3600)
        assert public.http.get("/todos/me", headers=bearer(found["access_token"])).status_code == 200

    def test_work_once_and_a_replay_ends_what_they_gave(self, person: Person, public: Client) -> None:
        code = public.code(person)
        tokens = public.redeem(code).json()
        assert error_of(public.redeem(code)) == "invalid_grant"
        assert public.http.get("/todos/me", headers=bearer(tokens["access_token"])).status_code == 401
        assert error_of(public.refresh(tokens["refresh_token"])) == "invalid_grant"

    def test_fifty_at_once_give_one(self, person: Person, public: Client, new_browser: NewBrowser) -> None:
        code = public.code(person)

        def redeem(http: TestClient) -> int:
            twin = Client(http, public.id)
            twin.verifier = public.verifier
            return twin.redeem(code).status_code

        with ThreadPoolExecutor(50) as together:
            statuses = list(together.map(redeem, [new_browser() for _ in range(50)]))
        assert sorted(statuses) == [200] + [400] * 49

    def test_live_for_a_minute(self, new_browser: NewBrowser, name: str) -> None:
        with time_machine.travel("2026-11-22T00:00:00Z") as clock:
            person, client = Person(new_browser(), name), Client.registered(new_browser())
            person.sign_up()
            in_time, late = client.code(person), client.code(person)
            clock.shift(58)
            assert client.redeem(in_time).status_code == 200
            clock.shift(3)
            assert error_of(client.redeem(late)) == "invalid_grant"

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"code_verifier": "w" * 50}, "invalid_grant"),
            ({"code_verifier": None}, "invalid_request"),
            ({"redirect_uri": "https://client.example/other"}, "invalid_grant"),
            ({"code": "todo_ac_" + "x" * 43}, "invalid_grant"),
            ({"code": None}, "invalid_request"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
            ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
            ({"grant_type": None}, "unsupported_grant_type"),
            ({"resource": f"{ISSUER}/mcp"}, "invalid_target"),
            ({"client_id": None}, "invalid_client"),
            ({"client_id": "unknown"}, "invalid_client"),
            ({"code_verifier": "\u00e4" * 50}, "invalid_request"),
        ],
    )
    def test_go_to_whoever_asked_as_it_asked(
        self, person: Person, public: Client, changed: dict[str, str | None], error: str
    ) -> None:
        code = public.code(person)
        assert error_of(public.redeem(**{"code": code, **changed})) == error
        # Who has only tried has not spoilt it for its owner.
        assert public.redeem(code).status_code == 200

    def test_stolen_by_another_client_are_of_no_use(self, person: Person, public: Client, http: TestClient) -> None:
        thief = Client.registered(http)
        thief.verifier = public.verifier
        code = public.code(person)
        assert error_of(thief.redeem(code)) == "invalid_grant"
        assert public.redeem(code).status_code == 200

    def test_of_another_person_are_for_that_person(
        self, person: Person, public: Client, new_browser: NewBrowser
    ) -> None:
        # A code put into another's browser gives what its own person allowed, and nothing of the other's.
        code = public.code(person)
        token = public.redeem(code).json()["access_token"]
        other = Person(new_browser(), f"{person.username}-other")
        other.sign_up()
        assert public.http.get(f"/todos/{other.username}", headers=bearer(token)).status_code == 403

    def test_with_pkce_need_no_redirect_uri(self, person: Person, public: Client) -> None:
        for absent in (None, ""):
            assert public.redeem(public.code(person), redirect_uri=absent).status_code == 200
        wrong = public.redeem(public.code(person), redirect_uri=None, code_verifier="x" * 43)
        assert error_of(wrong) == "invalid_grant"

    def test_without_pkce_need_the_redirect_uri(self, person: Person, confidential: Client) -> None:
        code = confidential.code(person, code_challenge=None, code_challenge_method=None)
        assert error_of(confidential.redeem(code, code_verifier=None, redirect_uri=None)) == "invalid_grant"

    def test_without_pkce_take_a_secret_and_no_verifier(self, person: Person, confidential: Client) -> None:
        plain = {"code_challenge": None, "code_challenge_method": None}
        code = confidential.code(person, **plain)
        assert error_of(confidential.redeem(code)) == "invalid_request"  # a verifier for a code without a challenge
        assert error_of(confidential.redeem(code, code_verifier=None, client_secret=None)) == "invalid_client"
        assert error_of(confidential.redeem(code, code_verifier=None, client_secret="wrong")) == "invalid_client"
        assert confidential.redeem(code, code_verifier=None).status_code == 200

    def test_with_pkce_take_the_verifier_of_confidential_clients_too(
        self, person: Person, confidential: Client
    ) -> None:
        code = confidential.code(person)
        assert error_of(confidential.redeem(code, code_verifier=None)) == "invalid_request"
        assert confidential.redeem(code).status_code == 200


class TestClientAuthentication:
    def test_basic(self, person: Person, confidential: Client) -> None:
        code = confidential.code(person)
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": confidential.verifier,
        }
        wrong = base64.b64encode(f"{confidential.id}:wrong".encode()).decode()
        right = base64.b64encode(f"{confidential.id}:{confidential.secret}".encode()).decode()
        refused = confidential.http.post("/oauth/token", data=fields, headers={"Authorization": f"Basic {wrong}"})
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        assert refused.headers["www-authenticate"].startswith("Basic")
        accepted = confidential.http.post("/oauth/token", data=fields, headers={"Authorization": f"Basic {right}"})
        assert accepted.status_code == 200

    @pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic " + "x" * 5000, "Bearer x", "Basic \u00e4"])
    def test_nonsense(self, http: TestClient, header: str) -> None:
        fields = {"grant_type": "authorization_code", "code": "x"}
        answer = http.post("/oauth/token", data=fields, headers={"Authorization": header.encode()})
        assert error_of(answer) == "invalid_client"

    def test_json_is_as_good_as_a_form(self, person: Person, confidential: Client) -> None:
        sent = {
            "grant_type": "authorization_code",
            "client_id": confidential.id,
            "client_secret": confidential.secret,
            "code": confidential.code(person),
            "redirect_uri": CALLBACK,
            "code_verifier": confidential.verifier,
            "others": {"are": ["ignored"]},
        }
        assert confidential.http.post("/oauth/token", json=sent).status_code == 200

    @pytest.mark.parametrize(
        ("content", "kind", "status"),
        [
            (b"{", "application/json", 400),
            (b"[]", "application/json", 400),
            (b'{"code": 5}', "application/json", 400),
            (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded", 400),
            (b"code=%ff", "application/x-www-form-urlencoded", 400),
            (b"", "application/x-www-form-urlencoded", 400),
            (b"grant_type=" + b"x" * 70000, "application/x-www-form-urlencoded", 413),
            (b"grant_type=x", "text/plain", 415),
            (b"grant_type=x", "application/x-www-form-urlencoded; charset=utf-16", 415),
        ],
    )
    def test_what_is_no_request_is_refused_in_oauths_own_form(
        self, http: TestClient, content: bytes, kind: str, status: int
    ) -> None:
        answer = http.post("/oauth/token", content=content, headers={"Content-Type": kind})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
        assert answer.json()["error"] == "invalid_request" or answer.json()["error"] == "unsupported_grant_type"


class TestRefreshTokens:
    def test_rotate(self, person: Person, public: Client) -> None:
        first = public.connect(person)
        second = public.refresh(first["refresh_token"]).json()
        third = public.refresh(second["refresh_token"]).json()
        assert len({tokens["refresh_token"] for tokens in (first, second, third)}) == 3
        assert public.http.get("/todos/me", headers=bearer(third["access_token"])).status_code == 200

    def test_that_come_again_within_a_minute_give_the_same(self, new_browser: NewBrowser, name: str) -> None:
        with time_machine.travel("2026-11-22T00:00:00Z") as clock:
            first, client = self.connected(new_browser, name)
            second = client.refresh(first["refresh_token"]).json()
            clock.shift(50)
            again = client.refresh(first["refresh_token"])
            assert (again.status_code, again.headers["cache-control"]) == (200, "no-store")
            assert {**again.json(), "expires_in": second["expires_in"]} == second
            assert 3540 < again.json()["expires_in"] <= 3550
            assert self.works(client, second)
            assert client.refresh(second["refresh_token"]).status_code == 200

    def test_that_come_again_later_end_the_family(self, new_browser: NewBrowser, name: str) -> None:
        with time_machine.travel("2026-11-22T00:00:00Z") as clock:
            first, client = self.connected(new_browser, name)
            second = client.refresh(first["refresh_token"]).json()
            clock.shift(61)
            self.end_the_family(client, client, [first, second])

    def test_that_come_again_once_their_successor_was_used_end_the_family(self, person: Person, public: Client) -> None:
        first = public.connect(person)
        second = public.refresh(first["refresh_token"]).json()
        assert public.refresh(first["refresh_token"]).json()["refresh_token"] == second["refresh_token"]
        third = public.refresh(second["refresh_token"]).json()
        self.end_the_family(public, public, [first, second, third])

    def test_that_come_again_from_another_client_end_the_family(
        self, person: Person, public: Client, http: TestClient
    ) -> None:
        first = public.connect(person)
        second = public.refresh(first["refresh_token"]).json()
        self.end_the_family(public, Client.registered(http), [first, second])

    def test_that_come_again_without_their_clients_secret_do_nothing(
        self, person: Person, confidential: Client
    ) -> None:
        first = confidential.connect(person)
        second = confidential.refresh(first["refresh_token"]).json()
        stranger = Client(confidential.http, confidential.id, "todo_cs_" + "x" * 43)
        assert error_of(stranger.refresh(first["refresh_token"])) == "invalid_client"
        assert confidential.refresh(first["refresh_token"]).json()["access_token"] == second["access_token"]

    def test_that_come_again_end_no_other_family(self, new_browser: NewBrowser, name: str) -> None:
        with time_machine.travel("2026-11-22T00:00:00Z") as clock:
            first, client = self.connected(new_browser, name)
            other = client.connect(Person(client.http, name))
            second = client.refresh(first["refresh_token"]).json()
            clock.shift(61)
            self.end_the_family(client, client, [first, second])
            assert client.refresh(other["refresh_token"]).status_code == 200

    @pytest.mark.parametrize(("one", "other"), [("todos:read", None), (None, "todos:read")])
    def test_that_come_again_for_another_scope_are_refused_and_go_on(
        self, person: Person, public: Client, one: str | None, other: str | None
    ) -> None:
        first = public.connect(person)
        second = public.refresh(first["refresh_token"], scope=one).json()
        assert error_of(public.refresh(first["refresh_token"], scope=other)) == "invalid_scope"
        assert error_of(public.refresh(first["refresh_token"], resource=f"{ISSUER}/mcp")) == "invalid_target"
        assert public.refresh(first["refresh_token"], scope=one).json()["access_token"] == second["access_token"]

    def test_that_come_again_for_the_same_scope_in_other_words_give_the_same(
        self, person: Person, public: Client
    ) -> None:
        first = public.connect(person)
        second = public.refresh(first["refresh_token"]).json()
        again = public.refresh(first["refresh_token"], scope="todos:write todos:read").json()
        assert again["access_token"] == second["access_token"]

    def test_of_who_was_disconnected_give_nothing_again(self, person: Person, public: Client) -> None:
        first = public.connect(person)
        public.refresh(first["refresh_token"])
        person.send("/account/disconnect", grant_id=person.grant_id())
        assert error_of(public.refresh(first["refresh_token"])) == "invalid_grant"

    def connected(self, new_browser: NewBrowser, name: str) -> tuple[dict[str, str], Client]:
        """Returns the tokens of somebody who has just signed up, and the client that has them."""
        person = Person(new_browser(), name)
        assert person.sign_up().status_code == 303
        client = Client.registered(person.browser)
        return client.connect(person), client

    def works(self, client: Client, tokens: dict[str, str]) -> bool:
        return client.http.get("/todos/me", headers=bearer(tokens["access_token"])).status_code == 200

    def end_the_family(self, client: Client, thief: Client, family: list[dict[str, str]]) -> None:
        """Sends the first refresh token once more, after which none of the tokens is good."""
        assert self.works(client, family[-1])
        assert error_of(thief.refresh(family[0]["refresh_token"])) == "invalid_grant"
        assert error_of(client.refresh(family[-1]["refresh_token"])) == "invalid_grant"
        assert not any(self.works(client, tokens) for tokens in family)

    def test_are_given_out_only_so_often(self, new_browser: NewBrowser, name: str) -> None:
        with time_machine.travel("2026-11-22T00:00:00Z") as clock:
            tokens, client = self.connected(new_browser, name)
            for _ in range(SITE.limit("refreshes_per_minute")):
                tokens = client.refresh(tokens["refresh_token"]).json()
            refused = client.refresh(tokens["refresh_token"])
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
            clock.shift(61)
            assert client.refresh(tokens["refresh_token"]).status_code == 200

    def test_are_remembered_for_a_bounded_number(
        self, new_browser: NewBrowser, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("todo.oauth.grant_types.MAX_TOKENS", 3)
        with time_machine.travel("2026-11-22T00:00:00Z") as clock:
            tokens, client = self.connected(new_browser, name)
            family = [tokens]
            for _ in range(5):
                clock.shift(1)
                family.append(client.refresh(family[-1]["refresh_token"]).json())
            assert [self.works(client, tokens) for tokens in family] == [False] * 3 + [True] * 3
            assert error_of(client.refresh(family[0]["refresh_token"])) == "invalid_grant"
            assert self.works(client, family[-1])  # what is not known any more ends nothing
            assert client.refresh(family[-1]["refresh_token"]).status_code == 200

    def test_are_of_so_many_grants_at_most(self, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("todo.oauth.grant_types.MAX_GRANTS", 3)
        clients = [Client.registered(person.browser) for _ in range(5)]
        given = [client.connect(person) for client in clients]
        working = [self.works(client, tokens) for client, tokens in zip(clients, given, strict=True)]
        assert sum(working) == 3
        assert working[-1]

    def test_are_their_clients_own(self, person: Person, public: Client, http: TestClient) -> None:
        token = public.connect(person)["refresh_token"]
        assert error_of(Client.registered(http).refresh(token)) == "invalid_grant"
        assert public.refresh(token).status_code == 200

    def test_can_give_less_and_never_more(self, person: Person, public: Client) -> None:
        given = public.connect(person, scope="todos:read")
        assert error_of(public.refresh(given["refresh_token"], scope="todos:read todos:write")) == "invalid_scope"
        both = public.connect(person)
        less = public.refresh(both["refresh_token"], scope="todos:read").json()
        assert less["scope"] == "todos:read"
        refused = public.http.post("/todos/me", json={"todo": "x"}, headers=bearer(less["access_token"]))
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")

    @pytest.mark.parametrize("kind", ["access_token", "nonsense"])
    def test_are_no_other_tokens(self, person: Person, public: Client, kind: str) -> None:
        given = {**public.connect(person), "nonsense": "nonsense"}
        assert error_of(public.refresh(given[kind])) == "invalid_grant"

    def test_are_not_for_calls(self, person: Person, public: Client) -> None:
        token = public.connect(person)["refresh_token"]
        assert public.http.get("/todos/me", headers=bearer(token)).status_code == 401

    def test_last_sixty_days_and_access_tokens_an_hour(self, new_browser: NewBrowser, name: str) -> None:
        with time_machine.travel("2026-11-22T00:00:00Z") as clock:
            person, client = Person(new_browser(), name), Client.registered(new_browser())
            person.sign_up()
            first = client.connect(person)
            clock.shift(3598)
            assert client.http.get("/todos/me", headers=bearer(first["access_token"])).status_code == 200
            clock.shift(4)
            assert client.http.get("/todos/me", headers=bearer(first["access_token"])).status_code == 401
            clock.shift(60 * 86400 - 3700)
            second = client.refresh(first["refresh_token"]).json()
            clock.shift(60 * 86400 + 1)
            assert error_of(client.refresh(second["refresh_token"])) == "invalid_grant"


class TestResource:
    def test_a_token_is_bound_to_it(self, person: Person, public: Client) -> None:
        code = public.code(person, resource=f"{ISSUER}/mcp")
        assert error_of(public.redeem(code, resource=ISSUER)) == "invalid_target"
        tokens = public.redeem(code, resource=f"{ISSUER}/mcp").json()
        assert error_of(public.refresh(tokens["refresh_token"], resource=ISSUER)) == "invalid_target"
        assert public.refresh(tokens["refresh_token"], resource=f"{ISSUER}/mcp").status_code == 200

    def test_one_slash_more_is_the_same(self, person: Person, public: Client) -> None:
        code = public.code(person, resource=f"{ISSUER}/")
        assert public.redeem(code, resource=f"{ISSUER}/").status_code == 200


class TestRevocation:
    def revoke(self, client: Client, **fields: str | None) -> httpx.Response:
        sent = {"client_id": client.id, "client_secret": client.secret, **fields}
        return client.http.post("/oauth/revoke", data={n: v for n, v in sent.items() if v is not None})

    def test_of_an_access_token_ends_it_alone(self, person: Person, public: Client) -> None:
        tokens = public.connect(person)
        assert self.revoke(public, token=tokens["access_token"], token_type_hint="access_token").status_code == 200
        assert public.http.get("/todos/me", headers=bearer(tokens["access_token"])).status_code == 401
        assert public.refresh(tokens["refresh_token"]).status_code == 200

    def test_of_a_refresh_token_ends_the_grant(self, person: Person, public: Client) -> None:
        tokens = public.connect(person)
        assert self.revoke(public, token=tokens["refresh_token"], token_type_hint="nonsense").status_code == 200
        assert public.http.get("/todos/me", headers=bearer(tokens["access_token"])).status_code == 401
        assert "Helper" not in person.browser.get("/account").text

    def test_of_what_is_no_token_is_fine(self, public: Client) -> None:
        assert self.revoke(public, token="nonsense").status_code == 200
        assert error_of(self.revoke(public)) == "invalid_request"

    def test_is_for_the_client_itself(self, person: Person, public: Client, http: TestClient) -> None:
        token = public.connect(person)["access_token"]
        assert error_of(self.revoke(Client.registered(http), token=token)) == "invalid_grant"
        assert error_of(self.revoke(Client(http, "unknown"), token=token)) == "invalid_client"
        assert public.http.get("/todos/me", headers=bearer(token)).status_code == 200


DECEIVING = ["You\u200b", "\u202eecivres", "a\u2066b", "\u3164", "a\nb", "a\u2028b", "a\u0085b", "\x1b[2K"]


class TestRegistration:
    def test_shows_the_secret_once(self, http: TestClient) -> None:
        client = Client.registered(http, method="client_secret_post")
        assert client.secret.startswith("todo_cs_")
        assert Client.registered(http, method="none").secret is None

    @pytest.mark.parametrize(
        ("metadata", "error"),
        [
            ({"redirect_uris": ["http://client.example/callback"]}, "invalid_redirect_uri"),
            ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
            ({"redirect_uris": ["https://client.example/#x"]}, "invalid_redirect_uri"),
            ({"redirect_uris": ["https://chatgpt.com/connector/oauth/{id}"]}, "invalid_redirect_uri"),
            ({"redirect_uris": [""]}, "invalid_redirect_uri"),
            ({"redirect_uris": []}, "invalid_request"),
            ({"redirect_uris": [CALLBACK] * 11}, "invalid_request"),
            ({"redirect_uris": "x"}, "invalid_request"),
            ({}, "invalid_request"),
            ({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
            ({"redirect_uris": [CALLBACK], "grant_types": ["implicit"]}, "invalid_client_metadata"),
            ({"redirect_uris": [CALLBACK], "response_types": ["token"]}, "invalid_client_metadata"),
            ({"redirect_uris": [CALLBACK], "client_name": "x" * 201}, "invalid_request"),
            *(({"redirect_uris": [CALLBACK], "client_name": deceiving}, "invalid_request") for deceiving in DECEIVING),
        ],
    )
    def test_refuses_what_is_not_safe(self, http: TestClient, metadata: dict[str, object], error: str) -> None:
        assert error_of(http.post("/oauth/register", json=metadata)) == error

    def test_loses_no_good_address_to_a_bad_one(self, person: Person, http: TestClient) -> None:
        bad = ["javascript:alert(1)", "http://client.example/callback", "https://client.example/#x"]
        answer = http.post("/oauth/register", json={"redirect_uris": [*bad, CALLBACK, "cursor://callback"]})
        assert answer.status_code == 201
        assert answer.json()["redirect_uris"] == [CALLBACK, "cursor://callback"]
        client = Client(http, answer.json()["client_id"])
        for uri in bad:
            page = person.browser.get("/oauth/authorize", params=client.asks(redirect_uri=uri))
            assert page.status_code == 400
            assert uri not in page.text

    def test_of_an_app_on_the_persons_own_machine_the_port_is_free(self, person: Person, http: TestClient) -> None:
        client = Client.registered(http, "http://127.0.0.1/callback", "com.example.app:/callback")
        client.callback = "http://127.0.0.1:49152/callback"
        assert "code" in told(person.decide(client.asks()))
        assert "code" in told(person.decide(client.asks(redirect_uri="com.example.app:/callback")))

    def test_null_is_as_good_as_absent(self, http: TestClient) -> None:
        unset = ("client_name", "scope", "token_endpoint_auth_method", "grant_types", "response_types", "logo_uri")
        plain = http.post("/oauth/register", json={"redirect_uris": [CALLBACK]}).json()
        answer = http.post("/oauth/register", json={"redirect_uris": [CALLBACK], **dict.fromkeys(unset)})
        assert answer.status_code == 201, answer.text
        own = ("client_id", "client_secret", "client_id_issued_at")
        assert {name: value for name, value in answer.json().items() if name not in own} == {
            name: value for name, value in plain.items() if name not in own
        }

    def test_many_may_share_an_address(self) -> None:
        assert SITE.limit("registrations_per_address") >= 200

    def test_one_address_registers_only_so_many(self, http: TestClient) -> None:
        for _ in range(SITE.limit("registrations_per_address")):
            Client.registered(http)
        refused = http.post("/oauth/register", json={"redirect_uris": [CALLBACK]})
        assert (refused.status_code, refused.headers["content-type"]) == (429, "application/json")
        assert int(refused.headers["retry-after"]) > 0

    def test_who_is_never_connected_is_forgotten(self, new_browser: NewBrowser, name: str) -> None:
        with time_machine.travel("2026-11-22T00:00:00Z") as clock:
            person = Person(new_browser(), name)
            person.sign_up(keep="on")
            unused, used = Client.registered(new_browser()), Client.registered(new_browser())
            used.connect(person)
            clock.shift(86401)
            Client.registered(new_browser())
            assert person.browser.get("/oauth/authorize", params=unused.asks()).status_code == 400
            assert person.browser.get("/oauth/authorize", params=used.asks()).status_code == 200


class TestPluginManifest:
    def test_has_the_oauth_form_where_the_operator_wants_it(self, tmp_path: Path) -> None:
        url = migrated_sqlite(tmp_path)
        settings = Settings(
            service_auth_key=(SERVICE_KEY,), database_url=url, plugin_auth="oauth", openai_verification_token="abc"
        )
        with TestClient(create_app(settings)) as client:
            manifest = client.get("/.well-known/ai-plugin.json").json()
        assert manifest["auth"] == {
            "type": "oauth",
            "client_url": f"{ISSUER}/oauth/authorize",
            "authorization_url": f"{ISSUER}/oauth/token",
            "authorization_content_type": "application/json",
            "scope": "todos:read todos:write",
            "verification_tokens": {"openai": "abc"},
        }
        assert manifest["api"]["is_user_authenticated"] is True


def test_wrong_forms_are_pages(person: Person, public: Client) -> None:
    response = person.browser.post("/oauth/authorize", data={**public.asks(), "decision": "allow"})
    assert (response.status_code, response.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "csrf_token is required" in response.text


def test_a_decision_after_signing_out_asks_to_sign_in(person: Person, public: Client) -> None:
    asked = public.asks()
    token = person.csrf_token()
    other = Person(person.browser, person.username)
    other.send("/sign-out")
    page = f"/oauth/authorize?{urlencode(asked)}"
    sent = {**asked, "csrf_token": token, "decision": "allow", "next": page}
    response = person.browser.post("/oauth/authorize", data=sent)
    assert httpx.URL(response.headers["location"]).params["next"] == page
    assert person.sign_in(PASSWORD, next=page).headers["location"] == page
    assert person.browser.get(page).status_code == 200
