"""Each write to a list changes its user's row, by which a replica shows whether it has the write."""

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import running
from todo.domain import history, trash
from todo.domain.users import Owner, User, find
from todo.storage.engine import Engine

WRITES = [
    ("POST", "", {"todo": "Buy milk"}),
    ("POST", "", {"todo": "Buy bread", "request_id": "id-1"}),
    ("PATCH", "/1", {"notes": "the oat one"}),
    ("POST", "/1/complete", None),
    ("POST", "/1/reopen", None),
    ("POST", "/1/share", None),
    ("DELETE", "/1/share", None),
    ("POST", "/changes", {"actions": [{"action": "update", "id": 2, "priority": "high"}]}),
    ("POST", "/changes/8/undo", None),
    ("DELETE", "", {"todo_idx": 0}),
    ("DELETE", "/2", None),
]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    with running(database_url) as engine:
        yield engine


def test_each_write_changes_the_row(client: httpx.Client, engine: Engine, name: str) -> None:
    def row() -> User:
        return engine.submit_read(find, Owner(name)).result()

    rows = [row()]
    for method, path, body in WRITES:
        client.request(method, f"/todos/{name}{path}", json=body).raise_for_status()
        rows.append(row())
    client.patch(f"/profiles/{name}", json={"time_zone": "Asia/Tokyo"}).raise_for_status()
    rows.append(row())
    for purge in (trash.empty_some, history.clear_some):
        engine.submit_write(purge, Owner(name), rows[-1].last_change_id).result()
        rows.append(row())
    assert len(set(rows)) == len(rows) == len(WRITES) + 4
