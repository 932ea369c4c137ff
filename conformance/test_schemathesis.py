"""Stock schemathesis, as its command line runs with the schemathesis.toml of this repository, finds nothing."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.e2e.processes import BIN, ROOT, Child, migrated, new_client, serving

TODOS = 40  # that are there when it begins
EXAMPLES = 10  # for each operation, beside the examples of the contract and the edges of its schemas
SECONDS = 300  # more than a busy machine needs


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with serving(migrated(tmp_path_factory.mktemp("schemathesis"))) as child, new_client(child.url) as client:
        for number in range(TODOS):
            client.post("/todos/kevin", json={"todo": f"To-do {number}", "steps": ["Eggs"]}).raise_for_status()
        yield child


def run(service: Child, location: str, *options: str) -> tuple[int, str]:
    """Returns the exit status of `st run`, and what it says."""
    (authorization,) = service.authorization.items()
    command = [BIN / "st", "run", location, "--header", ": ".join(authorization), "--seed", "1", "--no-color", *options]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def test_finds_nothing(service: Child) -> None:
    status, said = run(service, f"{service.url}/openapi.yaml", "--max-examples", str(EXAMPLES))
    print(said)
    assert status == 0, said
    assert "WARNINGS" not in said


def test_finds_what_is_planted(service: Child, tmp_path: Path) -> None:
    served = yaml.safe_load(httpx.get(f"{service.url}/openapi.yaml", trust_env=False).text)
    served["components"]["schemas"]["Profile"]["required"].append("colour")
    planted = tmp_path / "openapi.yaml"
    planted.write_text(yaml.safe_dump(served), encoding="utf-8")
    options = ("--url", service.url, "--include-operation-id", "get_profile", "--phases", "examples")
    status, said = run(service, str(planted), *options)
    assert status == 1
    assert "Response violates schema" in said, said
    assert "colour" in said, said
