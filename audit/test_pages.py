"""The checker of the W3C finds no error in the HTML of any page, and Lighthouse little to better."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from conformance import node
from tests.e2e.conftest import CHROMIUM
from tests.e2e.processes import Child, migrated, serving
from tests.handlers.test_lists import HOSTILE, Assistant
from tests.people import Client, Person

HERE = Path(__file__).parent
VNU = HERE / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
LEAST = 0.95
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
    paths += [shared, "/s/no", "/legal", "/errors", f"/oauth/authorize?{asked}", "/oauth/authorize"]
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


@pytest.mark.parametrize("path", ["/", "/list", "/history"])
def test_lighthouse_has_little_to_better(service: Child, assistant: Assistant, tmp_path: Path, path: str) -> None:
    assert CHROMIUM, "chromium is missing: `apt-get install chromium` brings it"
    headers = json.dumps({"Cookie": f"session={assistant.http.cookies['session']}"})
    ran = node.run(
        tmp_path,
        *("lighthouse", f"{service.url}{path}", "--output=json", "--quiet", f"--extra-headers={headers}"),
        *("--only-categories=accessibility,best-practices", "--chrome-flags=--headless --no-sandbox"),
        tools=HERE,
        CHROME_PATH=CHROMIUM,
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["finalDisplayedUrl"] == f"{service.url}{path}"
    scores = {name: category["score"] for name, category in told["categories"].items()}
    print(path, scores)
    assert all(score >= LEAST for score in scores.values()), scores
