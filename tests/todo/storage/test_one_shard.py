"""Constraints begin with the key of their table, and statements name it: one node of a cluster can run each alone.

`migrations/citus.py` says which column is the key. `make test-citus` asks a real cluster; this is its rule, read from
the catalog and from the statements.
"""

from collections.abc import Iterator

import psycopg
import pytest
import sqlglot
from sqlglot import exp

from migrations.citus import GROUPS, OWNER
from tests.conftest import migrated_postgresql
from todo.storage.statements import parsed

KEYS = {table: column for group in GROUPS for table, column in group.items()}
STATEMENTS = {name: query.sql for name, query in parsed("psycopg").items()}
# These say who the owner is, and are read before that is known.
LOOKUPS = {"usernames", "old_addresses"}
UNIQUE_INDEXES = """
SELECT indexrelid::regclass::text, indrelid::regclass::text, pg_get_indexdef(indexrelid, 1, true)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indisunique AND relnamespace = 'public'::regnamespace
"""
REFERENCES = """
SELECT conname, conrelid::regclass::text, confrelid::regclass::text, own.attname, other.attname
FROM pg_constraint
JOIN pg_attribute AS own ON own.attrelid = conrelid AND own.attnum = conkey[1]
JOIN pg_attribute AS other ON other.attrelid = confrelid AND other.attnum = confkey[1]
WHERE contype = 'f' AND connamespace = 'public'::regnamespace
"""

Owners = dict[int, str]  # by the identity of a table's place in the statement, as sqlglot compares by value


@pytest.fixture(scope="module")
def catalog(postgresql: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(migrated_postgresql(postgresql)) as connection:
        yield connection


def test_every_table_is_split_by_a_column_of_its_own(catalog: psycopg.Connection) -> None:
    columns = catalog.execute("SELECT table_name, column_name FROM information_schema.columns").fetchall()
    tables = catalog.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert {table for (table,) in tables} == {*KEYS, "alembic_version"}
    assert KEYS.items() <= set(columns)


def test_every_table_of_a_person_is_split_by_the_owner(catalog: psycopg.Connection) -> None:
    rows = catalog.execute("SELECT table_name FROM information_schema.columns WHERE column_name = 'user_id'")
    assert {table for (table,) in rows} - LOOKUPS == OWNER.keys() - {"users"}


def test_every_key_and_unique_index_begins_with_the_column_that_splits(catalog: psycopg.Connection) -> None:
    found = catalog.execute(UNIQUE_INDEXES).fetchall()
    assert {table for _, table, _ in found} >= KEYS.keys()
    wrong = {name for name, table, first in found if table in KEYS and first != KEYS[table]}
    assert not wrong


def test_every_foreign_key_joins_owner_to_owner(catalog: psycopg.Connection) -> None:
    found = catalog.execute(REFERENCES).fetchall()
    assert found
    for name, table, other, column, referred in found:
        assert group_of(table) is group_of(other), name
        assert (column, referred) == (KEYS[table], KEYS[other]), name


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_statement_names_one_key(name: str) -> None:
    assert not list(faults(STATEMENTS[name]))


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("SELECT * FROM todos WHERE id = %(id)s", "todos: no user_id"),
        ("SELECT * FROM todos WHERE user_id > %(user_id)s", "todos: no user_id"),
        ("SELECT * FROM todos WHERE user_id = %(user_id)s OR id = %(id)s", "todos: no user_id"),
        ("SELECT * FROM todos WHERE NOT user_id = %(user_id)s", "todos: no user_id"),
        ("SELECT * FROM users WHERE id = %(a)s AND id IN (SELECT user_id FROM todos)", "todos: no user_id"),
        ("SELECT * FROM users JOIN todos ON todos.id = users.id WHERE users.id = %(user_id)s", "todos: no user_id"),
        ("SELECT * FROM users LEFT JOIN todos ON todos.user_id = %(a)s WHERE users.id = %(a)s", "todos: no user_id"),
        ("SELECT * FROM users, todos WHERE users.id = %(a)s AND todos.user_id = %(b)s", "two owners: a, b"),
        ("SELECT * FROM users, claims WHERE users.id = %(a)s AND claims.username = %(b)s", "two keys: claims, users"),
        (
            "SELECT * FROM todos WHERE user_id = %(a)s AND id IN (SELECT record_id FROM changes WHERE id = %(id)s)",
            "changes: no user_id",
        ),
        ("SELECT COUNT(*) AS total FROM attempts", "attempts: no bucket"),
        ("DELETE FROM todos WHERE id = %(id)s", "todos: no user_id"),
        ("UPDATE todos SET user_id = %(other)s WHERE user_id = %(user_id)s", "todos: sets user_id"),
        ("INSERT INTO todos (id) VALUES (%(id)s)", "todos: no user_id"),
        ("INSERT INTO todos (user_id, id) VALUES (7, %(id)s)", "todos: no user_id"),
        ("INSERT INTO todos SELECT * FROM todos WHERE user_id = %(user_id)s", "todos: no user_id"),
    ],
)
def test_what_would_ask_more_than_one_node_is_found(sql: str, fault: str) -> None:
    assert fault in list(faults(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS answer",
        "SELECT * FROM users JOIN todos ON todos.user_id = users.id WHERE users.id = %(user_id)s",
        "DELETE FROM grants WHERE user_id = %(a)s AND EXISTS (SELECT FROM codes WHERE codes.user_id = grants.user_id)",
        "SELECT id FROM (SELECT * FROM todos WHERE user_id = %(user_id)s LIMIT 1) AS newest WHERE newest.id > 1",
        "INSERT INTO todos (user_id, id) SELECT %(a)s, id FROM todos WHERE user_id = %(a)s",
    ],
)
def test_what_asks_one_node_is_fine(sql: str) -> None:
    assert not list(faults(sql))


def group_of(table: str) -> dict[str, str] | None:
    return next((group for group in GROUPS if table in group), None)


def faults(sql: str) -> Iterator[str]:
    """Yields why a statement could need rows of more than one key, and nothing if it cannot."""
    tree = sqlglot.parse_one(sql, dialect="postgres")
    tables = [table for table in tree.find_all(exp.Table) if table.name in KEYS]
    owners = owners_of(tables)
    yield from (f"{table.name}: no {KEYS[table.name]}" for table in tables if id(table) not in owners)
    if len(set(owners.values())) > 1:
        yield f"two owners: {', '.join(sorted(set(owners.values())))}"
    if any(group_of(table.name) is not group_of(tables[0].name) for table in tables):
        yield f"two keys: {', '.join(sorted({table.name for table in tables}))}"
    for table in tables:
        block = block_of(table)
        if isinstance(block, exp.Update) and KEYS[table.name] in {each.this.name for each in block.expressions}:
            yield f"{table.name}: sets {KEYS[table.name]}"


def owners_of(tables: list[exp.Table]) -> Owners:
    """Returns the parameter that each table's key is equal to, directly or by way of another table's key."""
    owners: Owners = {id(table): name for table in tables if (name := inserted(table))}
    while True:
        unknown = [table for table in tables if id(table) not in owners]
        found = {id(table): name for table in unknown if (name := compared(table, owners))}
        if not found:
            return owners
        owners |= found


def inserted(table: exp.Table) -> str | None:
    """Returns the parameter that an INSERT gives for the key of its table."""
    schema, insert = table.parent, block_of(table)
    if not isinstance(insert, exp.Insert) or not isinstance(schema, exp.Schema):
        return None
    columns = [column.name for column in schema.expressions]
    source = insert.expression
    rows = source.expressions if isinstance(source, exp.Values) else [source]
    if KEYS[table.name] not in columns:
        return None
    (value, *others) = {row.expressions[columns.index(KEYS[table.name])] for row in rows}
    return str(value.name) if isinstance(value, exp.Placeholder) and not others else None


def compared(table: exp.Table, owners: Owners) -> str | None:
    """Returns the parameter that a condition of the table's own block compares its key with."""
    block = block_of(table)
    for condition in conditions(block):
        for one, other in ((condition.left, condition.right), (condition.right, condition.left)):
            if key_of(one, block) is table:
                if isinstance(other, exp.Placeholder):
                    return str(other.name)
                if (joined := id(key_of(other, block))) in owners:
                    return owners[joined]
    return None


def conditions(block: exp.Expression) -> Iterator[exp.EQ]:
    """Yields each equality that every row of the block fulfils: of WHERE and of inner joins."""
    joins = [join.args.get("on") for join in block.args.get("joins") or [] if not join.side]
    where = block.args.get("where")
    for condition in (*joins, where and where.this):
        parts = condition.flatten() if isinstance(condition, exp.And) else [condition]
        yield from (part for part in parts if isinstance(part, exp.EQ))


def key_of(column: exp.Expression, block: exp.Expression | None) -> exp.Table | None:
    """Returns the table whose key this column is, looking from a block outwards as SQL does."""
    if not isinstance(column, exp.Column):
        return None
    while block is not None:
        near = [table for table in block.find_all(exp.Table) if block_of(table) is block]
        named = near if not column.table and len(near) == 1 else [t for t in near if t.alias_or_name == column.table]
        if named:
            return named[0] if column.name == KEYS.get(named[0].name) else None
        block = block_of(block)
    return None


def block_of(node: exp.Expression) -> exp.Expression | None:
    """Returns the SELECT, INSERT, UPDATE or DELETE that a part of a statement belongs to."""
    return node.find_ancestor(exp.Select, exp.Insert, exp.Update, exp.Delete)
