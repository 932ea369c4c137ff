"""Keeps a database that the code of a commit has made: `python -m tests.old_code COMMIT NAME`.

Do it before each release, NAME being the version, and before a migration is added, NAME being the revision until then:
what is kept in tests/fixtures/databases is upgraded in tests/contract/test_old_databases.py ever after.
"""

import io
import re
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson

from dev.processes import BIN, ROOT, WEB, started
from tests.conftest import AUTHORIZATION
from tests.e2e.processes import environ_for
from tests.people import Client, Person, bearer, soup

JSON = dict[str, Any]

DATABASES = ROOT / "tests" / "fixtures" / "databases"
SEEN = "-- seen: "  # the first line of a file says what the old code showed

ACCOUNTS, PAGES, LISTS, STEPS, QUESTIONS, PLACES = "0004", "0005", "0011", "0012", "0013", "0014"
LONG = "Lange Notizen, von denen sich ein Wort ändert. " * 2
MILK = {"todo": "Buy milk", "notes": "die Hafermilch", "due": "2199-11-27", "priority": "high", "tags": ["Läden"]}
BINS = {"todo": "Put the bins out", "due": "2199-01-01", "repeat": "FREQ=WEEKLY"}
ADD_AND_EDIT = [{"action": "add", "todo": "Eggs"}, {"action": "update", "id": 1, "notes": f"{LONG}neu"}]
TO = "/todos/{user}"
# What is done to a list: since which revision, and the request.
SCENARIO: list[tuple[str, str, str, JSON]] = [
    ("0001", "PATCH", "/profiles/{user}", {"time_zone": "Asia/Tokyo"}),
    ("0001", "POST", TO, MILK),
    ("0001", "POST", TO, {"todo": "Done"}),
    ("0001", "POST", f"{TO}/2/complete", {}),
    ("0001", "POST", TO, {"todo": "In the trash"}),
    ("0001", "DELETE", f"{TO}/3", {}),
    ("0001", "PATCH", f"{TO}/1", {"notes": f"{LONG}alt", "priority": "low", "tags": ["Läden", "b"]}),
    ("0002", "POST", TO, BINS),
    ("0002", "POST", f"{TO}/4/complete", {}),
    ("0002", "POST", f"{TO}/changes", {"actions": ADD_AND_EDIT}),
    ("0002", "POST", f"{TO}/changes/{{last}}/undo", {}),
    ("0002", "POST", f"{TO}/changes/{{last}}/undo", {}),
    ("0002", "POST", TO, {"todo": "Once", "request_id": "a-request"}),
    (PAGES, "POST", f"{TO}/1/share", {"url_until": "2199-01-01"}),
    (PAGES, "POST", f"{TO}/2/share", {}),
    (PAGES, "DELETE", f"{TO}/2/share", {}),
    (LISTS, "POST", TO, {"todo": "Tent", "list": "Trip", "create_list": True}),
    (LISTS, "POST", TO, {"todo": "Bulb", "list": "Shed", "create_list": True}),
    (LISTS, "PATCH", "/lists/{user}/Trip", {"name": "Journey"}),
    (LISTS, "PATCH", "/lists/{user}/Journey", {"archived": True}),
    (LISTS, "DELETE", "/lists/{user}/Shed", {}),
    (STEPS, "POST", TO, {"todo": "Cake", "steps": ["Eggs", {"text": "Flour", "done": True}]}),
    (STEPS, "PATCH", f"{TO}/1", {"steps": ["Oats", "Water"]}),
    (QUESTIONS, "PATCH", "/profiles/{user}", {"week_start": "sunday"}),
    (QUESTIONS, "POST", f"{TO}/changes/matching", {"filter": {"tag": "b"}, "action": "complete", "expect": 1}),
]


def live(http: httpx.Client, user: str, revision: str) -> None:
    """Does to a list whatever this revision can store."""
    last = 0
    for since, method, path, body in SCENARIO:
        if since > revision:
            continue
        answer = http.request(method, path.format(user=user, last=last), json=body)
        assert answer.is_success, (method, path, answer.text)
        last = max(last, (answer.json() if answer.content else {}).get("change_id", 0))


def look(http: httpx.Client, user: str, revision: str) -> JSON:
    """Returns what an assistant sees of a list."""

    def get(path: str, **params: Any) -> JSON:
        return dict(http.get(path.format(user=user), params=params).raise_for_status().json())

    pages = [get(TO, status=status, limit=100) for status in ("all", "deleted")]
    found: JSON = {"todos": [todo for page in pages for todo in page["todos"]], "profile": get("/profiles/{user}")}
    if revision > "0001":
        changes = get(f"{TO}/changes", limit=100)["changes"]
        found["changes"] = [{name: change[name] for name in ("id", "at", "actor", "summary")} for change in changes]
    return found


def live_with_account(url: str, revision: str) -> JSON:
    """Signs Anna up, connects an assistant, which does everything with her list, and returns what she sees."""
    with httpx.Client(base_url=url, trust_env=False) as browser, httpx.Client(base_url=url, trust_env=False) as http:
        anna = Person(browser, "anna")
        assert anna.sign_up().status_code == 303
        client = Client.registered(http, client_name="Claude")
        tokens = client.connect(anna)
        http.headers.update(bearer(tokens["access_token"]))
        live(http, "anna", revision)
        seen = {"tokens": tokens, "client_id": client.id}
        if revision >= PAGES:
            assert anna.send("/account/calendar", calendar="new").is_redirect
            [calendar] = re.findall(r"/calendar/[\w-]+\.ics", soup(browser.get("/account")).get_text())
            seen["calendar"] = calendar
        if revision >= PLACES:
            assert anna.send("/list/order", id="5", to="bottom").is_redirect
        return {**look(http, "anna", revision), **seen}


def make(tree: Path, environ: dict[str, str], revision: str) -> JSON:
    """Has the code of a tree make a database, and returns what it showed."""
    subprocess.run([BIN / "alembic", "upgrade", "head"], cwd=tree, env=environ, check=True)
    with started(WEB, environ, folder=tree) as service:
        service.wait_until_ready()
        with httpx.Client(base_url=service.url, headers=AUTHORIZATION, trust_env=False) as http:
            # From when there are accounts, Anna's list has all that there is.
            live(http, "kevin", revision if revision < ACCOUNTS else "0001")
            seen = {"kevin": look(http, "kevin", revision)}
        if revision >= ACCOUNTS:
            seen["anna"] = live_with_account(service.url, revision)
        assert service.terminate() == 0
    return {**seen, "at": datetime.now(UTC).isoformat(timespec="seconds"), "url": environ["PUBLIC_URL"]}


def main(commit: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(tree, filter="data")
        revision = max(file.name[:4] for file in (tree / "migrations" / "versions").glob("0*.py"))
        environ = environ_for(Path(folder))
        seen = make(tree, environ, revision)
        with closing(sqlite3.connect(Path(folder, "todo.db"))) as database:
            lines = [f"{SEEN}{orjson.dumps({'commit': commit, **seen}).decode()}", *database.iterdump()]
    (DATABASES / f"{name}.sql").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
