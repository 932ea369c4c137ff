"""The operator's commands: `python -m todo --help` lists them.

Each command imports what it needs when it runs, so that --help and env start fast.
"""

import os
import secrets
import shlex
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from todo.command_group import Required, Username, command, commands
from todo.config import DOTENV, ConfigError, Settings, load_environ
from todo.startup import require_port

T = TypeVar("T")


@command("env")
def env() -> None:
    """Write .env with a fresh SERVICE_AUTH_KEY.

    Nothing happens if there is a .env, or if SERVICE_AUTH_KEY is set already.
    """
    if os.environ.get("SERVICE_AUTH_KEY", "").strip() or DOTENV.exists():
        return
    key = secrets.token_hex(32)  # never begins with a hyphen, unlike an option
    try:
        descriptor = os.open(DOTENV, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(
                "# Written by `make run`; .env.example explains every setting.\n"
                f"SERVICE_AUTH_KEY={key}\nHOST=127.0.0.1\n"
            )
    except OSError as error:
        raise click.ClickException(
            f"{DOTENV.resolve()} cannot be written ({error.strerror}): make its folder writable, "
            "or set SERVICE_AUTH_KEY in the environment."
        ) from None
    click.echo(f"Wrote {DOTENV.resolve()} with a fresh SERVICE_AUTH_KEY.")


@command("check")
def check() -> None:
    """Check the settings, and say nothing if they are right."""
    Settings.from_env(load_environ())


@command("try")
def show_try() -> None:
    """Print what to do first: open a page, sign up, and add a to-do with curl.

    The curl command reads the service key where it is kept, and does not show it.
    """
    settings = Settings.from_env(load_environ())
    file = shlex.quote(str(DOTENV.resolve()))
    place, key = str(DOTENV.resolve()), f"$(sed -n 's/^SERVICE_AUTH_KEY=\\([^,]*\\).*/\\1/p' {file})"
    if "SERVICE_AUTH_KEY" in os.environ:
        place, key = "the environment, as SERVICE_AUTH_KEY", "${SERVICE_AUTH_KEY%%,*}"
    curl = (
        f'curl {settings.public_url}/todos/kevin -H "Authorization: Bearer {key}" '
        """-H "Content-Type: application/json" -d '{"todo": "Buy milk"}'"""
    )
    click.echo(
        f"""
  1. Open      {settings.public_url}
  2. Sign up   {settings.public_url}/sign-up
  3. Add one   {curl}

Do the third in another terminal, with the username that you signed up with in place of kevin: the to-do appears on
your page. The key for it is in {place}.
"""
    )


@command("serve")
@click.pass_context
def serve(context: click.Context) -> None:
    """Check that the service can start, print what to do first, and start it.

    Runs `gunicorn wsgi:app`, once WEB_CONCURRENCY is a number: gunicorn reads it before this service can.
    """
    settings = Settings.from_env(load_environ())
    require_port(settings)
    context.invoke(show_try)
    sys.stdout.flush()
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    environ = {**os.environ, "WEB_CONCURRENCY": str(settings.web_concurrency)}
    os.execve(gunicorn, [gunicorn, "wsgi:app"], environ)  # noqa: S606


@command("claim")
@click.argument("username", type=Username())
def claim(username: str) -> None:
    """Let a person sign up as USERNAME, whose list exists already.

    Prints a code that works once. The person enters it on /sign-up.
    """
    from todo.accounts import accounts
    from todo.contract import SITE

    settings = _settings()
    holder, code = _write(settings, accounts.claim_of, username)
    if holder == "nobody":
        raise click.ClickException(
            f"There is no list of {username}, so no code is needed: sign up on {settings.public_url}/sign-up."
        )
    if holder == "account":
        raise click.ClickException(f"{username} has an account already: sign in on {settings.public_url}/sign-in.")
    days = SITE.limit("claim_days")
    click.echo(f"Claim code for {username}, good once and for {days} days:\n\n  {code}\n")
    click.echo(f'Enter it on {settings.public_url}/sign-up, under "An assistant already keeps a list for me".')


@command("reset")
@click.argument("username", type=Username())
def reset(username: str) -> None:
    """Let a person who has forgotten their password set a new one.

    Prints a link that works once. Give it to nobody else.
    """
    from todo.accounts import resets
    from todo.contract import SITE

    settings = _settings()
    secret = _write(settings, resets.new_for, username)
    if secret is None:
        raise click.ClickException(f"There is no account of {username}.")
    minutes = SITE.limit("reset_minutes")
    click.echo(f"With this link {username} sets a new password, once and within {minutes} minutes:\n")
    click.echo(f"  {resets.link_of(settings.public_url, secret)}")


@command("client")
@click.argument("name", type=Required())
@click.argument("redirect", type=Required(), nargs=-1, required=True)
def client(name: str, redirect: tuple[str, ...]) -> None:
    """Register an OAuth client, and print its id and secret.

    NAME is what people see when they connect it. REDIRECT is chatgpt-action, chatgpt-connector, claude, or the https
    address that people are sent back to.
    """
    from todo.contract import API
    from todo.oauth import register
    from todo.oauth.redirects import HOSTS, expand_alias

    settings = _settings()
    uris = [uri for given in redirect for uri in expand_alias(given)]
    try:
        client_id, secret = _write(settings, register.register_by_operator, name, uris)
    except register.InvalidMetadata as error:
        raise click.ClickException(f"NAME: {error.description}") from None
    except register.InvalidRedirect:
        hosts = ", ".join(HOSTS)
        raise click.ClickException(
            f"REDIRECT must be one of {hosts}, or the https address to send people back to."
        ) from None
    click.echo(f"Registered {name}. The secret is shown only now.\n")
    for label, value in {
        "Client ID": client_id,
        "Client secret": secret,
        "Authorization URL": f"{settings.public_url}/oauth/authorize",
        "Token URL": f"{settings.public_url}/oauth/token",
        "Scope": " ".join(API.scopes),
    }.items():
        click.echo(f"  {label:<18} {value}")


@command("forget")
@click.argument("username", type=Username())
def forget(username: str) -> None:
    """Delete a list with everything in it, and its account.

    This cannot be undone.
    """
    from todo.domain import users
    from todo.domain.forgetting import forget

    known = _write(_settings(), forget, users.Owner(username))
    click.echo(f"Deleted the list of {username}." if known else f"There is no list of {username}.")


@command("backup")
@click.argument("file", type=Required())
def backup(file: str) -> None:
    """Copy the SQLite database to FILE while the service runs.

    The copy is complete and needs no other file.
    """
    url = _settings().database_url
    if not url.startswith("sqlite:///"):
        raise ConfigError("DATABASE_URL is PostgreSQL: back it up with pg_dump, or with your provider's own backups.")
    source = Path(url.removeprefix("sqlite:///"))
    _copy(source, Path(file))
    click.echo(f"Copied the database to {file}.")


@command("upgrade")
def upgrade() -> None:
    """Back up the SQLite database beside it, migrate, and check that the service can start.

    Stop the service first. Back PostgreSQL up yourself: this says so, and migrates it.
    """
    settings = Settings.from_env(load_environ())
    source = Path(settings.database_url.removeprefix("sqlite:///"))
    if settings.database_url.startswith("sqlite:") and source.exists():
        target = source.with_name(f"{source.stem}-before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{source.suffix}")
        _copy(source, target)
        click.echo(f"Copied the database to {target}.")
    elif not settings.database_url.startswith("sqlite:"):
        click.echo("PostgreSQL is not backed up here: use pg_dump, or your provider's own backups.")
    _migrate()
    _check(settings)
    click.echo("The database is up to date, and the service can start.")


def _migrate() -> None:
    """Migrates the database. Exits with one sentence if it cannot."""
    from alembic import command as alembic
    from alembic.config import Config

    alembic.upgrade(Config(Path(__file__).parent.parent / "alembic.ini"), "head")


def _check(settings: Settings) -> None:
    """Raises CannotStart unless the service could start."""
    from todo.app import create_app
    from todo.storage.database import check_ready

    check_ready(settings.database_url)
    create_app(settings)


def _copy(source: Path, target: Path) -> None:
    """Copies a SQLite database. Raises ClickException and StorageNotReady."""
    from todo.storage.not_ready import require_file, why_sqlite

    if not source.exists():
        raise click.ClickException(f"There is no database at {source}: run `make migrate` first.")
    if target.exists():
        raise click.ClickException(f"{target} exists: name a new file for the backup.")
    if not os.access(target.parent, os.W_OK):
        raise click.ClickException(
            f"{source} cannot be copied to {target}: name a file in a folder that exists and that you may write."
        )
    require_file(source)
    database = sqlite3.connect(source)
    try:
        database.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        if why := why_sqlite(error, source):
            raise why from None
        raise click.ClickException(
            f"{source} cannot be copied to {target} ({error}): name a file in a folder that has room."
        ) from None
    finally:
        database.close()


def _settings() -> Settings:
    """Returns the settings, with the URL at which the service was last started unless the terminal sets another."""
    from todo import noted_url

    settings = Settings.from_env(load_environ())
    return settings if os.environ.get("PORT") or os.environ.get("PUBLIC_URL") else noted_url.with_noted(settings)


def _write(settings: Settings, rule: Callable[..., T], *args: Any) -> T:
    """Returns what the rule returns, once it is on disk. Raises StorageNotReady and ClickException."""
    from todo.errors import OutcomeUnknown, StorageUnavailable
    from todo.storage.database import open_engine

    engine = open_engine(settings.database_url, statement_timeout=settings.database_statement_timeout)
    engine.start()
    try:
        return engine.submit_write(rule, *args).result()
    except StorageUnavailable:
        raise click.ClickException(
            "The database of DATABASE_URL is busy, or its disk is full: nothing was changed, so try again."
        ) from None
    except OutcomeUnknown:
        raise click.ClickException(
            "The connection to the database of DATABASE_URL broke: this was done or not, so look before you try again."
        ) from None
    finally:
        engine.stop()


if __name__ == "__main__":
    commands()
