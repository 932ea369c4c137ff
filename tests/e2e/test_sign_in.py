"""Getting in, in a real browser: its time zone, passwords that can be shown, passkeys, and links by e-mail."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.processes import Child, free_port, migrated, serving
from tests.e2e.test_pages import watch
from tests.mail import Inbox, mail_server
from tests.people import NEW_PASSWORD, PASSWORD, Person

_numbers = count(1)
WRONG = "not the password at all"


@pytest.fixture(scope="module")
def inbox() -> Iterator[tuple[Inbox, int]]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, inbox: tuple[Inbox, int]) -> Iterator[Child]:
    """The service at localhost, as passkeys need a name. It has two workers, so that nothing is known to one alone."""
    port = str(free_port())
    given = {"PORT": port, "PUBLIC_URL": f"http://localhost:{port}", "PROXIES": "1", "WEB_CONCURRENCY": "2"}
    environ = migrated(tmp_path_factory.mktemp("sign-in"), SMTP_URL=f"smtp://localhost:{inbox[1]}", **given)
    with serving(environ) as child:
        yield child


@pytest.fixture
def name() -> str:
    return f"visitor{next(_numbers)}"


@contextmanager
def visiting(chromium: Browser, service: Child, *, script: bool = True) -> Iterator[Page]:
    """Yields a page in a browser in Vienna that nobody has signed in to. Raises AssertionError if it had a problem."""
    with chromium.new_context(
        java_script_enabled=script,
        base_url=service.url,
        timezone_id="Europe/Vienna",
        extra_http_headers={"X-Forwarded-For": f"192.0.2.{next(_numbers)}"},
    ) as context:
        context.set_default_timeout(10_000)
        problems = watch(context, f"{service.url}/")
        yield context.new_page()
    assert not problems


def sign_up(page: Page, name: str) -> None:
    page.goto("/sign-up?next=/account")
    page.fill("#username", name)
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Account")


def sign_out(page: Page) -> None:
    page.goto("/account")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def key_of(page: Page) -> None:
    """Gives the browser an authenticator that recognizes its person by itself, such as one that reads fingerprints."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def add_passkey(page: Page, name: str, password: str = PASSWORD) -> None:
    page.fill("#name", name)
    page.fill("#passkey-password", password)
    page.get_by_role("button", name="Add a passkey").click()


class TestZone:
    def test_sign_up_takes_it(self, chromium: Browser, service: Child, name: str) -> None:
        with visiting(chromium, service) as page:
            sign_up(page, name)
            expect(page.get_by_label("Time zone")).to_have_value("Europe/Vienna")
            expect(page.locator("#time_zone-hint")).not_to_contain_text("guess")

    def test_sign_in_takes_it_in_place_of_a_guess(self, chromium: Browser, service: Child, name: str) -> None:
        headers = {"X-Forwarded-For": f"192.0.2.{next(_numbers)}"}
        with httpx.Client(base_url=service.url, headers=headers, trust_env=False) as http:
            assert Person(http, name).sign_up().status_code == 303
            assert "This is a guess." in http.get("/account").text
        with visiting(chromium, service) as page:
            page.goto("/sign-in?next=/account")
            page.fill("#username", name)
            page.fill("#password", PASSWORD)
            page.get_by_role("button", name="Sign in", exact=True).click()
            expect(page.get_by_label("Time zone")).to_have_value("Europe/Vienna")

    def test_without_script_it_is_guessed_as_before(self, chromium: Browser, service: Child, name: str) -> None:
        with visiting(chromium, service, script=False) as page:
            sign_up(page, name)
            expect(page.get_by_label("Time zone")).to_have_value("UTC")


class TestPassword:
    def test_it_can_be_shown(self, chromium: Browser, service: Child, name: str) -> None:
        with visiting(chromium, service) as page:
            page.goto("/sign-up")
            password, button = page.locator("#password"), page.get_by_role("button", name="Show password")
            password.fill("abc")
            page.keyboard.press("Tab")
            expect(button).to_be_focused()
            page.keyboard.press("Space")
            expect(password).to_have_attribute("type", "text")
            expect(button).to_have_attribute("aria-pressed", "true")
            page.keyboard.press("Space")
            expect(password).to_have_attribute("type", "password")
            expect(button).to_have_attribute("aria-pressed", "false")

    def test_without_script_there_is_no_such_button(self, chromium: Browser, service: Child, name: str) -> None:
        with visiting(chromium, service, script=False) as page:
            sign_up(page, name)
            expect(page.locator("[data-shows]")).to_have_count(4)
            for button in page.locator("[data-shows]").all():
                expect(button).to_be_hidden()

    def test_saving_and_refusals_are_said_where_the_form_is(self, chromium: Browser, service: Child, name: str) -> None:
        with visiting(chromium, service) as page:
            page.set_viewport_size({"width": 360, "height": 740})
            sign_up(page, name)
            page.get_by_label("Time zone").fill("Vienna")
            page.get_by_label("First day of the week").select_option("sunday")
            page.get_by_role("button", name="Save").first.click()
            expect(page.get_by_role("alert")).to_have_text(
                "Time zone: choose one from the list, such as Europe/Vienna."
            )
            expect(page.get_by_label("Time zone")).to_have_value("Vienna")
            expect(page.get_by_label("Time zone")).to_be_focused()
            expect(page.get_by_role("alert")).to_be_in_viewport()
            page.get_by_label("Time zone").fill("Europe/Rome")
            page.get_by_role("button", name="Save").first.click()
            expect(page.locator("#notice")).to_contain_text("Your time zone is Europe/Rome")
            expect(page.locator("#notice")).to_be_in_viewport()
            page.get_by_label("Current password", exact=True).first.fill(WRONG)
            page.locator("#new_password").fill(NEW_PASSWORD)
            page.get_by_role("button", name="Change password").click()
            expect(page.get_by_role("alert")).to_contain_text("The current password is wrong.")
            expect(page.get_by_role("alert")).to_be_in_viewport()
            page.goto("/account/password")  # what reloading that page by its address does
            expect(page.get_by_role("heading", level=1)).to_have_text("Account")

    def test_a_forgotten_one(self, chromium: Browser, service: Child, name: str, inbox: tuple[Inbox, int]) -> None:
        with visiting(chromium, service) as page:
            sign_up(page, name)
            page.get_by_label("E-mail address").fill(f"{name}@example.com")
            page.get_by_role("button", name="Save").last.click()
            expect(page.locator("#notice")).to_have_text(f"Your e-mail address is {name}@example.com.")
            sign_out(page)
            page.get_by_role("link", name="Forgot your password?").click()
            page.fill("#username", name)
            page.get_by_role("button", name="Send me a link").click()
            expect(page.locator("#notice")).to_contain_text("a link is on its way there")
            letter = inbox[0].next()
            assert letter.to == [f"{name}@example.com"]
            (link,) = re.findall(r"^http://localhost\S+$", letter.text, re.MULTILINE)
            page.goto(link)
            page.fill("#new_password", NEW_PASSWORD)
            page.get_by_role("button", name="Save and sign in").click()
            expect(page).to_have_url(f"{service.url}/list")


class TestPasskeys:
    def test_the_whole_way(self, chromium: Browser, service: Child, name: str) -> None:
        with visiting(chromium, service) as page:
            key_of(page)
            sign_up(page, name)
            add_passkey(page, "My phone", WRONG)
            expect(page.get_by_role("alert")).to_contain_text("The current password is wrong.")
            add_passkey(page, "My phone")
            expect(page.locator("#notice")).to_contain_text("The passkey is added.")
            expect(page.get_by_role("heading", name="My phone")).to_be_visible()
            add_passkey(page, "Again")
            expect(page.get_by_role("alert")).to_have_text("This device has a passkey for your account already.")
            sign_out(page)
            page.get_by_role("button", name="Sign in with a passkey").click()
            expect(page).to_have_url(f"{service.url}/list")
            page.goto("/account")
            expect(page.get_by_text(f"You are signed in as {name}.")).to_be_visible()
            expect(page.locator("section.panel", has_text="My phone")).to_contain_text("Last used")
            page.get_by_role("button", name="Remove My phone").click()
            expect(page.locator("#notice")).to_contain_text("The passkey is removed.")
            sign_out(page)
            page.get_by_role("button", name="Sign in with a passkey").click()
            expect(page.get_by_role("alert")).to_contain_text("The passkey is not known here")
            expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")

    def test_what_was_typed_is_kept_on_the_way(self, chromium: Browser, service: Child, name: str) -> None:
        with visiting(chromium, service) as page:
            key_of(page)
            sign_up(page, name)
            add_passkey(page, "My phone")
            expect(page.locator("#notice")).to_be_visible()
            page.goto("/list")
            page.fill("#todo", "Buy milk")
            page.context.clear_cookies()
            page.evaluate("document.querySelector('#todo').form.submit()")
            expect(page.locator("#notice")).to_contain_text("What you typed is not saved yet")
            page.get_by_role("button", name="Sign in with a passkey").click()
            expect(page.locator("#todo")).to_have_value("Buy milk")

    def test_a_new_password_leaves_them(self, chromium: Browser, service: Child, name: str) -> None:
        with visiting(chromium, service) as page:
            key_of(page)
            sign_up(page, name)
            add_passkey(page, "My phone")
            expect(page.locator("#notice")).to_be_visible()
            page.locator("#password").fill(PASSWORD)
            page.locator("#new_password").fill(NEW_PASSWORD)
            page.get_by_role("button", name="Change password").click()
            expect(page.locator("#notice")).to_contain_text("Your password is changed.")
            sign_out(page)
            page.get_by_role("button", name="Sign in with a passkey").click()
            expect(page).to_have_url(f"{service.url}/list")
            page.goto("/account")
            expect(page.get_by_text(f"You are signed in as {name}.")).to_be_visible()

    @pytest.mark.parametrize("how", ["without script", "without passkeys"])
    def test_nothing_shows_where_there_can_be_none(
        self, chromium: Browser, service: Child, name: str, how: str
    ) -> None:
        with visiting(chromium, service, script=how != "without script") as page:
            if how == "without passkeys":
                page.add_init_script("delete window.PublicKeyCredential")
            sign_up(page, name)
            expect(page.get_by_text("passkey").locator("visible=true")).to_have_count(0)
            sign_out(page)
            expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing_and_pages_fit(chromium: Browser, service: Child, name: str, scheme: str) -> None:
    with visiting(chromium, service) as page:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        key_of(page)
        sign_up(page, name)
        add_passkey(page, "My phone")
        expect(page.locator("#notice")).to_be_visible()
        look(page)
        page.locator("#password").fill(WRONG)
        page.locator("#new_password").fill(NEW_PASSWORD)
        page.get_by_role("button", name="Change password").click()
        look(page)
        sign_out(page)
        for path in ("/sign-in", "/sign-up", "/forgot-password", "/reset-password/none"):
            page.goto(path)
            look(page)


def look(page: Page) -> None:
    for width in (320, 360, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
    found = Axe().run(page).response["violations"]
    assert not [(page.url, rule["id"], rule["nodes"][0]["html"]) for rule in found]
