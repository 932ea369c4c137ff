"""The pages that a person reads."""

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from bs4 import BeautifulSoup
from starlette.testclient import TestClient

from tests.conftest import SERVICE_KEY
from tests.people import Person, soup
from todo.app import create_app
from todo.config import Settings
from todo.contract import SITE, product
from todo.http.compression import MIN_BYTES
from todo.http.problems import PROBLEMS
from todo.web import assets

# Pages are the same on both databases.
pytestmark = pytest.mark.slow_on_postgresql


@pytest.fixture
def at(database_url: str) -> Iterator[Callable[[str], BeautifulSoup]]:
    """Returns the home page of a service at a PUBLIC_URL."""
    with ExitStack() as services:

        def home(public_url: str) -> BeautifulSoup:
            settings = Settings.from_env(
                {"SERVICE_AUTH_KEY": SERVICE_KEY, "DATABASE_URL": database_url, "PUBLIC_URL": public_url}
            )
            return soup(services.enter_context(TestClient(create_app(settings), base_url=public_url)).get("/"))

        yield home


class TestHome:
    def test_has_what_connecting_an_assistant_takes(self, anonymous: httpx.Client) -> None:
        text = anonymous.get("/").text
        for value in (
            "/mcp",
            "/openapi.yaml",
            "/legal",
            "/oauth/authorize",
            "/oauth/token",
            "/.well-known/ai-plugin.json",
        ):
            assert f">http://localhost:8000{value}</code>" in text
        assert f">claude mcp add --transport http {product.NAME} http://localhost:8000/mcp</code>" in text

    @pytest.mark.parametrize(
        ("public_url", "first", "reason"),
        [
            ("http://localhost:8000", "claude-code", "which is this machine alone"),
            ("https://localhost", "claude-code", "which is this machine alone"),
            ("http://127.0.0.1:81", "claude-code", "which is this machine alone"),
            ("http://todo.example.com", "claude-code", "which is not https"),
            ("https://todo.example.com", "chatgpt", None),
        ],
    )
    def test_begins_with_what_works_at_its_address(
        self, at: Callable[[str], BeautifulSoup], public_url: str, first: str, reason: str | None
    ) -> None:
        page = at(public_url)
        hosts = [tag["id"] for tag in page.select("main h3")]
        assert hosts[0] == first
        assert sorted(hosts) == ["action", "chatgpt", "claude", "claude-code", "curl", "cursor", "vs-code"]
        said = " ".join(page.main.get_text().split())
        assert ("They call from the internet" in said) == (reason is not None)
        assert (reason or "Connect your assistant") in said

    def test_what_is_copied_is_ready_to_use(self, at: Callable[[str], BeautifulSoup]) -> None:
        page = at("https://todo.example.com")
        vs_code, cursor = (json.loads(page.select_one(f"#copy-{name}").text) for name in ("vs-code", "cursor"))
        assert vs_code == {"servers": {product.NAME: {"type": "http", "url": "https://todo.example.com/mcp"}}}
        assert cursor == {"mcpServers": {product.NAME: {"url": "https://todo.example.com/mcp"}}}
        program, address, *_ = shlex.split(page.select_one("#copy-curl").text)
        assert (program, address) == ("curl", "https://todo.example.com/todos/kevin")

    def test_each_button_copies_a_text_and_waits_for_the_script(self, anonymous: httpx.Client) -> None:
        page = soup(anonymous.get("/"))
        for button in page.select("button"):
            assert "hidden" in button.attrs
            assert page.find(id=button["data-copies"]).name == "code"
        assert len(page.select("button")) == len(page.select("code[id]"))
        assert page.select_one("script[type=module]")["src"] == assets.url("copy.js")

    def test_who_is_signed_in_finds_the_list_first(self, person: Person) -> None:
        page = soup(person.browser.get("/"))
        assert page.select_one("main a")["href"] == "/list"
        assert f"/todos/{person.username} " in page.select_one("#copy-curl").text


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/", product.TITLE),
        ("/docs", f"API - {product.TITLE}"),
        ("/legal", f"Privacy and terms - {product.TITLE}"),
        ("/errors", f"Errors - {product.TITLE}"),
        ("/sign-in", f"Sign in - {product.TITLE}"),
    ],
)
def test_titles_say_the_page_and_the_site(anonymous: httpx.Client, path: str, title: str) -> None:
    assert soup(anonymous.get(path)).title.text == title


@pytest.mark.parametrize("path", ["/", "/docs", "/legal", "/errors"])
def test_a_page_loads_nothing_from_elsewhere(anonymous: httpx.Client, path: str) -> None:
    response = anonymous.get(path)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]
    page = soup(response)
    assert not page.select("script:not([src]), [style]")
    addresses = [tag.get("href") or tag["src"] for tag in page.select("[href], [src]")]
    local = [address.partition("#")[0] for address in addresses if address.startswith("/")]
    assert local
    for address in local:
        assert anonymous.get(address).status_code in (200, 302, 303), address
    assert not page.select("[src^=http]")


def test_legal_page_says_what_where_and_how_to_delete(anonymous: httpx.Client, database_kind: str) -> None:
    text = anonymous.get("/legal").text
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[database_kind]
    for fact in (kind, "http://localhost:8000", "operator@localhost", "make forget USERNAME"):
        assert fact in text


def test_every_problem_has_its_section(anonymous: httpx.Client) -> None:
    text = anonymous.get("/errors").text
    for problem in PROBLEMS.values():
        assert f'id="{problem.code}"' in text


def test_robots_lets_the_plugin_host_in(anonymous: httpx.Client) -> None:
    text = anonymous.get("/robots.txt").text
    assert "User-agent: ChatGPT-User\nAllow: /\n" in text


class TestStaticFiles:
    def test_pages_link_to_the_present_version_which_is_kept_for_a_year(self, anonymous: httpx.Client) -> None:
        sheet = assets.url("site.css")
        assert sheet in anonymous.get("/").text
        response = anonymous.get(sheet)
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["content-type"].startswith("text/css")
        assert response.text.index("--ground:") < response.text.index(".todo {")  # values come before their use

    def test_of_another_version_comes_the_present_file_which_is_not_kept(self, anonymous: httpx.Client) -> None:
        response = anonymous.get("/static/0123456789abcdef/site.css")
        assert response.text == anonymous.get(assets.url("site.css")).text
        assert response.headers["cache-control"] == "no-cache"

    def test_are_compressed_for_who_accepts_it_under_an_etag_of_their_own(self, anonymous: httpx.Client) -> None:
        url = assets.url("site.css")
        plain, small = (anonymous.get(url, headers={"Accept-Encoding": coding}) for coding in ("identity", "gzip"))
        assert plain.text == small.text
        assert "content-encoding" not in plain.headers
        assert small.headers["content-encoding"] == "gzip"
        assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) / 2
        assert plain.headers["etag"] != small.headers["etag"]
        for response in (plain, small):
            assert response.headers["vary"] == "Accept-Encoding"
            for coding in ("identity", "gzip"):
                headers = {"If-None-Match": response.headers["etag"], "Accept-Encoding": coding}
                same = anonymous.get(url, headers=headers)
                assert (same.status_code, same.content) == (304, b"")
                assert same.headers["etag"] == (small if coding == "gzip" else plain).headers["etag"]

    def test_each_file_of_the_contract_is_there(self, anonymous: httpx.Client) -> None:
        for name in SITE.enum("StaticFile"):
            assert anonymous.get(assets.url(name)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/legal", "/errors", "/openapi.yaml", "/openapi.json"])
def test_pages_and_contracts_are_compressed(anonymous: httpx.Client, path: str) -> None:
    plain, small = (anonymous.get(path, headers={"Accept-Encoding": coding}) for coding in ("identity", "gzip"))
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == small.headers["vary"] == "Accept-Encoding"
    is_small = len(plain.content) < MIN_BYTES
    assert small.headers.get("content-encoding", "") == ("" if is_small else "gzip")
    assert anonymous.head(path, headers={"Accept-Encoding": "gzip"}).content == b""


def test_answers_to_assistants_are_not_compressed(client: httpx.Client, name: str) -> None:
    for number in range(10):
        client.post(f"/todos/{name}", json={"todo": f"Buy {number} bottles", "notes": "n" * 200})
    response = client.get(f"/todos/{name}", headers={"Accept-Encoding": "gzip"})
    assert len(response.content) > MIN_BYTES
    assert "content-encoding" not in response.headers

    @pytest.mark.parametrize("version", ["latest", "0123456789ABCDEF", "0123456789abcdef0", "%C2%A0"])
    def test_a_version_is_a_hash(self, anonymous: httpx.Client, version: str) -> None:
        assert anonymous.get(f"/static/{version}/site.css").status_code == 404
