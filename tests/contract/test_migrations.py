"""The migrations lead every database to one shape, the same on SQLite and PostgreSQL."""

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy
from alembic.config import Config
from alembic.script import ScriptDirectory

from dev.processes import ROOT
from tests.conftest import migrate, new_postgresql_database
from todo.storage.engine import newest_revision

SCRIPTS = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()]


SUMS = "tests/contract/migrations.sha256"  # in the format of sha256sum


def connect(database_url: str) -> sqlalchemy.Engine:
    url = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)


def shape(database_url: str) -> dict[str, Any]:
    """Returns what both databases must have alike: the names and the order of everything, but no types."""
    inspector = sqlalchemy.inspect(connect(database_url))
    return {table: shape_of_table(inspector, table) for table in inspector.get_table_names()}


def shape_of_table(inspector: sqlalchemy.Inspector, table: str) -> dict[str, Any]:
    # PostgreSQL tells of the index behind a unique constraint, SQLite does not.
    indexes = [index for index in inspector.get_indexes(table) if "duplicates_constraint" not in index]
    return {
        "columns": [(column["name"], column["nullable"]) for column in inspector.get_columns(table)],
        "primary key": inspector.get_pk_constraint(table)["constrained_columns"],
        "unique": sorted(unique["column_names"] for unique in inspector.get_unique_constraints(table)),
        "references": [(k["constrained_columns"], k["referred_table"]) for k in inspector.get_foreign_keys(table)],
        "indexes": sorted((index["name"], index["column_names"], bool(index["unique"])) for index in indexes),
    }


def revision(database_url: str) -> str:
    with connect(database_url).connect() as connection:
        return connection.scalar(sqlalchemy.text("SELECT version_num FROM alembic_version"))


def test_one_head_which_the_service_asks_for() -> None:
    assert SCRIPTS.get_heads() == [newest_revision()]


def test_no_migration_is_edited() -> None:
    """What has run somewhere stays as it was run: an edit would give two databases of one revision."""
    held = dict(reversed(line.split()) for line in (ROOT / SUMS).read_text("utf-8").splitlines())
    files = (ROOT / "migrations" / "versions").glob("*.py")
    found = {f"{file.relative_to(ROOT)}": sha256(file.read_bytes()).hexdigest() for file in files}
    edited = sorted(name for name, digest in held.items() if found.get(name) != digest)
    assert not edited, f"never edit a released migration, add one: restore {', '.join(edited)}"
    new = " ".join(sorted(found.keys() - held.keys()))
    assert not new, f"hold the new migration, once it is as it will stay: sha256sum {new} >> {SUMS}"


STOP = "Stop the service for this upgrade"
# What the version before may still use. Adding tables and columns leaves it alone.
BREAKS = re.compile(r"\bop\.(?:drop|rename|alter|batch_alter)_(?!.*# unused since \d)")


def test_the_changelog_says_when_to_stop_the_service() -> None:
    sections = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)[1:]
    intros = [section.partition("### ")[0] for section in sections]
    newest = [re.search(r"Database revision: (\d+)", intro)[1] for intro in intros]
    assert newest[0] == newest_revision()
    for intro, since, until in zip(intros, newest[1:], newest, strict=False):
        files = [SCRIPTS.get_revision(each).path for each in REVISIONS if since < each <= until]
        upgrades = [Path(file).read_text("utf-8").partition("def downgrade")[0] for file in files]
        breaking = any(BREAKS.search(text) for text in upgrades)
        assert (STOP in " ".join(intro.split())) == breaking, f"from {since} to {until}: see CONTRIBUTING.md"


def test_from_nothing_to_head(empty_database: str) -> None:
    migrate(empty_database)
    assert revision(empty_database) == newest_revision()
    assert {"users", "todos"} <= shape(empty_database).keys()


def test_upgrading_twice_changes_nothing(empty_database: str) -> None:
    migrate(empty_database)
    before = shape(empty_database)
    migrate(empty_database)
    assert revision(empty_database) == newest_revision()
    assert shape(empty_database) == before


def test_both_databases_have_one_shape(tmp_path: Path, postgresql: str) -> None:
    sqlite_url, postgresql_url = f"sqlite:///{tmp_path}/todo.db", new_postgresql_database(postgresql)
    migrate(sqlite_url)
    migrate(postgresql_url)
    assert shape(sqlite_url) == shape(postgresql_url)


def test_postgresql_orders_text_by_bytes(postgresql: str) -> None:
    # SQLite does so of itself; a cursor compares alike on both only if PostgreSQL does too.
    url = new_postgresql_database(postgresql)
    migrate(url)
    inspector = sqlalchemy.inspect(connect(url))
    ordered = {("users", "username"), ("todos", "due_key"), ("todos", "updated_at")}
    columns = {(table, c["name"]): c["type"] for table, _ in ordered for c in inspector.get_columns(table)}
    assert {getattr(columns[column], "collation", None) for column in ordered} == {"C"}
