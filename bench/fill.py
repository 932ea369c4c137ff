"""Fills a database with millions of to-dos: the service writes one list, and SQL copies it to other users."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from todo.contract import API
from todo.domain import changes
from todo.domain.idempotency import fingerprint
from todo.domain.users import FIRST_ID, Owner
from todo.storage.database import open_engine

QUOTA = API.limit("todos")
ROOM = 500  # to-dos that still fit into the full list, to measure adding to it
EACH = 100  # to-dos in an ordinary list
TOGETHER = 50  # concurrent writes: at most 100 may wait for one list
ORDINARY, FULL = "user", "full1"  # ordinary users are user1, user2 and so on
TEXTS = ("Buy milk", "Water the plants", "Call Ada", "Pay the rent")
# The tables to copy, each with the column that orders one user's rows.
KEYS = {"todos": "id", "changes": "id"}

Execute = Callable[[str], Any]


@dataclass(frozen=True)
class Dialect:
    """What differs between the databases. `interleaved` inserts the lists' rows alternately, not list by list."""

    indices: str
    interleaved: bool
    before: tuple[str, ...]
    after: tuple[str, ...]


SQLITE = Dialect(
    indices="SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    interleaved=False,  # its tables are stored in key order anyway
    before=("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -500000"),
    after=(),
)
POSTGRESQL = Dialect(
    indices="SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
    interleaved=True,  # lists grow concurrently, so a list's rows are scattered on disk
    # Skips foreign key checks: the user ids come from the users table.
    before=("SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'", "SET work_mem = '512MB'"),
    after=("VACUUM ANALYZE", "CHECKPOINT"),
)


def fill(database_url: str, todos: int, full: int = QUOTA - ROOM) -> None:
    """Fills a migrated database with `todos` to-dos in lists of EACH, and one list of `full` to-dos."""
    write_list(database_url, f"{ORDINARY}1", EACH)
    write_list(database_url, FULL, full)
    if database_url.startswith("sqlite:///"):
        import sqlite3

        driver = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
        copy_list(driver.execute, SQLITE, todos // EACH)
        driver.close()
    else:
        import psycopg

        with psycopg.connect(database_url, autocommit=True) as connection:
            copy_list(connection.execute, POSTGRESQL, todos // EACH)


def write_list(database_url: str, username: str, length: int) -> None:
    """Adds `length` to-dos to a list, as add_todo does."""
    engine = open_engine(database_url)
    engine.start()
    try:
        owner = Owner(username, actor="assistant", client="bench")
        actions = [action(number) for number in range(length)]
        for start in range(0, length, TOGETHER):
            together = actions[start : start + TOGETHER]
            writes = [
                engine.submit_write(changes.add, owner, each, fingerprint(each, "", "bench")) for each in together
            ]
            for write in writes:
                write.result()
    finally:
        engine.stop()


def action(number: int) -> dict[str, Any]:
    """Returns a to-do to add; every third has a due date, spread over 18 days of which half have passed."""
    due = {"due": day(number % 18 - 9)} if number % 3 == 0 else {}
    return {"action": "add", "todo": f"{TEXTS[number % len(TEXTS)]}, the {number}.", **due}


def day(offset: int) -> str:
    """Returns the date this many days from today. A fixed date would make more to-dos overdue as time goes on."""
    return (date.today() + timedelta(days=offset)).isoformat()


def copy_list(execute: Execute, dialect: Dialect, users: int) -> None:
    """Copies the first user's list until there are `users` of them."""
    for statement in dialect.before:
        execute(statement)
    indices = list(execute(dialect.indices))
    # Recreating indices at the end is faster than updating them row by row.
    for name, _ in indices:
        execute(f"DROP INDEX {name}")
    copy_user(execute, users)
    for table, key in KEYS.items():
        execute(f"CREATE TEMPORARY TABLE template AS {of_first_user(table)}")
        columns = columns_of(execute, table, but={"user_id"})
        values = [f"template.{column}" for column in columns]
        execute(
            f"INSERT INTO {table} (user_id, {', '.join(columns)}) SELECT users.id, {', '.join(values)}"
            f" FROM users CROSS JOIN template WHERE users.username LIKE '{ORDINARY}%' AND users.id <> template.user_id"
            + (f" ORDER BY template.{key}, users.id" if dialect.interleaved else "")
        )
        execute("DROP TABLE template")
    for _, definition in indices:
        execute(definition)
    for statement in dialect.after:
        execute(statement)


def copy_user(execute: Execute, users: int) -> None:
    columns = ", ".join(columns_of(execute, "users", but={"id", "username"}))
    execute(
        f"WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {users})"
        f" INSERT INTO users (id, username, {columns}) SELECT {FIRST_ID} + n, '{ORDINARY}' || n, {columns}"
        f" FROM numbers CROSS JOIN users WHERE username = '{ORDINARY}1' AND n > 1"
    )
    execute(
        "INSERT INTO usernames (username, user_id) SELECT username, id FROM users"
        f" WHERE username LIKE '{ORDINARY}%' AND username <> '{ORDINARY}1'"
    )


def of_first_user(table: str) -> str:
    return f"SELECT * FROM {table} WHERE user_id = (SELECT id FROM users WHERE username = '{ORDINARY}1')"


def columns_of(execute: Execute, table: str, but: set[str]) -> list[str]:
    """Returns the names of a table's columns, as of the latest migration."""
    names = [column[0] for column in execute(f"SELECT * FROM {table} LIMIT 0").description]
    return [name for name in names if name not in but]
