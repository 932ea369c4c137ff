"""Additions store and answer exactly what a Changeset would."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import running
from todo.contract import API
from todo.domain import additions, changes, quota, users
from todo.domain.idempotency import fingerprint
from todo.domain.kinds import todos as kind
from todo.domain.users import Owner
from todo.errors import Refusal
from todo.storage.engine import Engine
from todo.storage.statements import Connection, values

JSON = dict[str, Any]

NOW = datetime(2026, 11, 22, 16, 5, 9, tzinfo=UTC)
PAUSES = st.sampled_from([timedelta(), timedelta(), timedelta(seconds=40), timedelta(minutes=10), timedelta(days=1)])
TEXTS = st.sampled_from(["Buy milk", "  Büro: Œuvre \ufdfa ", 'Say "hi" \\ {"id":1}', "買う", "x" * 500])
FIELDS = st.fixed_dictionaries(
    {"todo": TEXTS},
    optional={
        "notes": st.none() | TEXTS,
        "due": st.sampled_from(
            [None, "2026-11-27", "2026-11-27T18:00", "2026-11-27T18:00:30", "2026-11-27T23:30:00-08:00"]
        ),
        "priority": st.none() | st.sampled_from(API.enum("Priority")),
        "tags": st.none() | st.lists(st.sampled_from(["home", "Home", "Çay", "a b"]), max_size=3),
        "steps": st.none()
        | st.lists(TEXTS | st.fixed_dictionaries({"text": TEXTS, "done": st.booleans()}), max_size=3),
    },
)
OTHERS = st.sampled_from(
    [{}, {}, {}, {"repeat": "FREQ=DAILY", "due": "2026-11-27"}, {"list": "Inbox"}, {"list": "Nowhere"}]
)
ADDS = st.lists(st.builds(lambda plain, other: {**plain, **other}, FIELDS, OTHERS), min_size=1, max_size=6)
LIMITS = st.sampled_from([(1000, 10**9), (3, 10**9), (1000, 2_500)])  # to-dos, bytes
OWNERS = st.sampled_from([Owner(""), Owner("", region="AT"), Owner("", actor="assistant", client="openai 12")])
_numbers = count(1)


@pytest.fixture(scope="module")
def engine(module_database: str) -> Iterator[Engine]:
    with running(module_database) as engine:
        yield engine


def outcome(engine: Engine, rule: Any, owner: Owner, fields: JSON) -> Any:
    """Returns the answer, or the name of the refusal with what it says."""
    action = {"action": "add", **fields}
    try:
        return engine.submit_write(rule, owner, action, fingerprint(fields)).result()
    except Refusal as refusal:
        return type(refusal).__name__, refusal.members


def stored(connection: Connection, owner: Owner) -> dict[str, Any]:
    """Returns all rows of a list, without what tells it from another one."""
    user_id = users.find(connection, owner).id
    tables = {"todos": "user_id", "changes": "user_id", "users": "id"}
    rows = {
        table: connection.driver.execute(f"SELECT * FROM {table} WHERE {key} = {user_id}").fetchall()
        for table, key in tables.items()
    }
    own = (user_id, owner.username)
    return {
        table: sorted([[value for value in values(row) if value not in own] for row in found], key=str)
        for table, found in rows.items()
    }


@settings(deadline=None, max_examples=60)
@given(OWNERS, ADDS, st.lists(PAUSES, min_size=6, max_size=6), LIMITS)
def test_rows_and_answers_are_those_of_a_changeset(
    engine: Engine, owner: Owner, adds: list[JSON], pauses: list[timedelta], limits: tuple[int, int]
) -> None:
    rules = {changes.add: f"plain{next(_numbers)}", changes.add_by_changeset: f"other{next(_numbers)}"}
    with time_machine.travel(NOW, tick=False) as clock, pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "MAX_TODOS", limits[0])
        patch.setattr(quota, "MAX_BYTES", limits[1])
        for fields, pause in zip([{"todo": "The first of the day"}, *adds], [timedelta(), *pauses], strict=False):
            clock.shift(pause)
            plain, other = (
                outcome(engine, rule, owner._replace(username=name), fields) for rule, name in rules.items()
            )
            assert plain == other
    plain, other = (engine.submit_read(stored, owner._replace(username=name)).result() for name in rules.values())
    assert plain == other


def test_a_plain_to_do_takes_no_changeset(engine: Engine) -> None:
    owner = Owner(f"plain{next(_numbers)}")
    plain = {
        "action": "add",
        "todo": "Buy milk",
        "notes": "Oat",
        "due": "2026-11-27",
        "priority": "high",
        "tags": ["a"],
    }
    first, second = (engine.submit_write(additions.add, owner, plain, None).result() for _ in range(2))
    assert (first, second) == (None, None)  # nothing has been swept yet today
    engine.submit_write(changes.add, owner, plain, None).result()
    added = engine.submit_write(additions.add, owner, plain, None).result()
    assert (added["id"], added["change_id"], added["due_weekday"]) == (2, 2, "Friday")


@pytest.mark.parametrize("more", [{"list": "Inbox"}, {"repeat": "FREQ=DAILY"}, {"create_list": True}, {"id": 1}])
def test_all_else_takes_one(engine: Engine, more: JSON) -> None:
    owner = Owner(f"plain{next(_numbers)}")
    action = {"action": "add", "todo": "Buy milk"}
    engine.submit_write(changes.add, owner, action, None).result()
    assert engine.submit_write(additions.add, owner, {**action, **more}, None).result() is None
    assert engine.submit_write(additions.add, owner, {"action": "add"}, None).result() is None
    assert engine.submit_write(users.open_list, owner).result().last_todo_id == 1
