"""Runs the migrations, on DATABASE_URL or on the database that a test passes as the attribute `database_url`."""

import sys
from pathlib import Path
from typing import Any

from alembic import context
from sqlalchemy import create_engine, event, pool

from migrations.citus import split_tables
from todo.config import ConfigError, Settings, load_environ


def url_of_settings() -> str:
    try:
        return Settings.from_env(load_environ()).database_url
    except ConfigError as error:
        sys.exit(str(error))


def database_url() -> str:
    """Returns the URL in SQLAlchemy's form. Creates the folder of a SQLite file."""
    url = context.config.attributes.get("database_url") or url_of_settings()
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    return str(url).replace("postgresql://", "postgresql+psycopg://", 1)


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


url = database_url()
engine = create_engine(url, poolclass=pool.NullPool, **options(url))
event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(ONE_AT_A_TIME[connection.dialect.name]))
with engine.connect() as connection:
    context.configure(connection=connection, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
        if context.get_context().get_current_heads() == tuple(context.script.get_heads()):
            split_tables(connection)
