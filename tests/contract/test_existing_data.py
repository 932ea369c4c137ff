"""A database of an earlier version opens with its to-dos, and its log gives them too."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from hashlib import blake2b
from typing import Any

import httpx
import orjson
import psycopg
import pytest
from starlette.testclient import TestClient

from tests.conftest import AUTHORIZATION, GENEROUS, SERVICE_KEY, downgrade, migrate, running
from tests.replay import assert_bytes_are_counted, assert_log_gives_the_list
from todo.app import create_app
from todo.config import Settings
from todo.domain import changes, order
from todo.domain.changes import ActorFilter
from todo.domain.conversations import Span
from todo.domain.folding import fold, fold_for_search
from todo.domain.forgetting import forget
from todo.domain.quota import ROW_BYTES
from todo.domain.undo import undo_all
from todo.domain.users import Owner, utc_now
from todo.oauth import clients
from todo.storage.database import open_engine
from todo.storage.statements import Connection

pytestmark = pytest.mark.slow_on_postgresql

USERS = [
    {"id": 1, "username": "kevin", "time_zone": "Asia/Tokyo", "time_zone_guessed": False, "last_todo_id": 3},
    {"id": 2, "username": "nobody", "time_zone": None, "time_zone_guessed": True, "last_todo_id": 0},
]
TODO = {
    "user_id": 1,
    "notes": "die Hafermilch",
    "due": "2199-11-27",
    "due_key": "2199-11-27",
    "urgency": 0,
    "tags": '["Läden"]',
    "tag_keys": "\nläden\n",
    "search_text": "buy milk die hafermilch läden",
    "version": 2,
    "created_at": "2026-11-20T00:00:00Z",
    "updated_at": "2026-11-21T00:00:00Z",
}
TODOS = [
    {**TODO, "id": 1, "todo": "open", "status": "open"},
    {**TODO, "id": 2, "todo": "done", "status": "done", "done_at": "2026-11-21T00:00:00Z"},
    {**TODO, "id": 3, "todo": "deleted", "status": "deleted", "deleted_at": "2026-11-21T00:00:00Z"},
]


def connect(database_url: str) -> Any:
    if database_url.startswith("sqlite"):
        return sqlite3.connect(database_url.removeprefix("sqlite:///"))
    return psycopg.connect(database_url)


def select(database_url: str, statement: str) -> list[Any]:
    with closing(connect(database_url)) as connection:
        return list(connection.execute(statement).fetchall())


def execute(database_url: str, statement: str, values: Sequence[Any] = ()) -> None:
    with closing(connect(database_url)) as connection:
        connection.execute(statement, values)
        connection.commit()


def insert(database_url: str, table: str, rows: list[dict[str, Any]]) -> None:
    mark = "?" if database_url.startswith("sqlite") else "%s"
    for row in rows:
        values = ", ".join([mark] * len(row))
        execute(database_url, f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})", list(row.values()))


@pytest.fixture
def old_database(empty_database: str) -> str:
    """A database as the first version left it."""
    migrate(empty_database, "0001")
    insert(empty_database, "users", [{**user, "created_at": "2026-11-20T00:00:00Z"} for user in USERS])
    insert(empty_database, "todos", TODOS)
    return empty_database


def test_its_todos_are_there_and_in_the_log(old_database: str) -> None:
    migrate(old_database)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=old_database, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        (todo,) = client.get("/todos/kevin?q=hafermilch&tag=läden&priority=high").json()["todos"]
        assert (
            todo.items() >= {"id": 1, "todo": "open", "notes": "die Hafermilch", "version": 2, "change_id": 1}.items()
        )
        assert client.get("/profiles/kevin").json()["counts"] == {"open": 1, "overdue": 0, "done": 1, "deleted": 1}
        (change,) = client.get("/todos/kevin/changes").json()["changes"]
        assert (change["actor"], len(change["todos"])) == ("operator", 3)
        assert client.post("/todos/kevin", json={"todo": "new"}).json().items() >= {"id": 4, "change_id": 2}.items()
        assert client.post("/todos/kevin/1/complete").status_code == 200
        assert client.post("/todos/kevin/changes/3/undo").status_code == 200
        assert client.post("/todos/nobody", json={"todo": "new"}).json()["change_id"] == 1
        refused = client.post("/todos/kevin/changes/1/undo")
        assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_undo")
        assert_log_gives_the_list(old_database, "kevin")


LONG = "The same words, again and again. " * 100
WHOLE = {
    "id": 1,
    "todo": "Buy milk",
    "notes": f"{LONG}old{LONG}",
    "created_at": "2026-11-20T00:00:00Z",
    "updated_at": "2026-11-20T00:00:00Z",
    "priority": "none",
    "status": "open",
    "version": 1,
    "change_id": 1,
}
EDITED = {**WHOLE, "notes": f"{LONG}new{LONG}", "tags": ["t"], "version": 2, "change_id": 2}
DONE = {**EDITED, "status": "done", "done_at": "2026-11-21T00:00:00Z", "version": 3, "change_id": 3}
STEPS = [("add", None, WHOLE), ("update", WHOLE, EDITED), ("complete", EDITED, DONE)]


@pytest.fixture
def whole_log(empty_database: str) -> str:
    """A database whose log has each to-do as a whole, before and after, as the version before 0006 left it."""
    migrate(empty_database, "0005")
    counts = {"last_todo_id": 1, "last_change_id": 3, "done_count": 1, "created_at": "2026-11-20T00:00:00Z"}
    insert(empty_database, "users", [{"id": 1, "username": "kevin", "time_zone_guessed": True, **counts}])
    columns = {name: value for name, value in DONE.items() if name not in ("priority", "tags")}
    text = fold(f"Buy milk\n{DONE['notes']}\nt")
    derived = {"urgency": 3, "due_key": "9999", "tags": '["t"]', "tag_keys": "\nt\n", "search_text": text}
    shown = {name: DONE[name] for name in ("id", "todo", "notes", "tags", "status", "version", "change_id")}
    insert(empty_database, "todos", [{"user_id": 1, **columns, **derived, "json": compact(shown)}])
    told = {"user_id": 1, "at": "2026-11-21T00:00:00Z", "actor": "operator", "client": "", "summary": "Done."}
    insert(empty_database, "changes", [{**told, "id": number} for number in (1, 2, 3)])
    entries = [
        {"action": action, "before": before and compact(before), "after": compact(after)}
        for action, before, after in STEPS
    ]
    rows = [{"user_id": 1, "change_id": n, "todo_id": 1, **entry} for n, entry in enumerate(entries, start=1)]
    insert(empty_database, "entries", rows)
    return empty_database


def compact(value: Any) -> str:
    return orjson.dumps(value).decode()


FORMER_LOG = "SELECT before, after FROM entries ORDER BY change_id"
LOG = "SELECT before, after FROM changes ORDER BY id"


def test_a_log_of_whole_todos_keeps_what_differs_and_can_be_undone(whole_log: str) -> None:
    migrate(whole_log)
    sizes = [len((before or "") + after) for before, after in select(whole_log, LOG)]
    assert sizes[0] > 2 * len(LONG) > 4 * max(sizes[1:])
    assert_log_gives_the_list(whole_log, "kevin")
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=whole_log, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        assert client.post("/todos/kevin/changes/3/undo").status_code == 200
        assert client.post("/todos/kevin/changes/2/undo").status_code == 200
        (todo,) = client.get("/todos/kevin").json()["todos"]
        assert (todo["notes"], "tags" in todo) == (WHOLE["notes"], False)
    assert_log_gives_the_list(whole_log, "kevin")


def test_a_downgrade_makes_the_log_whole_again(whole_log: str) -> None:
    before = select(whole_log, FORMER_LOG)
    migrate(whole_log)
    downgrade(whole_log, "0005")

    def read(rows: list[Any]) -> list[Any]:
        return [[side and {"tags": [], **orjson.loads(side)} for side in row] for row in rows]

    assert read(select(whole_log, FORMER_LOG)) == read(before)


def test_down_to_two_tables_and_up_again_the_log_is_the_same(empty_database: str) -> None:
    migrate(empty_database)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=empty_database, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        for zone in ("UTC", "Asia/Tokyo"):
            client.patch("/profiles/kevin", json={"time_zone": zone}).raise_for_status()
        add = {"action": "add", "todo": "Buy bread"}
        for body in ({"actions": [add, add]}, {"actions": [{"action": "update", "id": 1, "notes": LONG}]}):
            client.post("/todos/kevin/changes", json=body).raise_for_status()
        client.post("/todos/kevin", json={"todo": "Buy milk"}).raise_for_status()
        for undone in (5, 6, 7, 2):  # an addition, that undo, the undo of it, and the second time zone
            client.post(f"/todos/kevin/changes/{undone}/undo").raise_for_status()
    everything = "SELECT * FROM changes ORDER BY id, overflow, record_id", "SELECT id, bytes FROM users"
    removed = "SELECT id, status, version, change_id, bytes FROM todos ORDER BY id"
    before = [select(empty_database, statement) for statement in (*everything, removed)]
    downgrade(empty_database, "0008")
    zones = select(empty_database, "SELECT before, after FROM entries WHERE todo_id = 0 ORDER BY change_id")
    assert [[orjson.loads(side) for side in row] for row in zones] == [
        [{"time_zone": old, "time_zone_guessed": old is None}, {"time_zone": new, "time_zone_guessed": False}]
        for old, new in ((None, "UTC"), ("UTC", "Asia/Tokyo"), ("Asia/Tokyo", "UTC"))
    ]
    for size, *sides in select(empty_database, "SELECT bytes, before, after FROM entries"):
        assert size == ROW_BYTES + sum(len(side.encode()) for side in sides if side)
    migrate(empty_database)
    assert [select(empty_database, statement) for statement in (*everything, removed)] == before
    assert_log_gives_the_list(empty_database, "kevin")


def test_a_downgrade_to_before_shares_leaves_no_address(whole_log: str) -> None:
    migrate(whole_log)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=whole_log, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        assert "url" in client.post("/todos/kevin/1/share", json={"url_until": "2199-01-01"}).json()
    downgrade(whole_log, "0004")
    migrate(whole_log)
    ((shown,),) = select(whole_log, "SELECT json FROM todos")
    assert not {"url", "url_until"} & orjson.loads(shown).keys()
    assert orjson.loads(shown)["notes"] == DONE["notes"]
    assert "/s/" not in shown
    log = select(whole_log, LOG)
    assert log
    assert '"share"' not in str(log)


def test_long_folds_are_made_anew(whole_log: str) -> None:
    """Before 0006 two Arabic phrases were folded to 18 and 8 characters; search now leaves them as they are."""
    notes = "\ufdfa \ufdfb \u00c4"
    execute(whole_log, f"UPDATE todos SET notes = '{notes}', tags = '[\"\ufdfa\"]', search_text = '', tag_keys = ''")
    migrate(whole_log)
    ((text, tags),) = select(whole_log, "SELECT search_text, tag_keys FROM todos")
    assert text == fold_for_search(f"Buy milk\n{notes}\n\ufdfa")
    assert tags == f"\n{fold(chr(0xFDFA))}\n"


UNSHARED, SHARED, CALENDAR = "U" * 22, "S" * 22, "C" * 22


@pytest.fixture
def old_addresses(whole_log: str) -> str:
    """A database of version 1.0.0: a to-do that is shared no longer, one that is, and a calendar."""
    unshared = {**DONE, "version": 5, "change_id": 5}
    shared = {**DONE, "share": UNSHARED, "version": 4, "change_id": 4}
    told = {"user_id": 1, "at": "2026-11-21T00:00:00Z", "actor": "operator", "client": "", "summary": "Shared."}
    for number, action, before, after in ((4, "share", DONE, shared), (5, "unshare", shared, unshared)):
        insert(whole_log, "changes", [{**told, "id": number}])
        sides = {"before": compact(before), "after": compact(after)}
        insert(whole_log, "entries", [{"user_id": 1, "change_id": number, "todo_id": 1, "action": action, **sides}])
    execute(whole_log, "UPDATE users SET last_change_id = 5")
    execute(whole_log, "UPDATE todos SET version = 5, change_id = 5")
    counts = {"last_todo_id": 1, "last_change_id": 1, "open_count": 1, "created_at": "2026-11-20T00:00:00Z"}
    insert(whole_log, "users", [{"id": 2, "username": "anna", "time_zone_guessed": True, **counts}])
    insert(whole_log, "todos", [{**TODO, "user_id": 2, "id": 1, "todo": "Annas", "status": "open", "share": SHARED}])
    account = {"user_id": 2, "password_hash": "x", "created_at": "2026-11-20T00:00:00Z", "calendar": CALENDAR}
    insert(whole_log, "accounts", [account])
    migrate(whole_log, "0008")
    since = "2026-11-21T00:00:00Z"
    known = {"kind": "registered", "name": "", "redirect_uris": '["https://a.example/"]', "created_at": since}
    soon = {"kind": "document", "expires_at": "2026-11-21T01:00:00Z"}
    for client in ({"id": "c"}, {"id": "unused", "expires_at": since}, {"id": "https://a.example/", **soon}):
        insert(whole_log, "clients", [{**known, **client}])
    insert(whole_log, "clients", [{**known, "id": "operators", "kind": "operator"}])
    insert(whole_log, "attempts", [{"key": "abc", "count": 3, "until": "2199-01-01T00:00:00Z"}])
    insert(whole_log, "assertions", [{"hash": "def", "expires_at": "2199-01-01T00:00:00Z"}])
    grant = {"client_id": "c", "client_name": "", "scope": "", "resource": "", "created_at": since}
    insert(whole_log, "grants", [{"user_id": 2, "id": "g", "last_used_at": since, **grant}])
    token = {"grant_id": "g", "kind": "refresh", "scope": "", "expires_at": "2199-01-01T00:00:00Z"}
    insert(whole_log, "tokens", [{"hash": "h", "user_id": 2, **token}])
    insert(whole_log, "sessions", [{"hash": "h", "user_id": 2, "expires_at": "2199-01-01T00:00:00Z"}])
    return whole_log


def test_old_addresses_go_on_working(old_addresses: str) -> None:
    migrate(old_addresses)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=old_addresses, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        assert "Annas" in client.get(f"/s/{SHARED}").text
        assert "Annas" in client.get(f"/calendar/{CALENDAR}.ics").text
        for other in (f"/s/{UNSHARED}", f"/s/{CALENDAR}", f"/s/{'x' * 22}", f"/calendar/{SHARED}.ics"):
            assert client.get(other).status_code == 404
        assert client.post("/todos/kevin/changes/5/undo").status_code == 200
        assert "Buy milk" in client.get(f"/s/{UNSHARED}").text
        assert client.get("/todos/kevin/1").json()["url"].endswith(f"/s/{UNSHARED}")
        again = client.post("/todos/anna/1/share").json()["url"]
        assert again.endswith(f"/s/{SHARED}")
        client.delete("/todos/anna/1/share").raise_for_status()
        assert client.get(f"/s/{SHARED}").status_code == 404
        anew = client.post("/todos/anna/1/share").json()["url"]
        assert len(anew) == len(again) + 11
        assert "Annas" in client.get(anew).text
    assert_log_gives_the_list(old_addresses, "kevin")


def test_old_addresses_end_with_their_list(old_addresses: str) -> None:
    migrate(old_addresses)
    count = "SELECT (SELECT COUNT(*) FROM old_addresses), (SELECT COUNT(*) FROM old_addresses_of_users)"
    assert [tuple(row) for row in select(old_addresses, count)] == [(3, 3)]
    engine = open_engine(old_addresses)
    engine.start()
    try:
        assert engine.submit_write(forget, Owner("anna")).result()
    finally:
        engine.stop()
    assert [row[0] for row in select(old_addresses, "SELECT address FROM old_addresses")] == [UNSHARED]
    assert [row[0] for row in select(old_addresses, "SELECT address FROM old_addresses_of_users")] == [UNSHARED]


def test_who_was_signed_in_signs_in_again(old_addresses: str) -> None:
    migrate(old_addresses)
    for table in ("sessions", "codes", "tokens", "grants"):
        assert select(old_addresses, f"SELECT * FROM {table}") == []
    names = select(old_addresses, "SELECT username, user_id FROM usernames ORDER BY user_id")
    assert [tuple(row) for row in names] == [("kevin", 1), ("anna", 2)]


def test_clients_stay(old_addresses: str) -> None:
    known = ["c", "unused", "https://a.example/", "operators"]

    def ends(connection: Connection) -> list[tuple[str | None, str | None]]:
        found = [clients.find(connection, client_id) for client_id in known]
        return [(client.expires_at, client.fresh_until) for client in found if client]

    migrate(old_addresses)
    engine = open_engine(old_addresses)
    engine.start()
    try:
        used, unused, document, operators = engine.submit_read(ends).result()
        assert utc_now(clients.USED_TTL - timedelta(hours=1)) < str(used[0]) <= utc_now(clients.USED_TTL)
        assert used[1] is None
        assert utc_now() < str(unused[0]) == document[0] <= utc_now(clients.UNUSED_TTL)
        assert document[1] == "2026-11-21T01:00:00Z"
        assert operators == (None, None)
    finally:
        engine.stop()
    assert [tuple(row) for row in select(old_addresses, "SELECT bucket, key, count FROM attempts")] == [("a", "abc", 3)]
    assert [tuple(row) for row in select(old_addresses, "SELECT bucket, hash FROM assertions")] == [("d", "def")]
    downgrade(old_addresses, "0009")
    assert len(select(old_addresses, "SELECT id FROM clients")) == len(known)
    fresh = "SELECT expires_at FROM clients WHERE kind = 'document'"
    assert [row[0] for row in select(old_addresses, fresh)] == ["2026-11-21T01:00:00Z"]


def test_a_downgrade_keeps_addresses(old_addresses: str) -> None:
    migrate(old_addresses)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=old_addresses, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        client.post("/todos/kevin", json={"todo": "new"}).raise_for_status()
        path = httpx.URL(client.post("/todos/kevin/2/share").json()["url"]).path
    downgrade(old_addresses, "0008")
    shares = "SELECT share FROM todos WHERE share IS NOT NULL ORDER BY LENGTH(share)"
    assert [row[0] for row in select(old_addresses, shares)] == [SHARED, path.removeprefix("/s/")]
    migrate(old_addresses)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=old_addresses, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        assert [client.get(each).status_code for each in (path, f"/s/{SHARED}")] == [200, 200]
        assert client.get("/todos/kevin").json()["total"] == 1


ROWS = "SELECT id, json, search_text, bytes FROM todos ORDER BY id"
ACTIONS = "SELECT id, actions FROM changes WHERE overflow = 0 ORDER BY id"


def test_down_to_before_the_questions_and_up_again(empty_database: str) -> None:
    migrate(empty_database)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=empty_database, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        for text in ('Steuererklärung "status":"done",', "Brot", "Tee"):
            client.post("/todos/kevin", json={"todo": text, "tags": ["Läden"], "due": "2026-11-27"}).raise_for_status()
        for body in ({"week_start": "sunday"}, {"time_zone": "Asia/Tokyo"}, {"week_start": "monday"}):
            client.patch("/profiles/kevin", json=body).raise_for_status()
        actions = [{"action": "complete", "id": 1}, {"action": "delete", "id": 2}, {"action": "complete", "id": 3}]
        client.post("/todos/kevin/changes", json={"actions": actions}).raise_for_status()
        client.delete("/todos/kevin/3").raise_for_status()
    before = [select(empty_database, statement) for statement in (ROWS, ACTIONS)]
    downgrade(empty_database, "0010")
    done, _, deleted = select(empty_database, ROWS)
    assert "done_at" not in str((done, deleted))
    assert done[2] == fold('Steuererklärung "status":"done",\nLäden')
    for _, text, words, size in (done, deleted):
        assert size == ROW_BYTES + 2 * len(text.encode()) + len(words.encode())
    profile = select(empty_database, "SELECT before, after, bytes FROM changes WHERE kind = 'profile' ORDER BY id")
    assert "week_start" not in str(profile)
    assert [orjson.loads(after)["digest"] == orjson.loads(before)["digest"] for before, after, _ in profile] == [
        True,
        False,
        True,
    ]
    assert [size for *_, size in profile] == [ROW_BYTES + len(before) + len(after) for before, after, _ in profile]
    migrate(empty_database)
    assert [select(empty_database, statement) for statement in (ROWS, ACTIONS)] == before
    assert_log_gives_the_list(empty_database, "kevin")
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=empty_database, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        assert client.get("/todos/kevin?status=done&q=steuererklarung").json()["returned"] == 1
        assert [c["id"] for c in client.get("/todos/kevin/changes?action=complete").json()["changes"]] == [7]
        assert client.post("/todos/kevin/changes/5/undo").json()["time_zone"]["after"] == "UTC"


def test_a_time_zone_is_logged_as_before_there_was_a_first_day_of_the_week(empty_database: str) -> None:
    migrate(empty_database)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=empty_database, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        client.patch("/profiles/kevin", json={"time_zone": "Asia/Tokyo"}).raise_for_status()
    # As the version before wrote them, the digests of a profile know nothing of the week.
    old = [
        blake2b(compact(seen).encode(), digest_size=16).hexdigest() for seen in ([None, True], ["Asia/Tokyo", False])
    ]
    ((before, after),) = select(empty_database, "SELECT before, after FROM changes")
    assert [orjson.loads(side)["digest"] for side in (before, after)] == old


def test_a_downgrade_to_before_steps_leaves_none(empty_database: str) -> None:
    migrate(empty_database)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=empty_database, **GENEROUS))
    columns = "id, todo, notes, tags, search_text, json, bytes"
    with TestClient(app, headers=AUTHORIZATION) as client:
        given = {"notes": "Ein Straßenfest", "tags": ["Läden"]}
        client.post("/todos/kevin", json={"todo": "Without", **given}).raise_for_status()
        client.patch("/todos/kevin/1", json={"todo": "Still without"}).raise_for_status()
        client.post("/todos/kevin", json={"todo": "With", **given}).raise_for_status()
        client.post("/todos/kevin/2/complete").raise_for_status()
        client.post("/todos/kevin/2/reopen").raise_for_status()
        plain = select(empty_database, f"SELECT {columns} FROM todos ORDER BY id")
        for fields in ({"steps": ["Eggs", "Milk"]}, {"check_steps": ["Milk"]}, {"clear": ["steps"]}, {"steps": ["ß"]}):
            client.patch("/todos/kevin/2", json=fields).raise_for_status()
    downgrade(empty_database, "0010")
    rows = select(empty_database, f"SELECT {columns} FROM todos ORDER BY id")
    assert [row[:4] for row in rows] == [row[:4] for row in plain]
    assert rows[0][4] == fold("Still without\nEin Straßenfest\nLäden")
    assert rows[0][5] == plain[0][5]
    size = len(rows[1][5].encode()) * 2 + len(rows[1][4].encode())
    assert ('"steps"' in rows[1][5], rows[1][6]) == (False, ROW_BYTES + size)
    log = select(empty_database, LOG)
    assert len(log) == 9
    assert not {"steps", "Eggs", "Milk"} & {*str(log).replace('"', " ").split()}
    migrate(empty_database)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=empty_database, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        assert client.post("/todos/kevin/changes/2/undo").status_code == 200  # its digests know no steps
        assert client.get("/todos/kevin/1").json()["todo"] == "Without"
        assert client.patch("/todos/kevin/2", json={"add_steps": ["Tea"]}).json()["steps"] == [
            {"text": "Tea", "done": False}
        ]
    assert_bytes_are_counted(empty_database, "kevin")


def test_a_downgrade_to_before_places_leaves_none(empty_database: str) -> None:
    migrate(empty_database)
    with running(empty_database) as engine:
        actions = [{"action": "add", "todo": '"position":1,'}, {"action": "add", "todo": "B", "list": "Trip"}]
        actions[1]["create_list"] = True
        engine.submit_write(changes.apply, Owner("kevin"), actions).result()
        engine.submit_write(changes.act, Owner("kevin"), {"action": "update", "id": 1, "notes": "n"}).result()
        engine.submit_write(order.move, Owner("kevin"), 1, {"to": "top"}).result()
        engine.submit_write(changes.act, Owner("kevin"), {"action": "update", "id": 1, "notes": "m"}).result()
    downgrade(empty_database, "0013")
    log = select(empty_database, "SELECT before, after FROM changes WHERE kind = 'todo' ORDER BY id, overflow")
    found = [orjson.loads(side) for row in log for side in row if side]
    assert found
    assert not any("position" in {**side, **side.get("values", {})} for side in found)
    listed = select(empty_database, "SELECT after FROM changes WHERE kind = 'list'")
    assert all("position" in orjson.loads(after) for (after,) in listed)
    assert_bytes_of_rows(empty_database)
    migrate(empty_database)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=empty_database, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        assert client.post("/todos/kevin/changes/4/undo").json()["code"] == "undo_conflict"
        assert [todo["id"] for todo in client.get("/todos/kevin").json()["todos"]] == [1, 2]
    assert_bytes_are_counted(empty_database, "kevin")


def test_lists_are_counted_and_a_week_is_forgotten_behind_a_list(empty_database: str) -> None:
    migrate(empty_database)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=empty_database, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        client.patch("/lists/kevin/Trip", json={"create_list": True}).raise_for_status()
        client.patch("/lists/kevin/Trip", json={"archived": True}).raise_for_status()
        client.patch("/profiles/kevin", json={"week_start": "sunday"}).raise_for_status()
    # One change of both: the entry of the list is the first, so that the profile's is not.
    with running(empty_database) as engine:
        engine.submit_write(undo_all, Owner("kevin"), ActorFilter(), Span(2, 3), [2, 3], "").result()
    downgrade(empty_database, "0012")
    assert "week_start" not in str(select(empty_database, "SELECT before, after FROM changes WHERE kind = 'profile'"))
    assert_bytes_of_rows(empty_database)
    migrate(empty_database)
    assert_log_gives_the_list(empty_database, "kevin")
    downgrade(empty_database, "0008")
    migrate(empty_database)
    assert_bytes_are_counted(empty_database, "kevin")


def test_what_was_undone_before_is_noted(empty_database: str) -> None:
    migrate(empty_database)
    app = create_app(Settings(service_auth_key=(SERVICE_KEY,), database_url=empty_database, **GENEROUS))
    with TestClient(app, headers=AUTHORIZATION) as client:
        client.post("/todos/kevin", json={"todo": "A"}).raise_for_status()
        client.post("/todos/kevin", json={"todo": "B"}).raise_for_status()
        for change_id in (1, 3, 2):
            client.post(f"/todos/kevin/changes/{change_id}/undo").raise_for_status()
    noted = "SELECT id, undone_by FROM changes ORDER BY id"
    before = [tuple(row) for row in select(empty_database, noted)]
    assert before == [(1, 3), (2, 5), (3, 4), (4, None), (5, None)]
    downgrade(empty_database, "0014")
    migrate(empty_database)
    assert [tuple(row) for row in select(empty_database, noted)] == before


def assert_bytes_of_rows(database_url: str) -> None:
    """Raises AssertionError unless the one list is said to take what its rows come to."""
    sums = [
        select(database_url, f"SELECT COALESCE(SUM(bytes), 0) FROM {table}")
        for table in ("todos", "changes", "answers", "lists")
    ]
    assert select(database_url, "SELECT bytes FROM users") == [(sum(int(total) for ((total,),) in sums),)]
