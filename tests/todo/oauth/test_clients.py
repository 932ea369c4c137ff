"""Clients that anybody can register: as many as there is room for, the oldest unused going first."""

from datetime import timedelta

import pytest
import time_machine

from todo.accounts import grants
from todo.domain import users
from todo.domain.users import Owner, utc_now
from todo.oauth import clients, register
from todo.storage.engine import Engine
from todo.storage.statements import Connection

MOST = 10
HOUR = timedelta(hours=1)
NOW = "2026-11-22T00:00:00Z"


@pytest.fixture(autouse=True)
def few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "MAX_UNUSED", MOST)


def registered(connection: Connection) -> str:
    metadata = {"redirect_uris": ["https://client.example/"], "token_endpoint_auth_method": "none"}
    return str(register.register(connection, metadata)["client_id"])


def connect(connection: Connection, client_id: str) -> None:
    """Lets somebody be connected with a client."""
    user = users.open_list(connection, Owner("kevin"))
    connection.insert_grant(
        user_id=user.id, id=client_id[:32], client_id=client_id, client_name="", scope="", resource="", now=NOW
    )
    connection.keep_client(id=client_id)


def known(connection: Connection, client_ids: list[str]) -> list[str]:
    return [client_id for client_id in client_ids if clients.find(connection, client_id)]


def test_a_flood_leaves_so_many_and_all_that_somebody_uses(engine: Engine) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        used, document = engine.submit_write(registered).result(), "https://client.example/used.json"
        engine.submit_write(connect, used).result()
        engine.submit_write(clients.save, "document", document, "", [], expires_at=NOW).result()
        engine.submit_write(connect, document).result()
        operators, _ = engine.submit_write(register.register_by_operator, "Mine", ["https://a.example/"]).result()
        flood, documents = [], [f"https://client.example/{number}" for number in range(5 * MOST)]
        for address in documents:
            clock.shift(1)
            flood.append(engine.submit_write(registered).result())
            engine.submit_write(clients.save, "document", address, "", [], expires_at=utc_now(HOUR)).result()
        left = engine.submit_read(known, flood).result()
        assert left == flood[-len(left) :]
        assert 0 < len(left) + len(engine.submit_read(known, documents).result()) <= MOST
        others = [used, document, operators]
        assert engine.submit_read(known, others).result() == others


def test_one_whom_nobody_is_connected_with_any_more_is_unused_again(engine: Engine) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        disconnected, deleted = (engine.submit_write(registered).result() for _ in range(2))
        for client_id in (disconnected, deleted):
            engine.submit_write(connect, client_id).result()
        clock.shift(48 * HOUR)
        assert engine.submit_read(known, [disconnected, deleted]).result() == [disconnected, deleted]
        user = engine.submit_read(users.find, Owner("kevin")).result()
        engine.submit_write(grants.end, user.id, disconnected).result()
        engine.submit_write(users.forget, Owner("kevin")).result()
        assert engine.submit_read(known, [disconnected, deleted]).result() == [disconnected, deleted]
        clock.shift(48 * HOUR)
        assert engine.submit_read(known, [disconnected, deleted]).result() == []


def test_one_that_is_being_connected_while_another_disconnects_stays(engine: Engine) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client_id = engine.submit_write(registered).result()
        engine.submit_write(connect, client_id).result()
        expire = "UPDATE clients SET expires_at = '2026-11-22T01:00:00Z'"
        engine.submit_write(lambda connection: connection.driver.execute(expire)).result()
        clock.shift(48 * HOUR)
        engine.submit_write(registered).result()
        assert engine.submit_read(known, [client_id]).result() == [client_id]
