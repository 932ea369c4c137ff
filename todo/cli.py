"""What an operator runs by hand.

python -m todo.cli env | try | claim USERNAME | client NAME REDIRECT ... | forget USERNAME | backup FILE
"""

import os
import secrets
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from todo.accounts import accounts
from todo.accounts.bearer import Principal
from todo.config import DOTENV, ConfigError, Settings, load_environ
from todo.contract import API, SITE
from todo.domain import users
from todo.storage.database import open_engine
from todo.storage.engine import StorageNotReady

T = TypeVar("T")


def write_env(file: Path = DOTENV) -> None:
    """Writes a .env with fresh secrets for a machine of one's own, unless there is one."""
    if file.exists():
        return
    key = secrets.token_hex(32)  # which never begins with a hyphen, as an option does
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as env:
        env.write(
            f"# Written by `make run`; .env.example explains every setting.\nSERVICE_AUTH_KEY={key}\nHOST=127.0.0.1\n"
        )
    print(f"Wrote {file.resolve()} with a fresh SERVICE_AUTH_KEY.")


def show_try(settings: Settings) -> None:
    """Prints a command that works once the service runs. The key itself is not printed."""
    key = f"$(sed -n 's/^SERVICE_AUTH_KEY=\\([^,]*\\).*/\\1/p' {DOTENV.resolve()})"
    if "SERVICE_AUTH_KEY" in os.environ:
        key = "${SERVICE_AUTH_KEY%%,*}"
    print(
        f"""
The service starts at {settings.public_url} (reference: /docs). Your key is in {DOTENV.resolve()}.
In another terminal, try:

  curl {settings.public_url}/todos/kevin \\
    -H "Authorization: Bearer {key}" \\
    -H "Content-Type: application/json" -d '{{"todo": "Buy milk"}}'
""",
        flush=True,
    )


def claim(settings: Settings, username: str) -> None:
    """Prints a code by which one person can sign up with the username of a list that an assistant keeps already."""
    code = _write(settings, accounts.new_claim, Principal().owner(username).username)
    days = SITE.limit("claim_days")
    print(f"Claim code for {username}, good once and for {days} days:\n\n  {code}\n")
    print(f'It is entered on {settings.public_url}/sign-up, under "An assistant keeps a list for me already".')


def client(settings: Settings, name: str, redirects: list[str]) -> None:
    """Prints id and secret of a new OAuth client. Raises ConfigError for what nobody may register."""
    from todo.oauth import register
    from todo.oauth.redirects import HOSTS, expand_alias

    uris = [uri for given in redirects for uri in expand_alias(given)]
    try:
        client_id, secret = _write(settings, register.register_by_operator, name, uris)
    except register.InvalidMetadata as error:
        raise ConfigError(f"NAME: {error.description}") from None
    except register.InvalidRedirect:
        hosts = ", ".join(HOSTS)
        raise ConfigError(f"REDIRECT must be one of {hosts}, or the https address to send people back to.") from None
    print(f"{name} is registered. The secret is shown this once.\n")
    for label, value in {
        "Client ID": client_id,
        "Client secret": secret,
        "Authorization URL": f"{settings.public_url}/oauth/authorize",
        "Token URL": f"{settings.public_url}/oauth/token",
        "Scope": " ".join(API.scopes),
    }.items():
        print(f"  {label:<18} {value}")


def forget(settings: Settings, username: str) -> None:
    """Deletes a list with everything in it, and the account."""
    known = _write(settings, users.forget, Principal().owner(username))
    print(f"The list of {username} is deleted." if known else f"There is no list of {username}.")


def _write(settings: Settings, rule: Callable[..., T], *args: Any) -> T:
    """Returns what the rule returns, once on disk."""
    engine = open_engine(settings.database_url)
    engine.start()
    try:
        return engine.submit_write(rule, *args).result()
    finally:
        engine.stop()


def backup(settings: Settings, file: str) -> None:
    """Copies a SQLite database while the service runs; the copy is whole and needs no other file."""
    if not settings.database_url.startswith("sqlite:///"):
        raise ConfigError("DATABASE_URL is PostgreSQL: back it up with pg_dump, or with your provider's own backups.")
    if Path(file).exists():
        raise ConfigError(f"{file} exists: name a new file for the backup.")
    source = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"))
    try:
        source.execute("VACUUM INTO ?", (file,))
    finally:
        source.close()
    print(f"Copied the database to {file}.")


def main(arguments: list[str]) -> None:
    """Runs one command. Raises ConfigError and StorageNotReady."""
    match arguments:
        case ["env"]:
            write_env()
        case ["try"]:
            show_try(Settings.from_env(load_environ()))
        case ["claim", username] if username:
            claim(Settings.from_env(load_environ()), username)
        case ["client", name, *redirects] if name and all(redirects) and redirects:
            client(Settings.from_env(load_environ()), name, redirects)
        case ["forget", username] if username:
            forget(Settings.from_env(load_environ()), username)
        case ["backup", file] if file:
            backup(Settings.from_env(load_environ()), file)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ConfigError, StorageNotReady) as error:
        sys.exit(str(error))
