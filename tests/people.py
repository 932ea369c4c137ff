"""People in front of browsers without script, and clients that they connect, for tests over HTTP."""

import re
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from bs4 import BeautifulSoup

PASSWORD = "seven calm whales sing"
NEW_PASSWORD = "eight loud gulls dance"
CALLBACK = "https://client.example/callback"


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, browser: httpx.Client, username: str) -> None:
        self.browser = browser
        self.username = username
        self._csrf_tokens: dict[tuple[str | None, ...], str] = {}  # by the browser's cookies

    def csrf_token(self, path: str = "/sign-in?next=/account") -> str:
        """Returns the token that the forms of this browser's session carry."""
        page = self.browser.get(path)
        if page.status_code == 303:
            page = self.browser.get("/account")
        token = field(page, "csrf_token")
        self._csrf_tokens[self._cookies()] = token
        return token

    def send(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Sends a form as a page of the person's own session would, which stays open: its token is as good as ever."""
        token = self._csrf_tokens.get(self._cookies()) or self.csrf_token()
        return self.browser.post(path, data={"csrf_token": token, **fields})

    def _cookies(self) -> tuple[str | None, ...]:
        return tuple(cookie.value for cookie in self.browser.cookies.jar)

    def sign_up(self, password: str = PASSWORD, **fields: str) -> httpx.Response:
        return self.send("/sign-up", username=self.username, password=password, **fields)

    def sign_in(self, password: str = PASSWORD, **fields: str) -> httpx.Response:
        return self.send("/sign-in", username=self.username, password=password, **fields)

    def is_signed_in(self) -> bool:
        return self.browser.get("/account").status_code == 200

    def decide(self, asked: dict[str, str], decision: str = "allow") -> httpx.Response:
        """Opens the page that a client leads to, presses a button, and returns where that leads."""
        page = self.browser.get("/oauth/authorize", params=asked)
        assert page.status_code == 200, (page.status_code, page.headers.get("location"), page.text)
        hidden = soup(page).form.select("input[type=hidden]")
        return self.browser.post(
            "/oauth/authorize", data={**{tag["name"]: tag["value"] for tag in hidden}, "decision": decision}
        )

    def grant_id(self) -> str:
        """Returns the id of the first assistant that the person has connected."""
        return field(self.browser.get("/account"), "grant_id")


class Client:
    """A program that people connect; without a secret it is a public one."""

    def __init__(self, http: httpx.Client, client_id: str, secret: str | None = None, callback: str = CALLBACK) -> None:
        self.http = http
        self.id = client_id
        self.secret = secret
        self.callback = callback
        self.verifier = secrets.token_urlsafe(40)

    @classmethod
    def registered(cls, http: httpx.Client, *callbacks: str, method: str = "none", **metadata: Any) -> "Client":
        """Returns a client that has registered itself."""
        asked = {"redirect_uris": callbacks or [CALLBACK], "token_endpoint_auth_method": method, **metadata}
        answer = http.post("/oauth/register", json=asked)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        return cls(http, told["client_id"], told.get("client_secret"), told["redirect_uris"][0])

    def asks(self, **changed: str | None) -> dict[str, str]:
        """Returns the parameters it leads a person to /oauth/authorize with; None leaves one out."""
        asked = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.callback,
            "state": "a state",
            "code_challenge": create_s256_code_challenge(self.verifier),
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def code(self, person: Person, **changed: str | None) -> str:
        """Returns the code that the person lets it have."""
        return told(person.decide(self.asks(**changed)))["code"]

    def redeem(self, code: str, **changed: str | None) -> httpx.Response:
        return self._post(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.callback,
                "code_verifier": self.verifier,
                **changed,
            }
        )

    def refresh(self, token: str, **changed: str | None) -> httpx.Response:
        return self._post({"grant_type": "refresh_token", "refresh_token": token, **changed})

    def connect(self, person: Person, **changed: str | None) -> dict[str, Any]:
        """Returns the tokens that it gets when the person lets it."""
        answer = self.redeem(self.code(person, **changed))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def _post(self, fields: dict[str, str | None]) -> httpx.Response:
        sent = {"client_id": self.id, "client_secret": self.secret, **fields}
        return self.http.post("/oauth/token", data={name: value for name, value in sent.items() if value is not None})


def told(response: httpx.Response) -> dict[str, str]:
    """Returns what a redirect tells the client."""
    assert response.status_code == 303, (response.status_code, response.text)
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()}


def soup(page: httpx.Response) -> BeautifulSoup:
    """Returns a page to search, by CSS selectors."""
    return BeautifulSoup(page.text, "html.parser")


def field(page: httpx.Response, name: str) -> str:
    """Returns the value of the first field of this name on a page. Raises AssertionError where there is none."""
    # Parsing all of a long page takes longer than the service takes to make it.
    inputs = BeautifulSoup("".join(re.findall(r"<input\b[^>]*>", page.text)), "html.parser")
    found = inputs.find("input", {"name": name})
    assert found, f"{page.url} has no field {name}"
    return str(found["value"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
