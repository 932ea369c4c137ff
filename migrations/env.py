"""Runs the migrations on the database of the settings, or on the one that a test names in `database_url`."""

import sys
from pathlib import Path
from typing import Any

from alembic import context
from sqlalchemy import create_engine, event, pool

from todo.config import ConfigError, Settings, load_environ


def url_of_settings() -> str:
    try:
        return Settings.from_env(load_environ()).database_url
    except ConfigError as error:
        sys.exit(str(error))


def database_url() -> str:
    """Returns the address in the form of SQLAlchemy, after making the folder of a SQLite file."""
    url = context.config.attributes.get("database_url") or url_of_settings()
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    return str(url).replace("postgresql://", "postgresql+psycopg://", 1)


# What keeps another upgrade out until this one is on disk; the number is this service's own, and means nothing.
ONE_AT_A_TIME = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(8120946273)"}
PATIENCE = 60.0  # seconds that SQLite waits for others


def options(url: str) -> dict[str, Any]:
    """Returns what create_engine needs so that SQLite makes tables within the transaction, too."""
    # Python's sqlite3 begins none before it changes a table, so it must be told to begin none at all.
    return {"connect_args": {"isolation_level": None, "timeout": PATIENCE}} if url.startswith("sqlite:") else {}


url = database_url()
engine = create_engine(url, poolclass=pool.NullPool, **options(url))
event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(ONE_AT_A_TIME[connection.dialect.name]))
with engine.connect() as connection:
    context.configure(connection=connection, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
