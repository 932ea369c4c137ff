"""Runs the migrations on the database of the settings, or on the one that a test names in `database_url`."""

import sys
from pathlib import Path

from alembic import context
from sqlalchemy import create_engine, pool

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


engine = create_engine(database_url(), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
