"""Third-party clients go through one scenario: each connects, uses a list and is disconnected.

Each has a driver in clients/, a process that exchanges JSON lines with this test (clients/python/driver.py).
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx
import pytest

from conformance.clients import report
from conformance.clients.catalogue import Client, chosen
from tests import hosts
from tests.e2e.processes import WEB, Child, free_port, migrated, started
from tests.e2e.test_mcp_clients import OPERATIONS
from tests.e2e.test_oauth_clients import SCOPES, allow
from tests.people import Client as Registered
from tests.people import Person, bearer

TIMEOUT = 90  # seconds for a driver to respond
ACCESS_TOKEN_SECONDS = 5
_numbers = count(1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    settings = {"WEB_CONCURRENCY": "2", "ACCESS_TOKEN_SECONDS": str(ACCESS_TOKEN_SECONDS)}
    environ = migrated(tmp_path_factory.mktemp("clients"), **settings)
    with started([part.replace("wsgi:", "conformance.shortlived:") for part in WEB], environ) as child:
        child.wait_until_ready()
        yield child


@pytest.fixture(scope="module")
def table() -> Iterator[report.Table]:
    table = report.Table()
    yield table
    table.write_if_asked()


class Driver:
    """The process that drives a client; `answer` visits a page for the person and returns where it redirects to."""

    def __init__(self, command: list[str | Path], environ: dict[str, str], log: Path, answer: Callable[[str], str]):
        self.answer = answer
        self.log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                env=environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self.process.communicate()

    def _kill(self) -> None:
        """Kills the driver and its child processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def ask(self, **command: Any) -> Any:
        """Sends a command and returns the response."""
        self._send(command)
        return self.hear()

    def hear(self) -> Any:
        """Returns the driver's next response. Until then, visits every page that the client opens."""
        watchdog = threading.Timer(TIMEOUT, self._kill)
        watchdog.start()
        try:
            assert self.process.stdout
            for line in self.process.stdout:
                told = json.loads(line)
                if "open" not in told:
                    return told
                self._send({"back": self.answer(told["open"])})
        finally:
            watchdog.cancel()
        raise AssertionError(f"the driver has ended:\n{self.log.read_text(encoding='utf-8')[-4000:]}")

    def _send(self, message: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()


class Scenario:
    """The steps that each client goes through. A step that does not apply to it is None."""

    def __init__(self, client: Client, service: Child, person: Person, folder: Path) -> None:
        self.client = client
        self.service = service
        self.person = person
        self.folder = folder
        self.prompts = 0  # how often the person saw the consent page
        self.allows = True  # whether the person allows access
        self.driver: Driver
        self.change_id = 0

    @property
    def steps(self) -> dict[str, Callable[[], None] | None]:
        oauth = self.client.oauth
        return {
            "sign in": self.sign_in if oauth else self.connect,
            "list": self.look,
            "add": self.add,
            "refused": self.refused,
            "refresh": self.refresh if oauth else None,
            "undo": self.undo,
            "disconnect": self.disconnect if oauth else None,
        }

    def start(self) -> Driver:
        job = {
            "name": self.client.name,
            "url": self.service.url,
            "mcp": f"{self.service.url}/mcp",
            "redirect": f"http://127.0.0.1:{free_port()}/oauth/callback",
            "scope": SCOPES,
        }
        if not self.client.registers:
            known = Registered.registered(self.person.browser, job["redirect"], method="client_secret_basic")
            job["client"] = {"id": known.id, "secret": known.secret}
        if not self.client.oauth:
            job["key"] = self.service.environ["SERVICE_AUTH_KEY"]
        command = [*self.client.command(), json.dumps(job), self.client.argument]
        self.driver = Driver(command, self.client.environ(self.folder), self.folder / "driver.txt", self._visit)
        return self.driver

    def _visit(self, address: str) -> str:
        self.prompts += 1
        if self.allows:
            return allow(self.person, address)
        asked = dict(httpx.URL(address).params)
        return self.person.decide(asked, "deny").headers["location"]

    def connect(self) -> None:
        told = self.driver.hear()
        assert told["ok"], told["said"]

    def sign_in(self) -> None:
        self.connect()
        assert self.prompts == 1

    def look(self) -> None:
        if self.client.mcp:
            told = self.driver.ask(do="tools")
            assert told["ok"], told["said"]
            assert set(json.loads(told["said"])) == self.tools
        assert self.done("list_todos")["total"] == 0

    def add(self) -> None:
        added = self.done("add_todo", todo="Buy milk", due="2026-11-27", priority="high")
        self.change_id = added["change_id"]
        assert self.stored == ["Buy milk"]

    def refused(self) -> None:
        wrong = {"notes": "2 l", "if_version": 7}
        path = f"/todos/{self.person.username}/1"
        hint = self.with_key("PATCH", path, json=wrong).json()["hint"]
        told = self.driver.ask(**self.command("update_todo", todo_id=1, **wrong))
        assert not told["ok"], told
        assert "version_conflict" in told["said"], told["said"]
        assert hint in told["said"], told["said"]

    def refresh(self) -> None:
        time.sleep(ACCESS_TOKEN_SECONDS + 1)
        wanted = [f"Number {number}" for number in range(4)]
        told = self.driver.ask(do="together", commands=[self.command("add_todo", todo=text) for text in wanted])
        assert [answer["ok"] for answer in told["all"]] == [True] * 4, [answer["said"] for answer in told["all"]]
        assert self.prompts == 1, "the person had to sign in again"
        assert sorted(self.stored) == ["Buy milk", *wanted]
        # The tokens it kept still refresh: none of its parallel refreshes ended the grant.
        time.sleep(ACCESS_TOKEN_SECONDS + 1)
        assert self.done("list_todos")["total"] == 5
        assert self.prompts == 1, "the person had to sign in again"

    def undo(self) -> None:
        before = self.stored
        self.done("undo_change", change_id=self.change_id)
        assert self.stored == before[1:]

    def disconnect(self) -> None:
        self.allows = False
        if self.client.revokes:
            told = self.driver.ask(do="revoke")
            assert told["ok"], told["said"]
        else:
            self.person.send("/account/disconnect", grant_id=self.person.grant_id())
        assert 'name="grant_id"' not in self.person.browser.get("/account").text
        before = self.stored
        assert not self.driver.ask(**self.command("add_todo", todo="too late"))["ok"]
        assert self.stored == before

    def command(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Returns the command to call an operation, as a tool or over HTTP."""
        if not self.client.mcp:
            return _request(name, arguments)
        if not self.client.oauth:
            arguments["username"] = self.person.username
        return {"do": "call", "name": name, "arguments": arguments}

    def done(self, name: str, **arguments: Any) -> Any:
        """Returns the result of a call that must succeed."""
        told = self.driver.ask(**self.command(name, **arguments))
        assert told["ok"], told["said"]
        return json.JSONDecoder().raw_decode(told["said"], told["said"].index("{"))[0]

    @property
    def tools(self) -> set[str]:
        """The names of the server's tools."""
        key = bearer(self.service.environ["SERVICE_AUTH_KEY"])
        with httpx.Client(base_url=self.service.url, headers=key, trust_env=False) as host:
            return {tool["name"] for tool in hosts.tools(host)}

    @property
    def stored(self) -> list[str]:
        """The texts of the list, from the API."""
        return [todo["todo"] for todo in self.with_key("GET", f"/todos/{self.person.username}").json()["todos"]]

    def with_key(self, method: str, path: str, **more: Any) -> httpx.Response:
        key = bearer(self.service.environ["SERVICE_AUTH_KEY"])
        return httpx.request(method, self.service.url + path, headers=key, trust_env=False, **more)


def _request(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Returns the command to call an operation over HTTP."""
    operation, given = OPERATIONS[name], {"username": "me", **arguments}
    path = operation.path
    for part in [part for part in given if f"{{{part}}}" in path]:
        path = path.replace(f"{{{part}}}", quote(str(given.pop(part))))
    if operation.method != "GET":
        return {"do": "request", "method": operation.method, "path": path, "body": given}
    return {"do": "request", "method": "GET", "path": f"{path}?{urlencode(given)}", "body": None}


@pytest.mark.parametrize("client", chosen(), ids=lambda client: client.name)
def test_scenario(client: Client, service: Child, table: report.Table, tmp_path: Path) -> None:
    with httpx.Client(base_url=service.url, trust_env=False) as browser:
        person = Person(browser, f"friend{next(_numbers)}")
        if client.oauth:
            assert person.sign_up().status_code == 303
        scenario = Scenario(client, service, person, tmp_path)
        with scenario.start():
            for name, step in scenario.steps.items():
                with table.recording(client, name, step):
                    if step:
                        step()
