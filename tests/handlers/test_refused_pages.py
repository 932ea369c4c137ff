"""Refusals as a browser shows them: pages, never JSON; programs get problems as ever."""

import httpx
import pytest
from bs4 import BeautifulSoup

from tests.people import Person, soup
from todo.contract import SITE
from todo.http.navigation import is_navigation
from todo.http.problems import PROBLEMS
from todo.web import error_page

# Pages are the same on both databases.
pytestmark = pytest.mark.slow_on_postgresql

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
NAVIGATION = {"Accept": CHROMIUM, "Sec-Fetch-Mode": "navigate"}
PAGE = "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (NAVIGATION, True),
        ({"Sec-Fetch-Mode": "navigate"}, True),
        ({"Accept": CHROMIUM}, True),  # over http, browsers say no more
        ({"Accept": "text/html"}, True),
        ({"Accept": CHROMIUM, "Sec-Fetch-Mode": "cors"}, False),
        ({"Accept": CHROMIUM, "Sec-Fetch-Mode": "no-cors"}, False),
        ({"Accept": "*/*"}, False),
        ({"Accept": "application/json, text/html;q=0.9"}, False),
        ({"Accept": "text/html;q=0.5, */*"}, False),
        ({"Accept": "text/html;q=0, */*;q=0"}, False),
        ({"Accept": "text/html, application/json"}, False),
        ({"Accept": "\x80text/html;;=,"}, False),
        ({}, False),
    ],
)
def test_who_is_a_browser_that_opens_a_page(headers: dict[str, str], expected: bool) -> None:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    assert is_navigation({"method": "GET", "headers": raw}) == expected
    by_itself = headers.get("Sec-Fetch-Mode") == "navigate"
    assert is_navigation({"method": "POST", "headers": raw}) == by_itself


@pytest.mark.parametrize(
    ("path", "status", "code", "back"),
    [
        ("/nothing", 404, "not_found", "/"),
        ("/account/nothing", 404, "not_found", "/account"),
        ("/todos/kevin/1/nothing", 404, "not_found", "/"),
        ("/oauth/token", 405, "method_not_allowed", "/"),
        ("/mcp", 405, "method_not_allowed", "/"),
        ("/static/0123456789abcdef/nothing.js", 404, "not_found", "/"),
        ("/list?tag=a&tag=b", 400, "invalid_request", "/list"),
    ],
)
def test_a_browser_gets_a_page(person: Person, path: str, status: int, code: str, back: str) -> None:
    answer = person.browser.get(path, headers=NAVIGATION)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PAGE)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    page = soup(answer)
    assert f"Status {status} · {code}" in page.get_text()
    first, *_ = page.select("main .buttons a")
    assert first["href"] == back
    assert page.select("main .buttons a")[-1]["href"] == "/"
    assert person.browser.get(first["href"]).status_code == 200


@pytest.mark.parametrize("path", ["/nothing", "/account/password", "/oauth/token", "/mcp"])
def test_a_program_gets_a_problem(person: Person, path: str) -> None:
    answer = person.browser.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize("path", ["/todos/kevin", "/todos/kevin/1/complete", "/lists/kevin/Home"])
def test_addresses_for_assistants_answer_everybody_alike(anonymous: httpx.Client, path: str) -> None:
    answer = anonymous.get(path, headers=NAVIGATION)
    assert answer.status_code in (401, 405)
    assert answer.headers["content-type"] == "application/problem+json"


FORMS = [
    operation.path
    for operation in SITE.operations
    if operation.method == "POST"
    and "303" in operation.spec["responses"]
    and ("GET", operation.path) not in {(other.method, other.path) for other in SITE.operations}
]


@pytest.mark.parametrize("path", FORMS)
def test_reloading_a_refused_form_leads_back_to_it(person: Person, path: str) -> None:
    """As somebody does who presses Enter in the address bar of the page that says what was wrong."""
    answer = person.browser.get(path, headers=NAVIGATION)
    assert answer.status_code == 303
    page = person.browser.get(answer.headers["location"])
    assert page.status_code == 200
    assert "/" + path.split("/")[1] in (answer.headers["location"], "/lists", "/reset-password", "/sign-out")


@pytest.mark.parametrize("path", FORMS)
def test_a_program_hears_that_it_is_no_page(person: Person, path: str) -> None:
    answer = person.browser.get(path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def shown(code: str, path: str = "/", wait: str | None = None) -> BeautifulSoup:
    problem = next(row for row in PROBLEMS.values() if row.code == code)
    document = {"type": f"http://localhost/errors#{code}", **vars(problem)}
    return BeautifulSoup(error_page.render(document, path, wait), "html.parser")


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=lambda problem: problem.code)
def test_every_problem_has_a_page(problem: object) -> None:
    page = shown(problem.code, wait="5" if problem.status in (429, 503) else None)  # type: ignore[attr-defined]
    paragraphs = [tag.get_text() for tag in page.select("main p")]
    assert page.h1
    assert page.h1.get_text()
    assert paragraphs[0].endswith((".", "?"))
    assert "Retry-After" not in "".join(paragraphs)
    assert page.select("main a.button[href='/']")


@pytest.mark.parametrize(
    ("seconds", "said"), [("1", "1 second"), ("90", "90 seconds"), ("130", "3 minutes"), ("900", "15 minutes")]
)
def test_a_page_says_how_long_to_wait(seconds: str, said: str) -> None:
    assert f"Wait {said} and try again." in shown("rate_limited", wait=seconds).get_text()


@pytest.mark.parametrize("path", ["*", "", "//", "/%", "/lists"])
def test_a_page_leads_home_from_anywhere(path: str) -> None:
    assert shown("not_found", path).select("main .buttons a")[-1]["href"] == "/"


def test_who_is_signed_out_is_led_to_sign_in() -> None:
    assert [tag["href"] for tag in shown("signed_out", "/list/edit").select("main .buttons a")] == ["/sign-in", "/"]


def test_codes_with_words_of_their_own_exist() -> None:
    assert set(error_page.TOLD) <= {problem.code for problem in PROBLEMS.values()}
