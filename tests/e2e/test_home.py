"""Home, the reference and the pages for refusals in a real browser."""

import json
import os
import subprocess
from collections.abc import Iterator
from itertools import count

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.processes import ROOT, Child
from tests.e2e.visitors import from_new_address
from tests.people import PASSWORD
from todo.contract import product

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
_numbers = count(1)


@pytest.fixture
def context(chromium: Browser, service: Child) -> Iterator[BrowserContext]:
    """A browser that may copy, at an address of its own, as few people may sign up from one."""
    headers = from_new_address()
    with chromium.new_context(base_url=service.url, viewport=DESK, extra_http_headers=headers) as context:  # type: ignore[arg-type]
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(10_000)
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def sign_up(page: Page, username: str) -> None:
    page.goto("/sign-up")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Create the account").click()


class TestRefusedPages:
    def test_an_address_that_is_not_there(self, page: Page) -> None:
        answer = page.goto("/nothing")
        assert answer
        assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
        assert page.title() == f"Page not found - {product.TITLE}"
        page.get_by_role("link", name="Go to the home page").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(product.HEADLINE)

    def test_reloading_the_address_of_a_refused_form(self, page: Page) -> None:
        """As by Enter in the address bar: it was raw JSON."""
        sign_up(page, f"home{next(_numbers)}")
        page.goto("/account")
        page.evaluate("document.querySelector('#time_zone').value = 'Nowhere'")
        page.locator("form[action='/account/time-zone'] button").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert page.url.endswith("/account/time-zone")
        page.goto(page.url)
        expect(page.get_by_role("heading", level=1)).to_have_text("Account")

    def test_a_script_still_gets_a_problem(self, page: Page) -> None:
        page.goto("/sign-in")
        answer = page.context.request.get("/nothing", headers={"Sec-Fetch-Mode": "cors"})
        assert answer.headers["content-type"] == "application/problem+json"


class TestCopying:
    def test_a_button_copies_and_says_so(self, page: Page, service: Child) -> None:
        page.goto("/")
        page.get_by_role("button", name="Copy the command for Claude Code").click()
        expect(page.get_by_role("status")).to_have_text("Copied")
        expect(page.get_by_role("button", name="Copied the command for Claude Code")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == f"claude mcp add --transport http {product.NAME} {service.url}/mcp"
        expect(page.get_by_role("button", name="Copy the command for Claude Code")).to_be_visible()  # again

    def test_by_keyboard(self, page: Page) -> None:
        page.goto("/")
        page.get_by_role("button", name="Copy the configuration of VS Code").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("Copied")
        assert "servers" in json.loads(page.evaluate("navigator.clipboard.readText()"))

    def test_without_script_there_is_no_button(self, chromium: Browser, service: Child) -> None:
        with chromium.new_context(base_url=service.url, java_script_enabled=False) as context:
            page = context.new_page()
            page.goto("/")
            expect(page.locator("#copy-claude-code")).to_be_visible()
            expect(page.locator("[data-copies]").first).to_be_hidden()

    def test_where_no_page_may_copy_there_is_no_button(self, context: BrowserContext) -> None:
        context.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        page = context.new_page()
        page.goto("/")
        expect(page.locator("#copy-claude-code")).to_be_visible()
        expect(page.locator("[data-copies]").first).to_be_hidden()


def test_a_list_of_an_assistant_is_claimed_from_the_page(page: Page, service: Child) -> None:
    """With the one command that the page shows, in a terminal that does not know the port."""
    name = f"kept{next(_numbers)}"
    add = {"todo": "Kept by an assistant"}
    httpx.post(
        f"{service.url}/todos/{name}", json=add, headers=service.authorization, trust_env=False
    ).raise_for_status()
    sign_up(page, name)
    page.get_by_role("button", name="Copy the command").click()
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == f"make claim USERNAME={name}"
    elsewhere = {**service.environ, "PORT": "", "PUBLIC_URL": ""}
    printed = run(["make", "-o", ".venv/bin/.run", *command.split()[1:]], elsewhere)
    assert f"Enter it on {service.url}/sign-up" in printed
    page.fill("#claim_code", next(line.strip() for line in printed.splitlines() if "todo_cl_" in line))
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.locator("main")).to_contain_text("Kept by an assistant")


def run(command: list[str], environ: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


class TestReference:
    def test_links_within_it_lead_somewhere(self, page: Page) -> None:
        page.goto("/docs")
        missing = page.evaluate(
            """[...document.querySelectorAll("main a[href^='#']")].map((a) => a.hash.slice(1))
                .filter((id) => !document.getElementById(id))"""
        )
        assert missing == []

    def test_a_command_of_it_works(self, page: Page, service: Child) -> None:
        page.goto("/docs#add_todo")
        page.get_by_role("button", name="Copy the command for add_todo").click()
        command = page.evaluate("navigator.clipboard.readText()")
        key = service.environ["SERVICE_AUTH_KEY"]
        printed = run(["sh", "-c", command.replace("$KEY", key)], dict(os.environ))
        assert json.loads(printed)["todo"] == "Buy milk"

    def test_leads_back(self, page: Page) -> None:
        page.goto("/docs")
        page.get_by_role("link", name=product.TITLE, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(product.HEADLINE)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_fit(context: BrowserContext, size: dict[str, int]) -> None:
    page = context.new_page()
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for path in ("/", "/docs", "/errors", "/legal", "/nothing", "/account/password", "/s/nothing"):
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true })")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], path
