"""The pages that a person reads."""

import httpx
import pytest

from tests.people import Person, soup
from todo.contract import SITE
from todo.http.compression import MIN_BYTES
from todo.http.problems import PROBLEMS
from todo.web import assets


def test_front_door_has_what_connecting_an_assistant_takes(anonymous: httpx.Client) -> None:
    text = anonymous.get("/").text
    for value in ("/mcp", "/openapi.yaml", "/legal", "/oauth/authorize", "/oauth/token", "/.well-known/ai-plugin.json"):
        assert f"<code>http://localhost:8000{value}</code>" in text
    assert text.count('class="unready"') == 3  # no https, this machine alone, nobody signed in


def test_front_door_knows_who_is_signed_in(person: Person) -> None:
    text = person.browser.get("/").text
    assert f"you are signed in as {person.username}" in text
    assert text.count('class="unready"') == 2


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
