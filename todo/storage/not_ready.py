"""Why a database cannot be used, in one sentence, which shows no part of its URL except a file's path."""

import os
import re
import sqlite3
from pathlib import Path

from todo.storage.engine import StorageNotReady

MAGIC = b"SQLite format 3\0"  # how a file of SQLite begins (its file format, section 1.3)
OTHER_FILE = "or name another file in DATABASE_URL"

# Messages with which PostgreSQL refuses a connection, as libpq gives no SQLSTATE for them, and the cures.
REFUSED_CONNECTIONS = {
    "password authentication failed|role .* does not exist|no password supplied": (
        "refuses the user or the password: correct them in {name}"
    ),
    "database .* does not exist": "has no such database: create it with createdb, or correct {name}",
    "no pg_hba.conf entry": "does not let this machine or user in: allow it in pg_hba.conf, or correct {name}",
    "too many connections|remaining connection slots": (
        "has no connection left: raise its max_connections, or lower WEB_CONCURRENCY"
    ),
    "starting up|shutting down|recovery mode": "is not ready yet: try again in a moment",
    "SSL|certificate": "and this machine agree on no TLS: correct sslmode in {name}",
    "invalid .* value": "cannot be understood: correct the options after the ? of {name}",
}
REFUSED_STATEMENTS = {
    "42501": "lets its user create no tables: grant it CREATE on the schema public",
    "25006": "is a standby, which only reads: name the primary in {name}",
    "53100": "has no room left on its disk: free some",
    "55P03": "is locked by another process: stop that, and try again",
}


def require_file(file: Path) -> None:
    """Raises StorageNotReady unless `file` is a database of SQLite that this user may write, or can become one."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageNotReady(
            f"{file.parent} cannot be made ({error.strerror}): make the folder yourself, {OTHER_FILE}."
        ) from None
    if file.is_dir():
        raise StorageNotReady(f"{file} is a folder: name a file in DATABASE_URL, such as sqlite:///{file}/todo.db.")
    for place in (file.parent, file):
        if not os.access(place, os.R_OK | os.W_OK) and place.exists():
            raise StorageNotReady(f"{place} may not be written: let this user write it, {OTHER_FILE}.")
    if file.is_file() and file.stat().st_size:
        with file.open("rb") as opened:
            if opened.read(len(MAGIC)) != MAGIC:
                raise StorageNotReady(f"{file} is no SQLite database: restore a backup, {OTHER_FILE}.")


def require_address(url: str, name: str = "DATABASE_URL") -> None:
    """Raises StorageNotReady unless libpq can parse the URL."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        conninfo_to_dict(url)
    except psycopg.Error:
        raise StorageNotReady(
            f"{name} cannot be understood by PostgreSQL: it must be postgresql://user:password@host:5432/database, "
            "and after a ? only options of libpq."
        ) from None


def why_sqlite(error: sqlite3.Error, file: Path) -> StorageNotReady | None:
    """Returns why SQLite cannot use the file, or None for an error that is a bug."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    reasons = {
        sqlite3.SQLITE_BUSY: "is locked by another process: stop that, and try again",
        sqlite3.SQLITE_CORRUPT: "is damaged: restore a backup, as docs/operating.md says",
        sqlite3.SQLITE_NOTADB: f"is no SQLite database: restore a backup, {OTHER_FILE}",
        sqlite3.SQLITE_FULL: "has no room left on its disk: free some, and try again",
        sqlite3.SQLITE_READONLY: f"may not be written: let this user write it and its folder, {OTHER_FILE}",
        sqlite3.SQLITE_CANTOPEN: f"cannot be opened: let this user read and write it, {OTHER_FILE}",
        sqlite3.SQLITE_IOERR: "cannot be read or written: check its disk",
    }
    return StorageNotReady(f"{file} {reasons[code]}.") if code in reasons else None


def why_postgresql(error: Exception, name: str = "DATABASE_URL") -> StorageNotReady | None:
    """Returns why PostgreSQL cannot be used, or None for an error that is a bug. `error` is psycopg's."""
    state = getattr(error, "sqlstate", None)
    if state:
        reason = REFUSED_STATEMENTS.get(state)
    else:
        matching = (cure for pattern, cure in REFUSED_CONNECTIONS.items() if re.search(pattern, str(error)))
        reason = next(matching, "cannot be reached: start it, or correct its host and port in {name}")
    return StorageNotReady(f"The database at {name} {reason.format(name=name)}.") if reason else None
