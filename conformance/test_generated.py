"""Generated clients run the README's story, and Prism between them and the service checks each request and answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from conformance import prism
from conformance.generators import GENERATORS, Python, TypeScript
from tests.conftest import AUTHORIZATION, SERVICE_KEY
from tests.e2e.processes import Child, migrated, new_client, serving

STORY = {
    "added": ["Buy milk", "2026-11-27", ["home"], "high"],
    "listed": ["Buy milk"],
    "completed": "done",
    "reopened": ["open"],
    "deleted": "deleted",
    "left": [],
    "undone": 3,  # changes after the one that added it
    "back": ["Buy milk"],
    "refused": [404, "todo_not_found"],
}
VIOLATIONS = "https://stoplight.io/prism/errors#VIOLATIONS"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with serving(migrated(tmp_path_factory.mktemp("generated"))) as child:
        yield child


@pytest.fixture
def contract(service: Child, tmp_path: Path) -> Path:
    """The contract as it is served."""
    file = tmp_path / "openapi.yaml"
    file.write_text(httpx.get(f"{service.url}/openapi.yaml", trust_env=False).text, encoding="utf-8")
    return file


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda generator: generator.name)
def test_readme_story(generator: Python | TypeScript, service: Child, contract: Path, tmp_path: Path) -> None:
    folder = tmp_path / "client"
    folder.mkdir()
    generator.generate(contract, folder)
    with prism.between(contract, service.url, tmp_path / "prism") as url:
        assert generator.tell_story(folder, url, SERVICE_KEY, generator.name) == STORY
    with new_client(service.url) as client:
        (todo,) = client.get(f"/todos/{generator.name}").json()["todos"]
    assert (todo["todo"], todo["status"], todo["priority"]) == ("Buy milk", "open", "high")


def test_prism_sees_violations(service: Child, contract: Path, tmp_path: Path) -> None:
    planted: dict[str, Any] = yaml.safe_load(contract.read_text(encoding="utf-8"))
    planted["components"]["schemas"]["Todo"]["properties"]["version"] = {"type": "string"}
    contract.write_text(yaml.safe_dump(planted), encoding="utf-8")
    with (
        prism.between(contract, service.url, tmp_path / "prism") as url,
        httpx.Client(base_url=url, headers=AUTHORIZATION, trust_env=False) as client,
    ):
        answer = client.post("/todos/planted", json={"todo": "Buy milk", "priority": None}).json()
        assert answer["type"] == VIOLATIONS
        assert [found["location"] for found in answer["validation"]] == [["response", "body", "version"]]
        # A schema that holds an enum of null is checked too.
        answer = client.post("/todos/planted", json={"todo": "Buy milk", "priority": "urgent"}).json()
        assert {tuple(found["location"]) for found in answer["validation"]} == {("body", "priority")}
