"""The examples of the contract succeed: the commands of /docs, and calls with all that a form could be filled with."""

import json
import shlex
from functools import cache
from itertools import pairwise
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup

from tests.handlers.test_todos import add
from todo.contract import API, Operation

each_operation = pytest.mark.parametrize("operation", API.operations, ids=lambda operation: operation.id)


@pytest.fixture
def one_todo(client: httpx.Client, name: str) -> str:
    """A username whose list has what the examples name: to-do 1, in Shopping, by change 1."""
    add(client, name, "Buy milk", list="Shopping", create_list=True)
    return name


@cache
def commands(page: str) -> dict[str, list[str]]:
    """Returns the words of the command that the reference has for each operation."""
    codes = BeautifulSoup(page, "html.parser").select("section.operation code[id^=copy-]")
    return {str(code["id"]).removeprefix("copy-"): shlex.split(code.text) for code in codes}


def reference(client: httpx.Client, host: str = "localhost:8000") -> str:
    return client.get("/docs", headers={"Host": host}).raise_for_status().text


@each_operation
def test_command_of_the_reference(client: httpx.Client, one_todo: str, operation: Operation) -> None:
    words = commands(reference(client))[operation.id]
    options = dict(pairwise(words))
    (url,) = [word for word in words if word.startswith("http://localhost:8000/")]
    method = options.get("-X", "POST" if "-d" in options else "GET")
    assert method == operation.method
    headers = {"Content-Type": "application/json"} if "-d" in options else {}
    answer = client.request(method, url.replace("/kevin", f"/{one_todo}"), headers=headers, content=options.get("-d"))
    assert answer.is_success, answer.text


def test_the_reference_is_the_same_at_both_names_of_this_machine(client: httpx.Client) -> None:
    assert commands(reference(client, "127.0.0.1:8000")) == commands(reference(client))


@each_operation
def test_all_examples_at_once(client: httpx.Client, one_todo: str, operation: Operation) -> None:
    given: dict[str, dict[str, Any]] = {
        place: {parameter["name"]: parameter["example"] for parameter in API.parameters(operation, place)}
        for place in ("path", "query", "header")
    }
    body = API.resolve(operation.spec.get("requestBody", {}))
    content = {}
    if body:
        (media,) = body["content"].items()
        content = {"content": json.dumps(API.resolve(media[1]["schema"])["example"])}
        given["header"]["Content-Type"] = media[0]
    path = operation.path.format(**{**given["path"], "username": one_todo})
    answer = client.request(operation.method, path, params=given["query"], headers=given["header"], **content)
    assert answer.is_success, answer.text
