"""The checker of the W3C finds no error in the HTML of any page, and Lighthouse little to better."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import sync_playwright

from conformance import node
from tests.e2e.conftest import CHROMIUM
from tests.e2e.processes import Child, free_port, migrated, serving
from tests.handlers.test_lists import HOSTILE, Assistant
from tests.people import Client, Person

HERE = Path(__file__).parent
VNU = HERE / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
LEAST_PERFORMANCE = 0.95
UNDO = "/history/undo?who=assistant:ChatGPT&since_day=2020-01-01"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with serving(migrated(tmp_path_factory.mktemp("audit"))) as child:
        yield child


@pytest.fixture(scope="module")
def assistant(service: Child) -> Iterator[Assistant]:
    """ChatGPT at a list with something of every kind in it."""
    with httpx.Client(base_url=service.url, trust_env=False) as http:
        person = Person(http, "kevin")
        assert person.sign_up().status_code == 303
        assistant = Assistant(http, "kevin")
        assistant.add("Buy milk", due="2020-01-01", priority="high", tags=["home"], notes="n", repeat="FREQ=DAILY")
        assistant.call("POST", "/1/share")
        assistant.call("POST", "/1/complete")
        for text in HOSTILE:
            assistant.add(text, notes=text, tags=[text[:50]], due="2199-01-01")
        assistant.call("DELETE", "/3")
        Client.registered(http, client_name="A client").connect(person)
        yield assistant


def test_html_has_no_error(service: Child, assistant: Assistant, tmp_path: Path) -> None:
    assert shutil.which("java"), "Java is missing: `apt-get install default-jre-headless` brings it"
    shared = assistant.call("GET", "/1")["url"]
    asked = httpx.QueryParams(Client.registered(assistant.http).asks())
    paths = ["/", "/list", "/list?edit=2&changed=1", "/list?q=milk", "/history", UNDO, "/trash", "/account"]
    paths += [shared, "/s/no", "/legal", "/docs", "/errors", f"/oauth/authorize?{asked}", "/oauth/authorize"]
    with httpx.Client(base_url=service.url, trust_env=False) as stranger:
        pages = [(assistant.http, path) for path in paths]
        pages += [(stranger, path) for path in ("/", "/sign-in", "/sign-up")]
        for number, (browser, path) in enumerate(pages):
            answer = browser.get(path, headers={"Accept": "text/html"})
            assert answer.headers["content-type"].startswith("text/html"), path
            (tmp_path / f"{number}.html").write_bytes(answer.content)
    found = subprocess.run(
        ["java", "-jar", VNU, "--skip-non-html", tmp_path], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")


@pytest.fixture(scope="module")
def long_list(service: Child) -> Iterator[Assistant]:
    """ChatGPT at a list of 1,000 to-dos, a part of them due."""
    with httpx.Client(base_url=service.url, trust_env=False) as http:
        assert Person(http, "long").sign_up().status_code == 303
        assistant = Assistant(http, "long")
        for start in range(0, 1000, 100):
            days = [f"{2010 + number % 10 * 20}-01-0{1 + number % 9}" for number in range(100)]
            adds = [
                {"action": "add", "todo": f"Call number {start + number}", "due": day if number % 2 else None}
                for number, day in enumerate(days)
            ]
            assistant.call("POST", "/changes", actions=adds)
        yield assistant


@pytest.mark.parametrize("path", ["/", "/list", "/history", "/docs"])
def test_lighthouse_finds_nothing_to_better(service: Child, assistant: Assistant, tmp_path: Path, path: str) -> None:
    told = lighthouse(service, assistant, path, "accessibility,best-practices", tmp_path)
    assert scores(told) == {"accessibility": 1, "best-practices": 1}, below(told)


def test_a_list_of_1000_is_fast_on_a_phone(service: Child, long_list: Assistant, tmp_path: Path) -> None:
    told = lighthouse(service, long_list, "/list", "performance,accessibility,best-practices", tmp_path)
    # That of the middle class: a slow 4G network and a processor four times as slow as this machine's.
    assert told["configSettings"]["throttling"]["cpuSlowdownMultiplier"] == 4
    found = scores(told)
    assert found.pop("performance") >= LEAST_PERFORMANCE, below(told)
    assert found == {"accessibility": 1, "best-practices": 1}, below(told)


def lighthouse(service: Child, assistant: Assistant, path: str, categories: str, home: Path) -> dict[str, Any]:
    """Returns what Lighthouse says of a page, opened by the person."""
    assert CHROMIUM, "chromium is missing: `apt-get install chromium` brings it"
    port = free_port()
    options = [f"--remote-debugging-port={port}", "--no-sandbox"]
    with sync_playwright() as playwright:
        # Signed in by a cookie: what a service worker passes on has no header that Lighthouse adds.
        browser = playwright.chromium.launch_persistent_context(home, executable_path=CHROMIUM, args=options)
        browser.add_cookies([{"name": "session", "value": assistant.http.cookies["session"], "url": service.url}])
        ran = node.run(
            home,
            *("lighthouse", f"{service.url}{path}", "--output=json", "--quiet", f"--port={port}"),
            f"--only-categories={categories}",
            tools=HERE,
        )
        browser.close()
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    assert told["finalDisplayedUrl"] == f"{service.url}{path}"
    print(path, scores(told), below(told))
    return told


def scores(told: dict[str, Any]) -> dict[str, float]:
    """Returns the score of each category."""
    return {name: category["score"] for name, category in told["categories"].items()}


def below(told: dict[str, Any]) -> list[str]:
    """Returns what keeps a score below 1: audits with their values and the first elements that they name."""
    found = []
    for name, audit in told["audits"].items():
        if audit["score"] is not None and audit["score"] < 1:
            items = audit.get("details", {}).get("items", [])
            nodes = [item["node"]["snippet"] for item in items[:3] if "node" in item]
            found.append(" ".join([name, audit.get("displayValue", ""), *nodes]))
    return found
