"""search and fetch, over HTTP."""

import httpx
import pytest

from tests.handlers.test_todos import add


@pytest.fixture
def filled(client: httpx.Client, name: str) -> str:
    add(client, name, "Call the dentist", notes="about the bill")
    add(client, name, "Pay the bill of the dentist", due="2026-11-27", tags=["money", "Zahnarzt"])
    add(client, name, "Buy milk")
    add(client, name, "Dentist, deleted")
    client.post(f"/todos/{name}/1/complete")
    client.delete(f"/todos/{name}/4")
    return name


def found(client: httpx.Client, name: str, query: str) -> list[str]:
    return [result["id"] for result in client.get(f"/todos/{name}/search", params={"query": query}).json()["results"]]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("dentist", ["2", "1"]),
        ("DENTIST", ["2", "1"]),
        ("milk dentist bill", ["2", "1", "3"]),
        ("zahnarzt", ["2"]),
        ("about the bill", ["1", "2"]),
        ("nothing of the kind", ["2", "1"]),  # "the"
        ("%", []),
        ("_", []),
    ],
)
def test_search(client: httpx.Client, filled: str, query: str, ids: list[str]) -> None:
    assert found(client, filled, query) == ids


def test_search_of_a_list_that_nobody_has_opened(client: httpx.Client, name: str) -> None:
    assert found(client, name, "milk") == []


def test_search_finds_twenty_at_most(client: httpx.Client, name: str) -> None:
    actions = [{"action": "add", "todo": f"Milk {number}"} for number in range(25)]
    client.post(f"/todos/{name}/changes", json={"actions": actions}).raise_for_status()
    assert found(client, name, "milk") == [str(number) for number in range(25, 5, -1)]


def test_search_leads_to_fetch(client: httpx.Client, filled: str) -> None:
    result = client.get(f"/todos/{filled}/search", params={"query": "money"}).json()["results"][0]
    url = f"http://localhost:8000/todos/{filled}/2"
    assert result == {"id": "2", "title": "Pay the bill of the dentist", "url": url}
    document = client.get(f"/todos/{filled}/search/{result['id']}").json()
    metadata = document.pop("metadata")
    assert document == {"id": "2", "title": result["title"], "text": result["title"], "url": url}
    assert metadata.items() >= {"status": "open", "due_weekday": "Friday", "tags": "money, Zahnarzt"}.items()
    assert metadata["overdue"] in ("true", "false")
    assert client.get(url.removeprefix("http://localhost:8000")).status_code == 200


def test_fetch_has_the_notes_in_its_text(client: httpx.Client, filled: str) -> None:
    assert client.get(f"/todos/{filled}/search/1").json()["text"] == "Call the dentist\n\nabout the bill"


@pytest.mark.parametrize(("todo_id", "status"), [("4", 404), ("99", 404), ("0", 400), ("x", 400), ("9" * 10, 400)])
def test_fetch_of_what_is_not_there(client: httpx.Client, filled: str, todo_id: str, status: int) -> None:
    assert client.get(f"/todos/{filled}/search/{todo_id}").status_code == status
