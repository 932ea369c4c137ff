"""The pages as an app in a real browser: installed, light to load, and the list without a network."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Error, Page, expect

from tests.e2e.conftest import CHROMIUM
from tests.e2e.processes import Child, wait_until
from tests.e2e.visitors import signed_up
from tests.handlers.test_lists import Assistant
from tests.people import PASSWORD, Person

MAX_REQUESTS = 7
MAX_BYTES = 60_000
IS_KEPT = "() => caches.match('/list').then(Boolean)"
IS_KEPT_WITH = "(text) => caches.match('/list').then((page) => page.text()).then((page) => page.includes(text))"
IS_NOT_KEPT = "() => caches.match('/list').then((page) => !page)"
KEPT = """async () => {
  const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
  const requests = (await Promise.all(caches_.map((cache) => cache.keys()))).flat();
  return requests.map((request) => new URL(request.url).pathname);
}"""
ARE_NEW = "() => caches.keys().then((names) => names.length === 2 && !names.join().includes('old'))"


@pytest.fixture
def context(chromium: Browser, service: Child, assistant: Assistant) -> Iterator[BrowserContext]:
    with chromium.new_context(base_url=service.url) as context:
        context.set_default_timeout(10_000)
        sign_in(context, assistant)
        yield context


def sign_in(context: BrowserContext, assistant: Assistant) -> None:
    """Gives the browser the session of a person."""
    url = str(assistant.http.base_url)
    context.add_cookies([{"name": "session", "value": assistant.http.cookies["session"], "url": url}])


def with_list_kept(context: BrowserContext) -> Page:
    """Opens the list and waits until the service worker has it."""
    page = context.new_page()
    page.goto("/list")
    until(page, IS_KEPT)
    return page


def until(page: Page, condition: str, argument: str = "") -> None:
    """Returns when what a page's function promises is true; wait_for_function takes any promise for true."""
    wait_until(lambda: bool(page.evaluate(condition, argument)), f"it never came true: {condition}")


def texts(page: Page) -> list[str]:
    return page.locator("p.text > bdi:first-child").all_inner_texts()


def assert_fails(page: Page, path: str) -> None:
    """Opens what the browser has nothing for without a network, so that it shows a page of its own."""
    with pytest.raises(Error, match=r"net::ERR_(INTERNET_DISCONNECTED|FAILED)"):
        page.goto(path)


@contextmanager
def stopped(service: Child) -> Iterator[None]:
    """Stops the service: connections wait, as on a network that lets nothing through."""
    worker = service.worker
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


class Transfers:
    """What a page has loaded over the network since the last look: bytes by path."""

    def __init__(self, page: Page) -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.session.send("Network.enable")
        self._paths: dict[str, str] = {}
        self._cached: set[str] = set()
        self._bytes: dict[str, int] = {}
        self.session.on("Network.requestWillBeSent", self._sent)
        self.session.on("Network.requestServedFromCache", lambda event: self._cached.add(event["requestId"]))
        self.session.on("Network.responseReceived", self._received)
        self.session.on("Network.loadingFinished", self._finished)

    def _sent(self, event: dict[str, Any]) -> None:
        self._paths[event["requestId"]] = event["request"]["url"]

    def _received(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):
            self._cached.add(event["requestId"])

    def _finished(self, event: dict[str, Any]) -> None:
        self._bytes[event["requestId"]] = int(event["encodedDataLength"])

    def look(self) -> dict[str, int]:
        """Returns the bytes of each request that went over the network."""
        found = {self._paths[key]: size for key, size in self._bytes.items() if key not in self._cached}
        self._paths, self._bytes, self._cached = {}, {}, set()
        return found


class TestInstallation:
    def test_chromium_offers_to_install_it(
        self, chromium: Browser, service: Child, assistant: Assistant, tmp_path: Path
    ) -> None:
        # A profile of its own: what a private window opens cannot be installed.
        with chromium.browser_type.launch_persistent_context(
            tmp_path, executable_path=CHROMIUM, args=["--no-sandbox"], base_url=service.url
        ) as context:
            sign_in(context, assistant)
            page = with_list_kept(context)
            session = context.new_cdp_session(page)
            manifest = session.send("Page.getAppManifest")
            assert (manifest["errors"], manifest["url"]) == ([], f"{service.url}/manifest.webmanifest")
            assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_the_window_has_the_colour_of_the_pages(self, context: BrowserContext, scheme: str) -> None:
        page = context.new_page()
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto("/list")
        told = page.locator(f"meta[name=theme-color][media*={scheme}]").get_attribute("content")
        shown = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert told == "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", shown)[:3])


class TestBudget:
    @pytest.fixture
    def long_list(self, assistant: Assistant) -> Assistant:
        for start in range(0, 1000, 100):
            adds = [{"action": "add", "todo": f"To-do {start + number}: call somebody"} for number in range(100)]
            assistant.call("POST", "/changes", actions=adds)
        return assistant

    def test_a_list_of_1000_is_light_to_load(self, chromium: Browser, service: Child, long_list: Assistant) -> None:
        with chromium.new_context(base_url=service.url, service_workers="block") as context:
            sign_in(context, long_list)
            page = context.new_page()
            transfers = Transfers(page)
            page.goto("/list", wait_until="networkidle")
            expect(page.locator("p.text").first).to_be_visible()
            first = {url: size for url, size in transfers.look().items() if not url.endswith("/live")}
            assert len(first) <= MAX_REQUESTS, first
            assert sum(first.values()) <= MAX_BYTES, first
            assert first.keys() >= {f"{service.url}/list"}
            page.goto("/legal")
            transfers.look()
            page.goto("/list", wait_until="networkidle")
            second = {url for url in transfers.look() if not url.endswith("/live")}
            assert second == {f"{service.url}/list"}

    def test_the_service_worker_costs_a_page_and_itself(self, service: Child, context: BrowserContext) -> None:
        page = context.new_page()
        before = len(service.out.read_text().splitlines())
        page.goto("/list")
        until(page, IS_KEPT)
        lines = [line.split()[1:3] for line in service.out.read_text().splitlines()[before:]]
        asked = [path for path, status in lines if path != "/live"]
        # Its files are those that the page has loaded, from the browser's cache; and those that other pages load.
        assert asked.count("/list") == 2
        assert asked.count("/service-worker.js") == 1
        page.goto("/list")
        page.wait_for_load_state("networkidle")
        again = [line.split()[1] for line in service.out.read_text().splitlines()[before + len(lines) :]]
        assert [path for path in again if path != "/live"] == ["/list"]


class TestOffline:
    def test_the_list_is_shown_as_it_was_seen_last(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Buy milk")
        page = with_list_kept(context)
        assistant.add("Buy bread")
        page.reload()
        until(page, IS_KEPT_WITH, "Buy bread")
        assert page.locator("html").get_attribute("data-offline-since") is None
        context.set_offline(True)
        for path in ("/list", "/list?q=milk", "/list?list=Inbox", "/list"):
            page.goto(path)
            assert page.url.endswith("/list")
            assert sorted(texts(page)) == ["Buy bread", "Buy milk"]
            since = page.evaluate("Date.now() - new Date(document.documentElement.dataset.offlineSince)")
            assert 0 <= since < 60_000
            assert page.evaluate("document.styleSheets[0].cssRules.length") > 10
            assert page.evaluate("document.querySelector('.brand img').naturalWidth") == 64
        context.set_offline(False)
        page.goto("/list")
        assert page.locator("html").get_attribute("data-offline-since") is None

    def test_nothing_but_the_list_and_its_files_is_kept(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Buy milk")
        page = with_list_kept(context)
        for path in ("/history", "/trash", "/account", "/list?q=milk", "/list?edit=1", "/", "/docs", "/legal"):
            page.goto(path)
        page.goto("/list")
        page.evaluate(f"fetch('/todos/{assistant.username}')")
        kept = page.evaluate(KEPT)
        assert [path for path in kept if not path.startswith("/static/")] == ["/list"]
        context.set_offline(True)
        for path in ("/history", "/trash", "/account", "/", "/oauth/authorize", "/openapi.yaml"):
            assert_fails(page, path)

    def test_what_is_sent_offline_fails(self, context: BrowserContext) -> None:
        page = with_list_kept(context)
        page.reload()
        context.set_offline(True)
        outcome = page.evaluate("fetch('/list', {method: 'POST', body: 'todo=x'}).catch((error) => error.name)")
        assert outcome == "TypeError"

    def test_a_slow_network_has_four_seconds(
        self, context: BrowserContext, service: Child, assistant: Assistant
    ) -> None:
        assistant.add("Buy milk")
        page = with_list_kept(context)
        page.reload()
        until(page, IS_KEPT)
        with stopped(service):
            page.goto("/list")
            assert texts(page) == ["Buy milk"]
            assert page.locator("html").get_attribute("data-offline-since")

    def test_an_old_version_leaves_nothing(self, context: BrowserContext) -> None:
        page = context.new_page()
        page.goto("/legal")
        page.evaluate("caches.open('page-old').then((cache) => cache.put('/list', new Response('old')))")
        page.evaluate("caches.open('files-old')")
        page.goto("/list")
        until(page, ARE_NEW)
        until(page, IS_KEPT)
        context.set_offline(True)
        page.goto("/list")
        expect(page.get_by_label("Add a to-do")).to_be_visible()


class TestWhoSeesIt:
    def test_after_sign_out_nothing_is_there(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Buy milk")
        page = with_list_kept(context)
        page.goto("/account")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in?**")
        until(page, IS_NOT_KEPT)
        context.set_offline(True)
        assert_fails(page, "/list")

    def test_after_the_session_has_ended_nothing_is_there(self, context: BrowserContext, assistant: Assistant) -> None:
        assistant.add("Buy milk")
        page = with_list_kept(context)
        page.reload()
        Person(assistant.http, assistant.username).send("/sign-out")
        page.goto("/list")
        expect(page.get_by_label("Password", exact=True)).to_be_visible()
        until(page, IS_NOT_KEPT)
        context.set_offline(True)
        assert_fails(page, "/list")

    def test_another_person_never_sees_it(self, context: BrowserContext, service: Child, assistant: Assistant) -> None:
        assistant.add("A secret")
        page = with_list_kept(context)
        with signed_up(service) as other:
            other.add("Buy bread")
            context.clear_cookies()  # as at the end of a session that nobody has signed out of
            page.goto("/sign-in")
            until(page, IS_NOT_KEPT)
            page.fill("#username", other.username)
            page.fill("#password", PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/list")
            until(page, IS_KEPT)
            context.set_offline(True)
            page.goto("/list")
            assert texts(page) == ["Buy bread"]

    def test_a_new_session_without_sign_in_replaces_it(
        self, context: BrowserContext, service: Child, assistant: Assistant
    ) -> None:
        assistant.add("A secret")
        page = with_list_kept(context)
        with signed_up(service) as other:
            other.add("Buy bread")
            sign_in(context, other)
            page.goto("/list")
            until(page, IS_KEPT_WITH, "Buy bread")
            context.set_offline(True)
            page.goto("/list")
            assert texts(page) == ["Buy bread"]

    def test_a_page_that_arrives_after_sign_out_is_not_kept(
        self, context: BrowserContext, service: Child, assistant: Assistant
    ) -> None:
        assistant.add("A secret")
        page = with_list_kept(context)
        page.reload()
        with stopped(service):
            page.evaluate("() => { window.late = fetch('/list').then((answer) => answer.text()) }")
            page.evaluate("() => { window.leaving = fetch('/sign-in') }")
            until(page, IS_NOT_KEPT)
        assert "A secret" in page.evaluate("window.late")
        page.evaluate("window.leaving")
        until(page, IS_NOT_KEPT)
