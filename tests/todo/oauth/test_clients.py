"""Clients that anybody can register: as many as there is room for, the oldest unused going first."""

from datetime import timedelta
from itertools import count

import pytest
import time_machine

from todo.contract import SITE
from todo.oauth import clients, register
from todo.storage.engine import Engine
from todo.storage.statements import Connection

MOST = 10
HOUR = timedelta(hours=1)
UNUSED, REFRESH = SITE.limit("unused_client_hours") * HOUR, timedelta(days=SITE.limit("refresh_token_days"))
NOW = "2026-11-22T00:00:00Z"


@pytest.fixture(autouse=True)
def few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few clients are kept, and all are in one bucket."""
    numbers = count(1)
    monkeypatch.setattr(clients, "MAX_UNUSED", MOST)
    monkeypatch.setattr(clients, "bucket_of", lambda _: "a")
    monkeypatch.setattr(clients, "new_id", lambda: f"{next(numbers):032x}")


def registered(connection: Connection) -> str:
    metadata = {"redirect_uris": ["https://client.example/"], "token_endpoint_auth_method": "none"}
    return str(register.register(connection, metadata)["client_id"])


def document(connection: Connection, address: str) -> str:
    clients.save(connection, "document", address, "", [], fresh_until=NOW)
    return address


def use(connection: Connection, client_id: str) -> None:
    """Does what happens when a client is issued tokens."""
    client = clients.find(connection, client_id)
    assert client
    clients.keep(connection, client)


def known(connection: Connection, client_ids: list[str]) -> list[str]:
    return [client_id for client_id in client_ids if clients.find(connection, client_id)]


def end(connection: Connection, client_id: str) -> str | None:
    client = clients.find(connection, client_id)
    return client.expires_at if client else None


def test_a_flood_leaves_so_many_and_all_that_somebody_uses(engine: Engine) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        used = engine.submit_write(registered).result()
        used_document = engine.submit_write(document, "https://client.example/used.json").result()
        for client_id in (used, used_document):
            engine.submit_write(use, client_id).result()
        operators, _ = engine.submit_write(register.register_by_operator, "Mine", ["https://a.example/"]).result()
        # Shortly before its tokens expire, too.
        clock.shift(REFRESH - timedelta(seconds=5 * MOST + 2))
        flood = []
        for number in range(5 * MOST):
            clock.shift(1)
            flood.append(engine.submit_write(registered).result())
            flood.append(engine.submit_write(document, f"https://client.example/{number}").result())
        left = engine.submit_read(known, flood).result()
        assert left == flood[-len(left) :]
        assert 0 < len(left) <= MOST
        others = [used, used_document, operators]
        assert engine.submit_read(known, others).result() == others


def test_one_that_is_used_lasts_longer_than_its_tokens_and_then_ends(engine: Engine) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        ids = [engine.submit_write(registered).result(), engine.submit_write(document, "https://a.example/").result()]
        for client_id in ids:
            engine.submit_write(use, client_id).result()
        clock.shift(REFRESH)
        assert engine.submit_read(known, ids).result() == ids
        clock.shift(2 * UNUSED)
        assert engine.submit_read(known, ids).result() == []


def test_one_that_goes_on_being_used_goes_on(engine: Engine) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client_id = engine.submit_write(registered).result()
        for _ in range(5):
            engine.submit_write(use, client_id).result()
            clock.shift(REFRESH)
            engine.submit_write(registered).result()
        assert engine.submit_read(known, [client_id]).result() == [client_id]


def test_one_that_many_use_is_written_once_a_day(engine: Engine) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client_id = engine.submit_write(registered).result()
        ends = []
        for _ in range(4):
            engine.submit_write(use, client_id).result()
            ends.append(engine.submit_read(end, client_id).result())
            clock.shift(UNUSED / 2 + HOUR)
        assert len({*ends}) == 2
        assert ends == sorted(ends, key=str)


def test_a_document_that_is_fetched_again_lives_no_shorter(engine: Engine) -> None:
    with time_machine.travel(NOW, tick=False):
        address = engine.submit_write(document, "https://a.example/").result()
        engine.submit_write(use, address).result()
        before = engine.submit_read(end, address).result()
        engine.submit_write(document, address).result()
        assert engine.submit_read(end, address).result() == before


def test_one_of_the_operator_never_ends(engine: Engine) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client_id, _ = engine.submit_write(register.register_by_operator, "Mine", ["https://a.example/"]).result()
        engine.submit_write(use, client_id).result()
        clock.shift(20 * REFRESH)
        engine.submit_write(registered).result()
        assert engine.submit_read(known, [client_id]).result() == [client_id]


def test_buckets_share_the_limit(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(clients, "MAX_UNUSED", 2)
    for _ in range(200):
        engine.submit_write(registered).result()

    def sizes(connection: Connection) -> list[int]:
        rows = connection.driver.execute("SELECT COUNT(*) AS size FROM clients GROUP BY bucket").fetchall()
        return [row["size"] for row in rows]

    assert max(engine.submit_read(sizes).result()) <= 2
    assert len(engine.submit_read(sizes).result()) == 16
