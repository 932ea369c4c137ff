"""What the tools and a list cost in tokens, by the o200k encoding of gpt-tokenizer."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from conformance import node
from tests.contract.test_tools import MOST_TOKENS, TOKENS_PER_TOOL, ordinary_todos
from tests.e2e.processes import migrated, new_client, serving
from tests.hosts import NEWER, OLDER, call, done, send
from tests.people import Client, Person, bearer
from todo.contract import API

COUNT = "process.stdout.write(String(require('gpt-tokenizer/encoding/o200k_base').encode(require('fs').readFileSync(0, 'utf8')).length))"  # noqa: E501
INSTRUCTIONS = API.document["info"]["x-mcp"]["instructions"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with serving(migrated(tmp_path_factory.mktemp("tokens"))) as child, new_client(child.url) as client:
        yield client


def tokens(home: Path, text: str) -> int:
    ran = node.run(home, "node", "-e", COUNT, text=text)
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout)


@pytest.mark.parametrize("era", [OLDER, NEWER])
@pytest.mark.parametrize("for_service", [True, False], ids=["service key", "user"])
def test_tools_and_instructions(client: httpx.Client, tmp_path: Path, era: str, for_service: bool) -> None:
    with httpx.Client(base_url=client.base_url, trust_env=False) as browser:
        headers = {}
        if not for_service:
            person = Person(browser, f"counter{era}")
            person.sign_up()
            headers = bearer(Client.registered(browser, "http://127.0.0.1/callback").connect(person)["access_token"])
        listed = send(client, "tools/list", era=era, **headers).json()["result"]["tools"]
    cost = tokens(tmp_path, orjson.dumps({"tools": listed}).decode())
    print(f"tools/list {cost} tokens, instructions {tokens(tmp_path, INSTRUCTIONS)}")
    assert cost + tokens(tmp_path, INSTRUCTIONS) <= min(TOKENS_PER_TOOL * (len(listed) + 1), MOST_TOKENS)


def test_instructions(tmp_path: Path) -> None:
    assert tokens(tmp_path, INSTRUCTIONS) <= 250


def test_twenty_ordinary_todos(client: httpx.Client, tmp_path: Path) -> None:
    done(client, "change_todos", username="twenty", actions=ordinary_todos())
    cost = tokens(tmp_path, call(client, "list_todos", username="twenty")["content"][0]["text"])
    print(f"20 ordinary to-dos {cost} tokens")
    assert cost <= 1_100
