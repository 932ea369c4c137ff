"""Runs the migrations, on DATABASE_URL or on the database that a test passes as the attribute `database_url`."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import context
from sqlalchemy import create_engine, event, pool
from sqlalchemy.exc import DBAPIError

from migrations.citus import split_new_tables, split_tables
from migrations.first_form import add_series, drop_times
from todo.config import Settings, load_environ
from todo.startup import one_sentence
from todo.storage.engine import require_known
from todo.storage.not_ready import require_address, require_file, why_postgresql, why_sqlite


def file_of(url: str) -> Path | None:
    """Returns the file of a SQLite database."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else None


# Keeps other upgrades out until this one commits. The number is arbitrary.
ONE_AT_A_TIME = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(8120946273)"}
PATIENCE = 60.0  # seconds to wait for SQLite's lock


def options(url: str) -> dict[str, Any]:
    """Returns arguments for create_engine that make DDL transactional on SQLite, too, and suit a pooler."""
    if url.startswith("sqlite:"):
        # Python's sqlite3 begins no transaction before DDL, so it must begin none at all and leave that to us.
        return {"connect_args": {"isolation_level": None, "timeout": PATIENCE}}
    # A prepared statement would stay on the pooler's connection, under a name that the next upgrade uses too.
    return {"connect_args": {"prepare_threshold": None}}


def run(url: str) -> None:
    """Runs the migrations. Raises StorageNotReady, and the error of a migration that is wrong."""
    file = file_of(url)
    if file:
        require_file(file)
    else:
        require_address(url)
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, poolclass=pool.NullPool, **options(url))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(ONE_AT_A_TIME[connection.dialect.name]))
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            transactional_ddl=True,
            on_version_apply=lambda **_: split_new_tables(connection),
        )
        with context.begin_transaction():
            revision = context.get_context().get_current_revision()
            require_known(revision)
            add_series(connection)
            drop_times(connection, revision)
            context.run_migrations()
            if context.get_context().get_current_heads() == tuple(context.script.get_heads()):
                split_tables(connection)


@contextmanager
def why_not(url: str) -> Iterator[None]:
    """Turns an error of the database into its sentence, unless it is a bug's."""
    try:
        yield
    except DBAPIError as error:
        file = file_of(url)
        wrong = why_sqlite(error.orig, file) if file and isinstance(error.orig, sqlite3.Error) else None
        if not file and error.orig:
            wrong = why_postgresql(error.orig)
        raise wrong or error from None


with one_sentence():
    url = context.config.attributes.get("database_url") or Settings.from_env(load_environ()).database_url
    with why_not(url):
        run(url)
