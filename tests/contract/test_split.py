"""Any engine that splits tables by the first column of a key can hold the database.

Every key and every reference begins with that column, and every statement says which value of it is meant.
"""

import re
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy

from tests.conftest import migrate
from tests.contract.test_migrations import connect
from todo.storage.cache import Cache
from todo.storage.statements import load

# What is not the owner's own is split by what it is looked up by, or by a part of that.
OF_NOBODY = {
    "usernames": "username",
    "claims": "username",
    "old_addresses": "address",
    "attempts": "bucket",
    "assertions": "bucket",
    "clients": "bucket",
}
WHOLE = {"alembic_version"}  # one row


def split_column(table: str) -> str:
    return "id" if table == "users" else OF_NOBODY.get(table, "user_id")


@pytest.fixture(scope="module")
def inspector(tmp_path_factory: pytest.TempPathFactory) -> sqlalchemy.Inspector:
    """A migrated database; tests/contract/test_migrations.py holds that PostgreSQL has the same."""
    url = f"sqlite:///{tmp_path_factory.mktemp('split')}/todo.db"
    migrate(url)
    return sqlalchemy.inspect(connect(url))


def test_every_key_begins_with_it(inspector: sqlalchemy.Inspector) -> None:
    tables = {*inspector.get_table_names()} - WHOLE
    assert {*OF_NOBODY, "users", "todos", "tokens"} <= tables
    for table in tables:
        unique = [index["column_names"] for index in inspector.get_indexes(table) if index["unique"]]
        unique += [constraint["column_names"] for constraint in inspector.get_unique_constraints(table)]
        for columns in [inspector.get_pk_constraint(table)["constrained_columns"], *unique]:
            assert columns[0] == split_column(table), (table, columns)


def test_every_reference_stays_with_the_owner(inspector: sqlalchemy.Inspector) -> None:
    for table in {*inspector.get_table_names()} - WHOLE:
        for key in inspector.get_foreign_keys(table):
            assert table not in OF_NOBODY
            other = key["referred_table"]
            columns = (key["constrained_columns"][0], key["referred_columns"][0])
            assert columns == (split_column(table), split_column(other)), (table, other)


class Recording:
    """A driver that keeps the text of what it is asked."""

    def __init__(self) -> None:
        self.sql = ""

    def execute(self, sql: str, _: Any) -> Any:
        self.sql = sql
        return SimpleNamespace(fetchone=lambda: None, fetchall=list, rowcount=0)


def statements() -> Iterator[tuple[str, str]]:
    """Yields the name and the text of every statement."""
    made = load("psycopg")  # which keeps the names of parameters
    for name, method in vars(made).items():
        if callable(method) and not name.startswith("__"):
            driver = Recording()
            call = partial(method, made(driver, Cache()))
            call([{}]) if method.__name__ == "for_each" else call()
            yield name, re.sub(r"%\((\w+)\)s", r":\1", driver.sql)


def blocks(sql: str) -> Iterator[str]:
    """Yields a statement's queries, each without those inside of it."""
    stack = [""]
    for character in sql:
        if character == "(":
            stack.append("")
        elif character == ")":
            inner = stack.pop()
            if inner.strip().startswith("SELECT"):
                yield inner
                inner = ""
            stack[-1] += f"({inner})"
        else:
            stack[-1] += character
    yield stack[0]


def unbound(sql: str) -> set[str]:
    """Returns the tables of a statement that it may look for in more than one place."""
    found = set()
    sql = re.sub(r"--.*|'[^']*'", "''", sql)
    for block in blocks(sql):
        tables = tables_of(block)
        bound = {table for table in tables if is_given(table, tables, block)}
        around = tables_of(sql) - tables  # which have their own block
        for _ in tables:
            bound |= {table for table in tables if joined(table, block) & (bound | around)}
        found |= tables - bound
        for table, columns in re.findall(r"\bINSERT INTO (\w+)\s+\(([^)]*)\)", block):
            if split_column(table) not in re.split(r"\W+", columns):
                found.add(table)
    return found


def tables_of(sql: str) -> set[str]:
    return set(re.findall(r"\b(?:FROM|JOIN|UPDATE)\s+(?!SET\b)(\w+)", sql)) - WHOLE


def is_given(table: str, tables: set[str], block: str) -> bool:
    name = rf"{table}\." if len(tables) > 1 else rf"(?:{table}\.)?"
    return re.search(rf"(?<![\w.]){name}{split_column(table)} = :\w+", block) is not None


def joined(table: str, block: str) -> set[str]:
    """Returns the tables that this one has the same owner as."""
    pairs = re.findall(r"\b(\w+)\.(\w+) = (\w+)\.(\w+)", block)
    pairs += [(*pair[2:], *pair[:2]) for pair in pairs]
    return {
        other
        for one, column, other, its in pairs
        if one == table and column == split_column(table) and its == split_column(other)
    }


def test_every_statement_names_it() -> None:
    found = dict(statements())
    assert len(found) > 100
    assert {name: unbound(sql) for name, sql in found.items() if unbound(sql)} == {}


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("SELECT * FROM todos WHERE id = :id", "todos"),
        ("SELECT * FROM users WHERE username = :username", "users"),
        ("DELETE FROM tokens WHERE hash = :hash", "tokens"),
        ("UPDATE tokens SET user_id_of = 1 WHERE hash = :hash", "tokens"),
        ("INSERT INTO sessions (hash, expires_at) VALUES (:hash, :expires_at)", "sessions"),
        (
            "SELECT * FROM todos WHERE user_id = :user_id AND id IN (SELECT todo_id FROM entries WHERE id = :id)",
            "entries",
        ),
        ("SELECT * FROM todos JOIN users ON users.id = todos.id WHERE todos.user_id = :user_id", "users"),
        ("SELECT * FROM todos JOIN users ON users.id = todos.user_id WHERE todos.share = :share", "todos"),
        (
            "DELETE FROM clients WHERE bucket = :bucket AND NOT EXISTS (SELECT 1 FROM grants WHERE client_id = id)",
            "grants",
        ),
        ("SELECT COUNT(*) AS total FROM attempts", "attempts"),
    ],
)
def test_one_that_does_not_is_found(sql: str, table: str) -> None:
    assert table in unbound(sql)
