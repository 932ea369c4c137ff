"""Every statement finds its rows by an index, and every list comes in the order of one: so it stays at any size."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.conftest import running
from todo.domain import (
    changes,
    conversations,
    history,
    listing,
    matching,
    order,
    profiles,
    sections,
    todos,
    undo,
    users,
)
from todo.domain.actors import Actor
from todo.domain.idempotency import once, once_lately
from todo.domain.kinds import KINDS
from todo.domain.kinds.todos import TODO
from todo.domain.paging import NO_DUE, NO_URGENCY, ORDERS, encode_cursor
from todo.domain.places import SPACING
from todo.domain.users import Owner
from todo.storage.engine import Engine
from todo.storage.statements import Connection

OWNER = Owner("kevin")
FIELDS: list[dict[str, Any]] = [{"due": "2026-11-27"}, {"priority": "high"}, {"tags": ["home"]}]
# Every sort, from the start of each of its runs.
STARTS: list[tuple[str, list[Any]]] = [
    *((sort, []) for sort in ORDERS),
    ("due", [NO_DUE, 0]),
    ("priority", [NO_URGENCY, "", 0]),
    ("priority", [NO_URGENCY, NO_DUE, 0]),
]
# Enough others that a planner sees what a scan would cost.
FILL = """
INSERT INTO users (id, username, time_zone_guessed, last_todo_id, created_at, open_count)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
SELECT 1000 + i, 'user' || i, TRUE, 20, '2026-11-22', 20 FROM n;
INSERT INTO usernames (username, user_id) SELECT username, id FROM users WHERE username <> 'kevin';
INSERT INTO todos (user_id, id, todo, due_key, urgency, tags, tag_keys, search_text, status, version, created_at,
                   updated_at, change_id, json)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
SELECT users.id, i, 'x', CASE WHEN i > 10 THEN '9999' ELSE '2026-11-27' END, 3 - i / 20, '[]', '', 'x', 'open', 1,
       '2026-11-22', '2026-11-22', 1, '{}' FROM users, n
WHERE users.id <= 2500;
INSERT INTO lists (user_id, id, name, name_key, position, status, updated_at, change_id, bytes)
SELECT user_id, id, 'list', 'list', id, CASE WHEN id = 1 THEN 'archived' ELSE 'active' END, '2026-11-22', 1, 100
FROM todos WHERE user_id <= 2500;
INSERT INTO changes (user_id, overflow, id, kind, record_id, at, actor, client, summary, action)
SELECT user_id, 0, id, 'todo', id, '2026-11-22', 'assistant', '', '', 'add' FROM todos WHERE user_id <= 2500;
INSERT INTO grants (user_id, id, client_id, client_name, scope, resource, created_at, last_used_at)
SELECT user_id, id, '', '', '', '', '2026-11-22', '2026-11-22' FROM todos WHERE user_id <= 2500;
INSERT INTO answers (user_id, request_id, fingerprint, answer, expires_at)
SELECT user_id, id, '', '{}', '2026-11-22' FROM todos WHERE user_id <= 2500;
"""


class Explaining:
    """A driver that keeps the plan of everything it is asked."""

    def __init__(self, driver: Any, explain: str) -> None:
        self.driver = driver
        self.explain = explain
        self.plans: dict[str, str] = {}

    def execute(self, sql: str, parameters: dict[str, Any]) -> Any:
        rows = self.driver.execute(f"{self.explain} {sql}", parameters).fetchall()
        self.plans[sql] = "\n".join(str(dict(row).get("detail") or dict(row).get("QUERY PLAN")) for row in rows)
        return self.driver.execute(sql, parameters)

    def cursor(self) -> "Explaining":
        return self

    def executemany(self, sql: str, parameters: list[dict[str, Any]]) -> None:
        for each in parameters:
            self.execute(sql, each)


@pytest.fixture(scope="module")
def engine(module_database: str) -> Iterator[Engine]:
    with running(module_database) as engine:
        engine.submit_write(fill).result()
        yield engine


def fill(connection: Connection) -> None:
    for number in range(600):
        fields = FIELDS[number % len(FIELDS)]
        changes.add(connection, OWNER, {"action": "add", "todo": f"{number}", **fields}, f"{number}")
    changes.act(connection, OWNER, {"action": "complete", "id": 600})
    for statement in FILL.split(";")[:-1]:
        connection.driver.execute(statement)
    connection.driver.execute("ANALYZE")


def plans(engine: Engine, *calls: Any) -> dict[str, str]:
    """Returns what the database plans for every statement that these calls of rules send."""

    def explained(connection: Connection) -> dict[str, str]:
        explaining = Explaining(connection.driver, "EXPLAIN QUERY PLAN" if engine.name == "SQLite" else "EXPLAIN")
        for rule, *args in calls:
            rule(type(connection)(explaining, connection.cache, connection.public_url), OWNER, *args)
        return explaining.plans

    return engine.submit_write(explained).result()


def bulk(connection: Connection, owner: Owner) -> None:
    wanted: dict[str, Any] = {"filter": {"tag": "home", "q": "1"}, "action": "update", "add_tags": ["house"]}
    found = matching.find(connection, owner, wanted)
    matching.change(connection, owner, {**wanted, "expect": found.matched}, found=found)


def undo_many(connection: Connection, owner: Owner) -> None:
    user, by = users.find(connection, owner), Actor("operator").by
    span = conversations.around(connection, user, by, 599)
    assert conversations.of_day(connection, user, "2026-11-22")
    undo.undo_all(connection, owner, by, span, [599], "")


def expired(connection: Connection, owner: Owner) -> None:
    KINDS[TODO].expired(connection, users.find(connection, owner), "2026-11-22", 10)


def assert_no_scan(plan: str) -> None:
    # `entries` are the few rows that a subquery has found.
    assert not re.search(r"\bSCAN (?!CONSTANT|json_each|entries)|Seq Scan", plan), plan


# The only sorts that the database makes itself: of at most all to-dos of one list.
SORTED_EACH_TIME = {("open", "updated"), ("all", "due"), ("all", "priority"), ("all", "updated")}


@pytest.mark.parametrize("status", ["open", "all"])
@pytest.mark.parametrize(("sort", "start"), STARTS)
def test_a_list_walks_one_index_in_its_own_order(engine: Engine, sort: str, start: list[Any], status: str) -> None:
    cursor = encode_cursor(sort, *start) if start else None
    found = plans(engine, (listing.page, status, {}, sort, 20, cursor))
    assert len(found) == 2  # whose list, and the page
    for sql, plan in found.items():
        assert_no_scan(plan)
        if "FROM todos" in sql and (status, sort) not in SORTED_EACH_TIME:
            assert not re.search(r"TEMP B-TREE|Sort", plan), plan


@pytest.mark.parametrize("sort", ORDERS)
def test_what_is_done_comes_in_the_order_of_an_index(engine: Engine, sort: str) -> None:
    found = plans(engine, (listing.page, "done", {}, sort, 20, None))
    for plan in found.values():
        assert_no_scan(plan)
        if engine.name == "SQLite":  # PostgreSQL rather sorts the few that it finds
            assert not re.search(r"TEMP B-TREE|Sort", plan), plan


def test_the_last_changes_of_what_is_not_open_have_an_index_of_their_own(engine: Engine) -> None:
    calls = [(listing.page, "done", {}, "updated", 10, None)]
    calls += [(sections.page, section, None, None, None, None) for section in ("done", "deleted")]
    found = plans(engine, *calls, (expired,))
    ordered = [plan for sql, plan in found.items() if "updated_at" in sql]
    assert len(ordered) == 4
    assert all("todos_by_update" in plan for plan in ordered), ordered


@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize(
    "filters",
    [
        *({"q": "5"}, {"q": "5 9"}, {"tag": "home"}, {"due_from": "2026-11-22"}, {"priority": "high"}),
        *({"when": "overdue"}, {"when": "today_and_overdue"}, {"when": "no_due"}, {"done_from": "2020-01-01"}),
    ],
)
def test_a_filter_looks_at_one_list_only(engine: Engine, filters: dict[str, str], sort: str) -> None:
    status = "done" if "done_from" in filters else "open"
    found = plans(engine, (listing.page, status, filters, sort, 20, None))
    assert len(found) in (3, 4, 5)  # whose list, the page of up to three runs, and how many there are
    for plan in found.values():
        assert_no_scan(plan)


@pytest.mark.parametrize("filters", [{"when": "overdue"}, {"when": "today_and_overdue"}, {"due_to": "2026-11-30"}])
def test_due_dates_are_found_by_their_index(engine: Engine, filters: dict[str, str]) -> None:
    found = plans(engine, (listing.page, "open", filters, "due", 20, None))
    (plan,) = [plan for sql, plan in found.items() if "ORDER BY due_key, id" in sql]
    assert "todos_by_due" in plan
    assert not re.search(r"TEMP B-TREE|Sort", plan), plan
    (plan,) = [plan for sql, plan in found.items() if "COUNT(*)" in sql]
    assert re.search("COVERING INDEX todos_by_due" if engine.name == "SQLite" else "todos_by_due", plan), plan


@pytest.mark.parametrize("section", ["overdue", "today", "upcoming", "undated"])
@pytest.mark.parametrize("start", [None, ["2026-11-27", 3 * SPACING + 1, 3], [NO_DUE, -3 * SPACING, 3]])
def test_a_section_walks_one_index_for_what_was_moved_and_one_for_the_rest(
    engine: Engine, section: str, start: list[Any] | None
) -> None:
    engine.submit_write(order.move, OWNER, 29, {"to": "top"}).result()
    cursor = encode_cursor(section, *start) if start else None
    found = plans(engine, (sections.page, section, None, None, None, cursor))
    for plan in found.values():
        assert_no_scan(plan)
    ordered = {sql: plan for sql, plan in found.items() if "ORDER BY" in sql}
    assert len(ordered) == 2
    for sql, plan in (
        ordered.items() if engine.name == "SQLite" else ()
    ):  # PostgreSQL rather sorts the few that it finds
        assert not re.search(r"TEMP B-TREE|Sort", plan), plan
        wanted = "todos_by_id|PRIMARY KEY" if section == "undated" else "todos_by_due"
        assert re.search("todos_by_position" if "IS NOT NULL" in sql else wanted, plan), plan


def test_a_write_of_what_was_never_moved_leaves_the_index_of_places_alone(engine: Engine) -> None:
    (index,) = [sql for sql in engine.submit_read(indexes).result() if "todos_by_position" in sql]
    assert re.search(r"WHERE .*status = 'open'.*position\"? IS NOT NULL", index), index

    def moved(connection: Connection) -> int:
        rows = connection.driver.execute("SELECT COUNT(*) AS n FROM todos WHERE position IS NOT NULL")
        return int(rows.fetchone()["n"])

    before = engine.submit_read(moved).result()
    added = engine.submit_write(changes.act, OWNER, {"action": "add", "todo": "a", "due": "2026-11-27"}).result()
    engine.submit_write(changes.act, OWNER, {"action": "complete", "id": added["id"]}).result()
    assert engine.submit_read(moved).result() == before


def indexes(connection: Connection) -> list[str]:
    tables = {"SQLite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"}
    is_sqlite = type(connection.driver).__module__.startswith("sqlite3")
    rows = connection.driver.execute(tables["SQLite"] if is_sqlite else "SELECT indexdef AS sql FROM pg_indexes")
    return [row["sql"] for row in rows.fetchall()]


def test_nothing_else_scans(engine: Engine) -> None:
    calls = [
        (todos.get, 1),
        (profiles.show,),
        (changes.page, {}, 20, None),
        (changes.page, {"action": "reopen"}, 20, None),
        (
            once,
            "add_todo",
            "request",
            changes.add,
            {"action": "add", "todo": "a", "due": "2026-11-27", "repeat": "FREQ=DAILY"},
            "f",
        ),
        (changes.act, {"action": "complete", "id": 601}),
        (changes.act, {"action": "delete", "id": 3}),
        (partial(undo.undo, force=True), 1),
        (changes.delete_at, 5),
        (order.move, 20, {"to": "top"}),
        (order.move, 26, {"to": "bottom"}),
        (bulk,),
        (once_lately, "change_todos", None, ("", ""), changes.apply, [{"action": "add", "todo": "a"}]),
        (once_lately, "change_todos", None, ("", ""), changes.apply, [{"action": "add", "todo": "a"}]),
        (profiles.update, "Asia/Tokyo"),
        (history.page, None, None, None),
        (history.page, "grant:ab12", "2026-11-22", None),
        (history.change, 1),
        (undo_many,),
    ]
    found = plans(engine, *calls)
    assert len(found) >= 17
    for plan in found.values():
        assert_no_scan(plan)
