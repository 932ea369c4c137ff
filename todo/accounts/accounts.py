"""Accounts: a username, a password and an optional e-mail address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from todo.accounts import attempts, grants, passwords, tokens
from todo.contract import SITE
from todo.domain import profiles, users
from todo.domain.entries import Entry
from todo.domain.kinds import KINDS
from todo.domain.users import Owner, utc_now
from todo.errors.access import ClaimRefused, UsernameTaken, WrongCurrentPassword, WrongPassword
from todo.storage.engine import Engine
from todo.storage.read_limits import exports
from todo.storage.statements import Connection

JSON = dict[str, Any]
Holder = Literal["account", "assistant", "nobody"]
CLAIM_LIFETIME = timedelta(days=SITE.limit("claim_days"))


@dataclass(frozen=True)
class Account:
    """A person's account; `created_at` is UTC, to the second."""

    user_id: int
    username: str
    password_hash: str
    email: str | None
    created_at: str

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Account":
        return cls(**{name: row[name] for name in ("user_id", "username", "password_hash", "email", "created_at")})


def sign_up(engine: Engine, address: str, username: str, password: str, **given: str | None) -> Account:
    """Opens an account and counts the attempt against the IP address. Returns the account.

    `given` are the other arguments of `open_account`. Raises TooManyAttempts, UsernameTaken and ClaimRefused.
    """
    attempts.raise_if_limited(engine.submit_write(attempts.count, attempts.sign_ups(address)).result())
    return engine.submit_write(open_account, username.lower(), passwords.hash_password(password), **given).result()


def check_password(engine: Engine, address: str, username: str, password: str) -> Account:
    """Returns the account with this name and password. Raises TooManyAttempts, and WrongPassword if either is wrong."""
    limits = attempts.sign_ins(username.lower(), address)
    attempts.raise_if_limited(engine.submit_write(attempts.count, limits).result())
    account = engine.submit_read(find, username.lower()).result()
    if not passwords.verify(account.password_hash if account else None, password):
        raise WrongPassword
    assert account
    engine.submit_write(attempts.forgive, limits).result()
    return account


def check_own_password(engine: Engine, owner: Owner, password: str) -> Account:
    """Returns the signed-in person's account. Raises TooManyAttempts, WrongCurrentPassword and SignedOut."""
    limits = attempts.own_passwords(str(owner.session))
    attempts.raise_if_limited(engine.submit_write(attempts.count, limits).result())
    account = engine.submit_read(get, owner).result()
    if not passwords.verify(account.password_hash, password):
        raise WrongCurrentPassword
    engine.submit_write(attempts.forgive, limits).result()
    return account


def find(connection: Connection, username: str) -> Account | None:
    """Returns the account with this lower-case name, or None."""
    user = users.find(connection, Owner(username))
    row = connection.account_by_user(user_id=user.id)
    return Account.from_row(row) if row else None


def get(connection: Connection, owner: Owner) -> Account:
    """Returns the signed-in person's account. Raises SignedOut."""
    return Account.from_row(connection.account_by_user(user_id=users.find(connection, owner).id))


def open_account(
    connection: Connection,
    username: str,
    password_hash: str,
    email: str | None,
    claim_code: str | None,
    time_zone: str | None = None,
) -> Account:
    """Opens an account and returns it. A new list starts in `time_zone`. Raises UsernameTaken and ClaimRefused.

    If a trusted host has already opened a list under that name, the operator's claim code is needed: it is somebody's
    list.
    """
    if username == "me":
        raise UsernameTaken
    known = users.find(connection, Owner(username)).id
    user = users.open_list(connection, Owner(username), time_zone)
    if connection.account_by_user(user_id=user.id):
        raise UsernameTaken
    if (known or user.last_change_id) and not _use_claim(connection, username, claim_code):
        raise ClaimRefused if claim_code else UsernameTaken
    connection.delete_claim(username=username)
    connection.insert_account(user_id=user.id, password_hash=password_hash, email=email, now=utc_now())
    return Account.from_row(connection.account_by_user(user_id=user.id))


def new_claim(connection: Connection, username: str) -> str:
    """Returns a code, good for one sign-up, that claims an existing list. It replaces any earlier code for the list."""
    code = tokens.new("claim")
    connection.save_claim(username=username, hash=tokens.digest(code), expires_at=utc_now(CLAIM_LIFETIME))
    return code


def holder_of(connection: Connection, username: str) -> Holder:
    """Returns who has a username: an account, an assistant that keeps a list under it, or nobody."""
    user = users.find(connection, Owner(username))
    if user.id and connection.account_by_user(user_id=user.id):
        return "account"
    return "assistant" if user.id else "nobody"


def claim_of(connection: Connection, username: str) -> tuple[Holder, str | None]:
    """Returns who has a username, and a new claim code if that is an assistant."""
    holder = holder_of(connection, username)
    return holder, new_claim(connection, username) if holder == "assistant" else None


def lock(connection: Connection, account: Account) -> None:
    """Locks an account after its password check. Raises WrongPassword if it was changed or deleted since the check."""
    connection.lock_user_by_id(user_id=account.user_id)
    row = connection.account_by_user(user_id=account.user_id)
    if row is None or row["password_hash"] != account.password_hash:
        raise WrongPassword


def change_email(connection: Connection, owner: Owner, email: str | None) -> None:
    """Sets the e-mail address; None removes it. Links sent to the old one stop working. Raises SignedOut."""
    user = users.lock(connection, owner)
    connection.save_email(user_id=user.id, email=email)
    connection.delete_resets_of_user(user_id=user.id)


def save_password(connection: Connection, user_id: int, password_hash: str) -> None:
    """Sets the password of a locked user, and ends all of their sessions and reset links."""
    connection.save_password(user_id=user_id, password_hash=password_hash)
    connection.delete_sessions_of_user(user_id=user_id)
    connection.delete_resets_of_user(user_id=user_id)


@exports
def export(connection: Connection, owner: Owner) -> JSON:
    """Returns all data stored about the person, except the password hash. Raises SignedOut."""
    user, account = users.find(connection, owner), get(connection, owner)
    columns = ("id", "at", "actor", "client", "grant_id", "summary", "undoes", "undone_by")
    changes: list[JSON] = []
    for row in connection.all_changes(user_id=user.id):
        if not row["overflow"]:
            changes.append({**{name: row[name] for name in columns}, "entries": []})
        if row["kind"]:
            changes[-1]["entries"].append(Entry.from_row(row).to_json(connection.public_url))
    return {
        "account": {"username": account.username, "email": account.email, "created_at": account.created_at},
        "passkeys": [
            {name: row[name] for name in ("name", "created_at", "last_used_at")}
            for row in connection.passkeys_of_user(user_id=user.id)
        ],
        "profile": profiles.show(connection, owner),
        "assistants": grants.connected(connection, user.id),
        **{
            kind.listed_as: exported
            for kind in KINDS.values()
            if kind.listed_as and (exported := kind.export(connection, user)) is not None
        },
        "changes": changes,
    }


def _use_claim(connection: Connection, username: str, code: str | None) -> bool:
    return bool(code and connection.use_claim(username=username, hash=tokens.digest(code), now=utc_now()))
