"""What makes two requests with one request_id the same, whatever the code is called."""

from typing import Any

import httpx
import pytest

from tests.handlers.test_todos import add
from todo.contract import API
from todo.domain import idempotency
from todo.domain.idempotency import WriteResult, fingerprint, once
from todo.domain.users import Owner
from todo.errors import RequestIdReused
from todo.storage.engine import Engine
from todo.storage.statements import Connection

JSON = dict[str, Any]
KEVIN = Owner("kevin")
SAME = {"id": 1}


def complete(connection: Connection, owner: Owner, action: JSON, **_: Any) -> JSON:
    return {"by": "complete"}


def renamed(connection: Connection, owner: Owner, action: JSON, **_: Any) -> JSON:
    return {"by": "renamed"}


def test_renaming_a_rule_leaves_the_fingerprint_as_it_was(engine: Engine) -> None:
    first = engine.submit_write(once, KEVIN, "complete_todo", "k", complete, SAME).result()
    again = engine.submit_write(once, KEVIN, "complete_todo", "k", renamed, SAME).result()
    assert (first, again) == (WriteResult({"by": "complete"}), WriteResult({"by": "complete"}, replayed=True))


def test_two_operations_with_the_same_body_and_request_id_conflict(engine: Engine) -> None:
    engine.submit_write(once, KEVIN, "complete_todo", "k", complete, SAME).result()
    with pytest.raises(RequestIdReused):
        engine.submit_write(once, KEVIN, "reopen_todo", "k", complete, SAME).result()


@pytest.mark.parametrize(
    ("operation", "former"),
    [("complete_todo", "act"), ("add_todo", "add"), ("change_todos", "apply"), ("undo_change", "undo")],
)
def test_an_answer_from_before_the_upgrade_is_found(
    engine: Engine, operation: str, former: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        before = fingerprint(former, (SAME,), {"force": False})
        patched.setattr(idempotency, "fingerprint", lambda *_: before)
        engine.submit_write(once, KEVIN, operation, "k", complete, SAME, force=False).result()
    assert engine.submit_write(once, KEVIN, operation, "k", complete, SAME, force=False).result().replayed
    with pytest.raises(RequestIdReused):
        engine.submit_write(once, KEVIN, operation, "k", complete, SAME, force=True).result()


WRITES = [
    ("add_todo", {"todo": "x"}),
    ("delete_todo_by_index", {"todo_idx": 0}),
    ("update_todo", {"todo": "y"}),
    ("delete_todo", {}),
    ("complete_todo", {}),
    ("reopen_todo", {}),
    ("share_todo", {}),
    ("unshare_todo", {}),
    ("change_todos", {"actions": [{"action": "add", "todo": "z"}]}),
    ("change_matching_todos", {"filter": {"when": "no_due"}, "action": "complete", "expect": 1}),
    ("undo_change", {}),
    ("update_list", {"name": "Journey"}),
    ("delete_list", {}),
    ("update_profile", {"time_zone": "Asia/Tokyo"}),
]


def test_every_operation_with_a_request_id_is_among_them() -> None:
    writes = [operation.id for operation in API.operations if operation.method != "GET"]
    assert sorted(writes) == sorted(name for name, _ in WRITES)


@pytest.mark.parametrize(("operation_id", "body"), WRITES)
def test_handlers_name_their_own_operation(
    client: httpx.Client, name: str, operation_id: str, body: JSON, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(client, name)
    client.patch(f"/lists/{name}/Trip", json={"create_list": True})
    (operation,) = [operation for operation in API.operations if operation.id == operation_id]
    named = []
    keep = idempotency.fingerprint
    monkeypatch.setattr(idempotency, "fingerprint", lambda *asked: named.append(asked[0]) or keep(*asked))
    path = operation.path.format(username=name, todo_id=1, change_id=1, list="Trip")
    assert client.request(operation.method, path, json={**body, "request_id": "k"}).is_success
    assert named == [operation_id]
