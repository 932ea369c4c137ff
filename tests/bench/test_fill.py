"""What make bench-scale measures is a database as the service itself would have filled it."""

import pytest

from bench.fill import EACH, FULL, fill
from tests.contract.test_migrations import shape
from tests.replay import assert_log_gives_the_list
from todo.domain import users
from todo.domain.todos import Todo
from todo.domain.users import Owner
from todo.storage.database import open_engine
from todo.storage.statements import Connection


@pytest.mark.slow_on_postgresql
def test_lists_are_as_the_service_writes_them(migrated_database: str) -> None:
    before = shape(migrated_database)
    fill(migrated_database, 3 * EACH, full=2 * EACH)
    assert shape(migrated_database) == before, "an index is missing"
    for username, length in {"user1": EACH, "user3": EACH, FULL: 2 * EACH}.items():
        assert_log_gives_the_list(migrated_database, username)
        assert_rows_are_of_todos(migrated_database, username, length)


def assert_rows_are_of_todos(database_url: str, username: str, length: int) -> None:
    def compare(connection: Connection) -> None:
        user = users.find(connection, Owner(username))
        rows = [dict(row) for row in connection.all_todos(user_id=user.id)]
        assert len(rows) == user.counts["open"] == user.last_change_id == length
        assert [{**Todo.from_row(row).to_row(), "user_id": user.id} for row in rows] == rows

    engine = open_engine(database_url)
    engine.start()
    try:
        engine.submit_read(compare).result()
    finally:
        engine.stop()
