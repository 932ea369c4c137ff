"""MCP Inspector's command line lists and calls every tool, in both eras, with the service key and through OAuth."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance import node
from tests.contract.test_tools import arguments
from tests.e2e.processes import Child, free_port, migrated, serving
from tests.e2e.test_mcp_clients import OPERATIONS
from tests.e2e.test_oauth_clients import allow
from tests.people import Person

ERAS = ["legacy", "modern"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with serving(migrated(tmp_path_factory.mktemp("inspector"), WEB_CONCURRENCY="2")) as child:
        yield child


def inspect(service: Child, home: Path, era: str, *options: str) -> Any:
    """Runs the Inspector and returns the result that it prints."""
    key = f"Authorization: Bearer {service.environ['SERVICE_AUTH_KEY']}"
    ran = node.run(
        home,
        *("mcp-inspector", "--cli", f"{service.url}/mcp", "--protocol-era", era, "--format", "json"),
        *("--header", key, *options),
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    told = json.loads(ran.stdout)
    return told.get("result", told)


@pytest.mark.parametrize("era", ERAS)
def test_every_tool(service: Child, tmp_path: Path, era: str) -> None:
    # --strict fails on schemas that some hosts reject.
    listed = inspect(service, tmp_path, era, "--method", "tools/list", "--strict")
    assert [tool["name"] for tool in listed["tools"]] == list(OPERATIONS)

    def call(name: str, /, **given: Any) -> Any:
        options = ("--tool-name", name, "--tool-args-json", json.dumps({"username": f"inspector-{era}", **given}))
        result = inspect(service, tmp_path, era, "--method", "tools/call", *options)
        assert not result.get("isError")
        return result["structuredContent"]

    repeating = {"action": "add", "todo": "b", "due": "2026-11-27", "repeat": "FREQ=DAILY"}
    first, third = ({"action": "add", "todo": text, "notes": "n"} for text in "ac")
    fourth = {"action": "add", "todo": "d", "tags": ["t"], "steps": ["s", "t"]}
    fifth = {"action": "add", "todo": "e", "list": "Trip", "create_list": True}
    call("change_todos", actions=[first, repeating, third, fourth, fifth, {"action": "complete", "id": 3}])
    call("delete_todo", todo_id=4)
    for name, operation in OPERATIONS.items():
        given = {**arguments(operation), **({"change_id": 2} if name == "undo_change" else {})}
        answer = call(name, **given)
        if operation.method != "GET" and name != "undo_change":
            call("undo_change", change_id=answer["change_id"])


@pytest.mark.parametrize("era", ERAS)
def test_through_oauth(service: Child, tmp_path: Path, era: str) -> None:
    callback = f"http://127.0.0.1:{free_port()}/oauth/callback"
    with httpx.Client(base_url=service.url, trust_env=False) as browser:
        person = Person(browser, f"inspector-oauth-{era}")
        assert person.sign_up().status_code == 303
        command = [
            *(node.programs() / "mcp-inspector", "--cli", f"{service.url}/mcp", "--protocol-era", era),
            *("--callback-url", callback, "--method", "tools/call", "--tool-name", "add_todo"),
            *("--tool-args-json", '{"todo": "by the Inspector"}'),
        ]
        keyboard, end = os.openpty()  # it only offers to sign in on a terminal
        with subprocess.Popen(
            command,
            cwd=node.HERE,
            env={**node.environ(tmp_path), "MCP_AUTO_OPEN_ENABLED": "false"},
            stdin=end,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as inspector:
            assert inspector.stdout
            said = ""
            try:
                for line in inspector.stdout:
                    said += line
                    leads_to = re.search(rf"{service.url}/oauth/authorize\?\S+", line)
                    if leads_to:
                        httpx.get(allow(person, leads_to[0]), trust_env=False).raise_for_status()
                assert inspector.wait(60) == 0, said
            finally:
                inspector.kill()
                os.close(keyboard)
                os.close(end)
        assert '"isError": false' in said or '"todo": "by the Inspector"' in said, said
        assert "Inspector" in browser.get("/account").text
