"""The Procfile under honcho: the tutorial's requests, and a plugin host that knows nothing but the manifest."""

import contextlib
import io
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import yaml
from PIL import Image

from tests.conftest import SERVICE_KEY
from tests.e2e.processes import PROCFILE, Child, Environ, environ_for, new_client, started
from todo.contract import API

pytestmark = pytest.mark.slow

HONCHO = ["honcho", "-e", os.devnull]  # in place of the developer's own .env
METHODS = {"get", "post", "put", "patch", "delete"}
# What a caller cannot make up stands in an earlier answer, under another name.
IN_ANSWERS = {"todo_id": "id", "if_version": "version", "cursor": "next_cursor", "id": "id", "change_id": "change_id"}

JSON = dict[str, Any]


def release(environ: Environ) -> None:
    """Runs the release command to its end, as a platform does before it starts the web command."""
    with started([*HONCHO, "run", "sh", "-c", PROCFILE["release"]], environ) as child:
        assert child.wait() == 0, child.output


@contextlib.contextmanager
def honcho_started(environ: Environ, *names: str) -> Iterator[Child]:
    """Yields honcho with the Procfile's commands of these names, or with all of them, once the service answers."""
    with started([*HONCHO, "start", *names], environ) as honcho:
        try:
            honcho.wait_until_ready()
            yield honcho
        finally:
            end(honcho)


def end(honcho: Child) -> None:
    """Ends honcho and what it started, by force if it must be: those are in groups of their own."""
    if honcho.process.poll() is None:
        try:
            honcho.terminate()
        except subprocess.TimeoutExpired:
            for group in re.findall(r"started \(pid=(\d+)\)", honcho.output):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(int(group), signal.SIGKILL)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    environ = environ_for(tmp_path_factory.mktemp("procfile"))
    release(environ)
    with honcho_started(environ, "web") as honcho:
        yield honcho


@pytest.fixture
def http(web: Child) -> Iterator[httpx.Client]:
    with new_client(web.url) as client:
        yield client


class PluginHost:
    """Reads the contract that a site's manifest names, and calls what the contract describes with its own examples."""

    def __init__(self, http: httpx.Client, site: str) -> None:
        self.http = http
        self.manifest = http.get(f"{site}/.well-known/ai-plugin.json").json()
        self.contract = yaml.safe_load(http.get(self.manifest["api"]["url"]).text)
        self.answered: JSON = {}

    @property
    def operations(self) -> list[tuple[str, str, JSON]]:
        paths = self.contract["paths"].items()
        return [(method, path, item[method]) for path, item in paths for method in item if method in METHODS]

    def call(self, method: str, path: str, operation: JSON) -> httpx.Response:
        """Returns the answer to one call, with the values of the contract's examples and of the answers so far."""
        url = path
        query = {}
        for parameter in map(self._resolve, operation.get("parameters", [])):
            value = self._value(parameter["name"], self._example(parameter))
            if parameter["in"] == "path":
                url = url.replace(f"{{{parameter['name']}}}", quote(str(value), safe=""))
            elif parameter["in"] == "query" and value is not None:
                query[parameter["name"]] = value
        answer = self.http.request(
            method, self.contract["servers"][0]["url"] + url, params=query, json=self._body(operation)
        )
        self.answered |= answer.json()
        return answer

    def _body(self, operation: JSON) -> JSON | None:
        if "requestBody" not in operation:
            return None
        return self._filled(self._example(self._resolve(operation["requestBody"])["content"]["application/json"]))

    def _filled(self, example: Any) -> Any:
        if isinstance(example, list):
            return [self._filled(item) for item in example]
        if isinstance(example, dict):
            return {name: self._value(name, self._filled(value)) for name, value in example.items()}
        return example

    def _value(self, name: str, example: Any) -> Any:
        return self.answered.get(IN_ANSWERS[name]) if name in IN_ANSWERS else example

    def _example(self, described: JSON) -> Any:
        return described["example"] if "example" in described else self._resolve(described["schema"])["example"]

    def _resolve(self, node: JSON) -> JSON:
        while "$ref" in node:
            target = self.contract
            for name in node["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            node = target
        return node


def test_plugin_host_can_call_every_operation(http: httpx.Client, web: Child) -> None:
    host = PluginHost(http, web.url)
    assert host.manifest["auth"]["authorization_type"] == "bearer"
    [add] = [operation for operation in host.operations if operation[2]["operationId"] == "add_todo"]
    for operation in host.operations:
        host.call(*add)
        answer = host.call(*operation)
        assert answer.is_success, f"{operation[2]['operationId']}: {answer.text}"
    assert len(host.operations) == len(API.operations)


def test_tutorial_requests(http: httpx.Client) -> None:
    assert http.get("/todos/global").json()["todos"] == []
    assert http.post("/todos/global", json={"todo": "Buy milk"}).status_code == 201
    assert [todo["todo"] for todo in http.get("/todos/global").json()["todos"]] == ["Buy milk"]
    assert http.request("DELETE", "/todos/global", json={"todo_idx": 0}).status_code == 200
    assert http.get("/todos/global").json()["todos"] == []


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_no_token(http: httpx.Client, method: str) -> None:
    del http.headers["Authorization"]
    refused = http.request(method, "/todos/global", json=None if method == "GET" else {"todo": "Buy milk"})
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer ")


def test_wrong_token(http: httpx.Client) -> None:
    http.headers["Authorization"] = f"Bearer {SERVICE_KEY}x"
    refused = http.get("/todos/global")
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]


def test_wrong_field_is_named(http: httpx.Client) -> None:
    refused = http.post("/todos/global", json={"todo": 5})
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == ["todo"]


def test_logo(http: httpx.Client) -> None:
    answer = http.get("/logo.png")
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as logo:
        assert (logo.format, logo.size) == ("PNG", (512, 512))


@pytest.mark.parametrize("names", [["web"], []], ids=["web", "all"])
def test_sigterm_ends_everything(tmp_path: Path, names: list[str]) -> None:
    environ = environ_for(tmp_path)
    release(environ)
    with honcho_started(environ, *names) as honcho:
        honcho.terminate()
        # Honcho says so when nobody holds the other end of a command's output any more.
        stopped = re.findall(r"(\w+)\.1 stopped", honcho.output)
        assert sorted(stopped) == sorted(names or PROCFILE)
        assert "Shutting down: Master" in honcho.output
        assert not honcho.listens
