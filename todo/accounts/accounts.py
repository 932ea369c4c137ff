"""Accounts: a person's name, password and, if they want one, e-mail address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from todo.accounts import attempts, grants, passwords, tokens
from todo.contract import SITE
from todo.domain import profiles, users
from todo.domain.entries import Entry
from todo.domain.todos import Todo
from todo.domain.users import Owner, utc_now
from todo.errors import ClaimRefused, UsernameTaken, WrongPassword
from todo.storage.engine import Engine
from todo.storage.limits import exports
from todo.storage.statements import Connection

JSON = dict[str, Any]
CLAIM_TIME = timedelta(days=SITE.limit("claim_days"))


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in."""

    user_id: int
    username: str
    password_hash: str
    email: str | None
    created_at: str

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Account":
        return cls(**{name: row[name] for name in ("user_id", "username", "password_hash", "email", "created_at")})


def sign_up(
    engine: Engine, address: str, username: str, password: str, email: str | None, claim_code: str | None
) -> Account:
    """Returns a new account. Raises TooManyAttempts, UsernameTaken and ClaimRefused."""
    attempts.limit(engine.submit_write(attempts.count, attempts.sign_ups(address)).result())
    return engine.submit_write(
        open_account, username.lower(), passwords.hash_password(password), email, claim_code
    ).result()


def check_password(engine: Engine, address: str, username: str, password: str) -> Account:
    """Returns the account of this name and password. Raises TooManyAttempts, and WrongPassword, whatever is wrong."""
    counts = attempts.sign_ins(username.lower(), address)
    attempts.limit(engine.submit_write(attempts.count, counts).result())
    account = engine.submit_read(find, username.lower()).result()
    if not passwords.is_right(account.password_hash if account else None, password):
        raise WrongPassword
    assert account
    engine.submit_write(attempts.forgive, counts).result()
    return account


def check_own_password(engine: Engine, owner: Owner, password: str) -> Account:
    """Returns the account of who is signed in. Raises TooManyAttempts, WrongPassword and SignedOut."""
    counts = attempts.own_passwords(str(owner.session))
    attempts.limit(engine.submit_write(attempts.count, counts).result())
    account = engine.submit_read(of, owner).result()
    if not passwords.is_right(account.password_hash, password):
        raise WrongPassword
    engine.submit_write(attempts.forgive, counts).result()
    return account


def find(connection: Connection, username: str) -> Account | None:
    """Returns the account of this name, in lower case."""
    row = connection.account_by_username(username=username)
    return Account.from_row(row) if row else None


def of(connection: Connection, owner: Owner) -> Account:
    """Returns the account of who is signed in. Raises SignedOut."""
    return Account.from_row(connection.account_by_user(user_id=users.find(connection, owner).id))


def open_account(
    connection: Connection, username: str, password_hash: str, email: str | None, claim_code: str | None
) -> Account:
    """Returns the new account of this name. Raises UsernameTaken and ClaimRefused.

    A list that a trusted host has opened under the name is somebody's: it takes a claim code of the operator.
    """
    if username == "me":
        raise UsernameTaken
    known = connection.lock_user(username=username)
    user = users.open_list(connection, Owner(username))
    if connection.account_by_user(user_id=user.id):
        raise UsernameTaken
    if (known or user.last_change_id) and not _use_claim(connection, username, claim_code):
        raise ClaimRefused if claim_code else UsernameTaken
    connection.delete_claim(username=username)
    connection.insert_account(user_id=user.id, password_hash=password_hash, email=email, now=utc_now())
    return Account.from_row(connection.account_by_user(user_id=user.id))


def new_claim(connection: Connection, username: str) -> str:
    """Returns a code by which one person can sign up with the name of a list. It takes the place of an earlier one."""
    code = tokens.new("claim")
    connection.save_claim(username=username, hash=tokens.digest(code), expires_at=utc_now(CLAIM_TIME))
    return code


def lock(connection: Connection, account: Account) -> None:
    """Locks an account whose password was checked. Raises WrongPassword where that is another since, or all is gone."""
    connection.lock_user_by_id(user_id=account.user_id)
    row = connection.account_by_user(user_id=account.user_id)
    if row is None or row["password_hash"] != account.password_hash:
        raise WrongPassword


def change_email(connection: Connection, owner: Owner, email: str | None) -> None:
    """Sets the e-mail address, or removes it. Raises SignedOut."""
    connection.save_email(user_id=users.lock(connection, owner).id, email=email)


@exports
def export(connection: Connection, owner: Owner) -> JSON:
    """Returns all that is kept about the person, but for the password, whose hash helps nobody. Raises SignedOut."""
    user, account = users.find(connection, owner), of(connection, owner)
    todos = [Todo.from_row(row).to_json(user.local_now()) for row in connection.all_todos(user_id=user.id)]
    entries: dict[int, list[JSON]] = {}
    for row in connection.all_entries(user_id=user.id):
        entries.setdefault(row["change_id"], []).append(Entry.from_row(row).to_json())
    told = ("id", "at", "actor", "client", "summary", "undoes")
    return {
        "account": {"username": account.username, "email": account.email, "created_at": account.created_at},
        "profile": profiles.show(connection, owner),
        "assistants": grants.connected(connection, user.id),
        "todos": todos,
        "changes": [
            {**{name: row[name] for name in told}, "entries": entries.get(row["id"], [])}
            for row in connection.all_changes(user_id=user.id)
        ],
    }


def _use_claim(connection: Connection, username: str, code: str | None) -> bool:
    return bool(code and connection.use_claim(username=username, hash=tokens.digest(code), now=utc_now()))
