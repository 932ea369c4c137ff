"""Databases that the code of every earlier revision and release has made open with all that was in them."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import orjson
import psycopg
import pytest
import time_machine
from starlette.testclient import TestClient

from dev.processes import ROOT
from tests.conftest import migrate
from tests.contract.test_migrations import REVISIONS
from tests.old_code import ACCOUNTS, DATABASES, JSON, PAGES, SEEN
from tests.people import Client, Person, bearer
from tests.replay import assert_log_gives_the_list
from tests.stateful.service import Service, run_on
from tests.stateful.test_lists_machine import Lists
from tests.stateful.test_machine import Machine
from todo.storage.engine import newest_revision

KEPT = sorted(DATABASES.glob("*.sql"))
FINGERPRINTS = "0003"  # from then on a retry is known by the same ones
TOKENS_OF_OWNERS = "0010"  # after it nobody signs in or connects anew
# Version, commit and revision, which the changelog names.
RELEASE = re.compile(r"^## \[(\d[\d.]+)\].*?commit (\w+).*?Database revision: (\d+)", re.MULTILINE | re.DOTALL)
RELEASES = {version: told for version, *told in RELEASE.findall((ROOT / "CHANGELOG.md").read_text("utf-8"))}
COMPUTED = {"due_weekday", "overdue", "url"}
NOT_IN_LISTS = {"created_at", "updated_at"}


@dataclass
class Old:
    """A database that old code has made, before its upgrade, and what that code showed."""

    url: str
    revision: str
    seen: JSON

    @property
    def users(self) -> list[str]:
        """Those with a list, the one that has most in it last."""
        return [name for name in ("kevin", "anna") if name in self.seen]


def revision_of(text: str) -> str:
    return re.search(r"""INSERT INTO "alembic_version" VALUES\('(\d+)'\)""", text)[1]


def seen_in(text: str) -> JSON:
    """Returns what the old code showed."""
    return dict(orjson.loads(text.partition("\n")[0].removeprefix(SEEN)))


def copy_to_postgresql(source: sqlite3.Connection, url: str) -> None:
    """Copies all rows to the tables that the migrations have made there, and drops the columns that have none."""
    tables = [name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    with psycopg.connect(url) as target:
        target.execute("SET session_replication_role = replica")  # foreign keys wait for their rows
        for table in tables:
            rows = source.execute(f"SELECT * FROM {table}")
            fill(target, table, [name for name, *_ in rows.description], rows.fetchall())


def fill(target: psycopg.Connection, table: str, columns: list[str], rows: list[tuple[object, ...]]) -> None:
    types = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
    type_of = dict(target.execute(types, (table,)).fetchall())
    for lacking in type_of.keys() - {*columns}:
        target.execute(f"ALTER TABLE {table} DROP COLUMN {lacking}")
    target.execute(f"DELETE FROM {table}")
    marks = ", ".join("%s::int::boolean" if type_of[column] == "boolean" else "%s" for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    target.cursor().executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


@pytest.fixture(
    params=[pytest.param(file, marks=() if file.stem in RELEASES else pytest.mark.slow, id=file.stem) for file in KEPT]
)
def old(request: pytest.FixtureRequest, empty_database: str, tmp_path: Path) -> Iterator[Old]:
    """A kept database, at the time at which it was kept."""
    text = request.param.read_text("utf-8")
    seen = seen_in(text)
    with closing(sqlite3.connect(":memory:")) as rows:
        rows.executescript(text)
        if empty_database.startswith("sqlite"):
            with closing(sqlite3.connect(tmp_path / "todo.db")) as file:
                rows.backup(file)
        else:
            migrate(empty_database, revision_of(text))
            copy_to_postgresql(rows, empty_database)
    with time_machine.travel(datetime.fromisoformat(seen["at"]) + timedelta(seconds=1)):
        yield Old(empty_database, revision_of(text), seen)


def test_each_earlier_revision_is_kept() -> None:
    kept = {revision_of(file.read_text("utf-8")) for file in KEPT}
    missing = sorted({*REVISIONS} - kept - {newest_revision()})
    assert not missing, f"keep the database of {missing}: python -m tests.old_code COMMIT {missing[0]}"


def test_each_release_is_kept() -> None:
    """A release is a section of the changelog, with its commit and the revision to which a roll back returns."""
    versions = re.findall(r"^## \[(\d[\d.]+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    texts = {file.stem: file.read_text("utf-8") for file in KEPT if file.stem in versions}
    kept = {version: [seen_in(text)["commit"], revision_of(text)] for version, text in texts.items()}
    assert "1.0.0" in versions
    assert [*RELEASES] == versions, "name the commit and the database revision of each version in the changelog"
    assert kept == RELEASES, "keep the database of a version: python -m tests.old_code COMMIT VERSION"


def assert_shows(client: httpx.Client, user: str, old: JSON) -> None:
    """Raises AssertionError unless the list has the to-dos, the settings and the log that the old code showed."""

    def get(path: str, **params: Any) -> JSON:
        return dict(client.get(path.format(user=user), params=params).raise_for_status().json())

    deleted = get("/todos/{user}", status="deleted", limit=100)["todos"]
    now = {todo["id"]: todo for todo in deleted}
    assert len(old["todos"]) == len(now) + get("/todos/{user}", status="all")["total"]
    for todo in old["todos"]:
        found = now.get(todo["id"]) or get(f"/todos/{user}/{todo['id']}")
        told = {*todo} - COMPUTED - (NOT_IN_LISTS if todo["status"] == "deleted" else set())
        assert {name: found.get(name) for name in told} == {name: todo[name] for name in told}
        assert ("url" in found) == ("url" in todo)
    profile = get("/profiles/{user}")
    for name in ("time_zone", "time_zone_guessed", "counts"):
        assert profile[name] == old["profile"][name]
    changes = get("/todos/{user}/changes", limit=100)["changes"]
    found = [{name: change[name] for name in ("id", "at", "actor", "summary")} for change in changes]
    assert found == old.get("changes", found)


def assert_account_works(client: TestClient, old: Old) -> None:
    """Raises AssertionError unless Anna signs in, and her assistant, her links and her calendar work."""
    anna, seen = Person(TestClient(client.app, follow_redirects=False), "anna"), old.seen["anna"]
    assert anna.sign_in().status_code == 303
    assert "Buy milk" in anna.browser.get("/list").text
    token = seen["tokens"]["access_token"]
    assistant = Client(client, seen["client_id"])
    if old.revision < TOKENS_OF_OWNERS:
        assert client.get("/todos/me", headers=bearer(token)).status_code == 401
        token = assistant.connect(anna)["access_token"]
    else:
        token = assistant.refresh(seen["tokens"]["refresh_token"]).json()["access_token"]
    assert client.get("/todos/me", headers=bearer(token)).json()["total"] > 1
    if old.revision >= PAGES:
        [share] = [todo["url"].removeprefix(old.seen["url"]) for todo in seen["todos"] if "url" in todo]
        assert "Buy milk" in client.get(share).text
        assert "Put the bins out" in client.get(seen["calendar"]).text


TEXTS = count(1)


class OldLists(Lists):
    """Anna's own lists, with all that is in them; each run goes on from the one before."""

    def open(self) -> None:
        self.user, self.texts = "anna", TEXTS
        self.person = Person(self.browser, self.user)
        assert self.person.sign_in().status_code == 303
        self.last_change = self.get("/todos/anna/changes")["changes"][0]["id"]


class NewList(Machine):
    """A list that is begun after the upgrade. That a restart changes nothing is tested elsewhere."""

    restart = None


def test_all_is_there_after_the_upgrade(old: Old) -> None:
    migrate(old.url)
    # Tokens are for the address of the service that gave them.
    with Service(old.url, public_url=old.seen["url"]) as service:
        for user in old.users:
            assert_shows(service.client, user, old.seen[user])
        if old.revision >= ACCOUNTS:
            assert_account_works(service.client, old)
            run_on(service, OldLists, examples=2, steps=20, shrink=False)
        if old.revision > "0001":
            undo_each(service.client, old)
        run_on(service, NewList, examples=2, steps=20)
        for user in old.users:
            assert_log_gives_the_list(old.url, user)


def undo_each(client: httpx.Client, old: Old) -> None:
    """Undoes what can be undone. Raises AssertionError if a retry from before the upgrade is done once more."""
    path = f"/todos/{old.users[-1]}"
    again = client.post(path, json={"todo": "Once", "request_id": "a-request"})
    if old.revision >= FINGERPRINTS:
        assert "idempotent-replay" in again.headers
    else:
        assert again.json()["code"] == "request_id_reused"
    for change in client.get(f"{path}/changes", params={"limit": 100}).json()["changes"]:
        undone = client.post(f"{path}/changes/{change['id']}/undo", json={"force": True})
        assert undone.status_code in (200, 409), undone.text
