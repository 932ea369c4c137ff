"""MCP's conformance suite: what applies passes, and what does not apply is listed with the reason."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import node
from tests.e2e.processes import WEB, Child, migrated, started

# The server scenarios that apply, each with the checks in it that do not, and why. The suite sends no token, so it runs
# against conformance/keyed.py.
NO_DIAGNOSTIC_TOOL = "it needs the suite's own diagnostic tool, and every tool here is an operation of the contract"
NO_PROMPTS, NO_RESOURCES = "the server has no prompts", "the server has no resources"
NO_SUBSCRIPTIONS = "tools change only with a release, so there is nothing to subscribe to"
APPLY: dict[str, dict[str, str]] = {
    "server-initialize": {},
    "ping": {},
    "tools-list": {},
    "dns-rebinding-protection": {},
    "http-header-validation": {},
    "caching": {
        "sep-2549-prompts-list-caching-hints": NO_PROMPTS,
        "sep-2549-resources-list-caching-hints": NO_RESOURCES,
        "sep-2549-resources-templates-list-caching-hints": NO_RESOURCES,
        "sep-2549-resources-read-caching-hints": NO_RESOURCES,
    },
    "server-stateless": {
        "sep-2575-server-rejects-undeclared-capability": NO_DIAGNOSTIC_TOOL,
        "sep-2575-missing-capability-http-400": NO_DIAGNOSTIC_TOOL,
        "sep-2575-http-server-no-independent-requests-on-stream": NO_DIAGNOSTIC_TOOL,
        "sep-2575-server-no-log-without-loglevel": NO_DIAGNOSTIC_TOOL,
        "sep-2575-server-sends-subscription-ack": NO_SUBSCRIPTIONS,
        "sep-2575-server-tags-subscription-id": NO_SUBSCRIPTIONS,
        "sep-2575-server-honors-notification-filter": NO_SUBSCRIPTIONS,
        "sep-2575-server-sends-prompts-list-changed-on-subscription": NO_SUBSCRIPTIONS,
        "sep-2575-server-sends-tools-list-changed-on-subscription": NO_SUBSCRIPTIONS,
    },
    "server-session-lifecycle": {},
}
# The others, by the start of their names.
DO_NOT_APPLY = {
    "tools-call-": NO_DIAGNOSTIC_TOOL,
    "json-schema-2020-12": NO_DIAGNOSTIC_TOOL,
    "http-custom-header-server-validation": "no argument of a tool comes in a header",
    "logging-set-level": "nothing is logged to the client",
    "completion-complete": "there is nothing to complete: no prompts and no resource templates",
    "resources-": NO_RESOURCES,
    "sep-2164-resource-not-found": NO_RESOURCES,
    "sep-2640-skills-": NO_RESOURCES,
    "prompts-": NO_PROMPTS,
    "elicitation-": "the server asks the person nothing: a call is complete or refused",
    "input-required-result-": "the server asks the person nothing: a call is complete or refused",
    "server-sse-": "every answer is one JSON document, so that any worker can give it; nothing is streamed",
    "tasks-": "calls take milliseconds, so there are no tasks",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    environ = migrated(tmp_path_factory.mktemp("conformance"), WEB_CONCURRENCY="2")
    environ["PUBLIC_URL"] = environ["PUBLIC_URL"].replace("127.0.0.1", "localhost")
    with started([part.replace("wsgi:", "conformance.keyed:") for part in WEB], environ) as child:
        child.wait_until_ready()
        yield child


def scenarios(home: Path) -> list[str]:
    listed = node.run(home, "conformance", "list").stdout.partition("Client scenarios")[0]
    return [line.split()[1] for line in listed.splitlines() if line.startswith("  - ")]


def test_every_scenario_is_accounted_for(tmp_path: Path) -> None:
    found = scenarios(tmp_path)
    assert len(found) > 50
    for name in found:
        assert name in APPLY or any(name.startswith(start) for start in DO_NOT_APPLY), name
    assert set(APPLY) <= set(found)
    assert all(any(name.startswith(start) for name in found) for start in DO_NOT_APPLY)


@pytest.mark.parametrize("scenario", APPLY)
def test_scenario(service: Child, tmp_path: Path, scenario: str) -> None:
    command = ["server", "--url", f"{service.url}/mcp", "--scenario", scenario, "-o", str(tmp_path / "results")]
    ran = node.run(tmp_path, "conformance", *command)
    (file,) = (tmp_path / "results").rglob("checks.json")
    checks = json.loads(file.read_text(encoding="utf-8"))
    assert checks, ran.stdout
    unsettled = {
        check["id"]: check.get("errorMessage", "") for check in checks if check["status"] not in ("SUCCESS", "INFO")
    }
    assert unsettled.keys() == APPLY[scenario].keys(), unsettled
    assert any(check["status"] == "SUCCESS" for check in checks) or scenario == "server-session-lifecycle"
