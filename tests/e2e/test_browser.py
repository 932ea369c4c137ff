"""A real browser on the way that a person goes: from a client to signing up, to consent, and back."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.processes import Child, migrated, serving
from tests.http_server import answering
from tests.people import NEW_PASSWORD, PASSWORD, Client, bearer
from todo.contract import product


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with serving(migrated(tmp_path_factory.mktemp("browser"))) as child:
        yield child


@pytest.fixture(params=["script on", "script off"])
def context(chromium: Browser, service: Child, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=service.url, java_script_enabled=request.param == "script on")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Security Policy" in message.text else None)
    yield page
    assert not refused  # nothing that a page wants is refused by its own policy


@pytest.fixture
def http(service: Child) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, trust_env=False) as http:
        yield http


@pytest.fixture
def client(http: httpx.Client) -> Iterator[Client]:
    """A client that waits on this machine for people to come back."""

    class Callback(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Back</title><link rel=icon href='data:,'>You are back.")

        def log_message(self, *_: object) -> None: ...

    client = Client.registered(http, "http://127.0.0.1/callback", client_name="A helper")
    with answering(ThreadingHTTPServer(("127.0.0.1", 0), Callback)) as url:
        client.callback = f"{url}/callback"
        yield client


@pytest.fixture
def username(request: pytest.FixtureRequest) -> str:
    """A name of this test's own."""
    return "".join(letter for letter in request.node.name if letter.isalnum())[-50:]


def sign_up(page: Page, username: str) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Keep me signed in").check()
    page.get_by_role("button", name="Create the account").click()


def answer_of(page: Page) -> dict[str, str]:
    page.wait_for_url("**/callback?*")
    return {name: value for name, (value,) in parse_qs(urlsplit(page.url).query).items()}


def test_signs_up_on_the_way_allows_and_lands_on_the_callback(
    page: Page, client: Client, http: httpx.Client, username: str
) -> None:
    page.goto(f"/oauth/authorize?{urlencode(client.asks(scope='todos:read todos:write'))}")
    expect(page.get_by_text("Sign in to connect your assistant")).to_be_visible()
    page.get_by_role("link", name="Create one").click()
    sign_up(page, username)
    expect(page.get_by_role("heading", name="Connect an assistant?")).to_be_visible()
    expect(page.get_by_text("Add, change, complete and delete your to-dos")).to_be_visible()
    page.get_by_role("button", name="Allow", exact=True).click()
    answer = answer_of(page)
    assert (answer["state"], answer["iss"]) == ("a state", str(http.base_url).rstrip("/"))
    token = client.redeem(answer["code"]).json()["access_token"]
    assert http.post("/todos/me", json={"todo": "Buy milk"}, headers=bearer(token)).status_code == 201

    page.goto("/account")
    expect(page.get_by_text("Added 1 to-do.")).to_be_visible()
    page.get_by_role("button", name="Disconnect Assistant “A helper”").click()
    expect(page.get_by_text("None. An assistant appears here")).to_be_visible()
    assert http.get("/todos/me", headers=bearer(token)).status_code == 401


def test_declines(page: Page, client: Client, username: str) -> None:
    page.goto("/sign-up")
    sign_up(page, username)
    expect(page.get_by_role("heading", name="All to-dos")).to_be_visible()
    page.goto(f"/oauth/authorize?{urlencode(client.asks())}")
    page.get_by_role("button", name="Do not allow").click()
    answer = answer_of(page)
    assert (answer["error"], answer["state"]) == ("access_denied", "a state")


def test_by_keyboard_alone(page: Page, client: Client, username: str) -> None:
    page.goto("/sign-up?" + urlencode({"next": f"/oauth/authorize?{urlencode(client.asks())}"}))
    for _ in range(7):  # the skip link, the front door, four pages, and then the form
        page.keyboard.press("Tab")
    page.keyboard.type(username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Connect an assistant?")).to_be_visible()
    page.get_by_role("button", name="Allow", exact=True).focus()
    page.keyboard.press("Enter")
    assert "code" in answer_of(page)


def test_changes_the_password_exports_and_deletes(page: Page, username: str) -> None:
    page.goto("/sign-up?next=/account")
    sign_up(page, username)
    page.locator("#password").fill(PASSWORD)
    page.locator("#new_password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The username or the password is wrong.")
    page.get_by_label("Password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Account").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download everything").click()
    assert download.value.suggested_filename == f"{product.NAME}.json"
    page.locator("#delete-password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("heading", name="Create an account")).to_be_visible()
