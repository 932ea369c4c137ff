"""Sessions of people in browsers. The cookie holds the secret, the database only its hash."""

import hmac
from dataclasses import dataclass
from datetime import timedelta

from todo import tokens
from todo.accounts import Account
from todo.contract import SITE
from todo.errors import WrongPassword
from todo.storage.statements import Connection
from todo.users import utc_now

KEPT = timedelta(days=SITE.limit("session_days"))  # with "keep me signed in"
SHORT = timedelta(hours=SITE.limit("session_hours"))


@dataclass(frozen=True)
class Session:
    """A browser's secret, and the account that is signed in with it, if any."""

    secret: str
    account: Account | None = None

    @property
    def csrf_token(self) -> str:
        """Returns what every form of this session carries. Who cannot read the cookie cannot make it."""
        return tokens.digest(f"csrf {self.secret}")

    def has_sent(self, csrf_token: str) -> bool:
        """Whether a form with this token comes from a page of this session."""
        return hmac.compare_digest(self.csrf_token.encode(), csrf_token.encode())


def start(connection: Connection, user_id: int, *, keep: bool) -> str:
    """Returns the secret of a new session, for the cookie. Raises WrongPassword where the account is no more."""
    if connection.lock_user_by_id(user_id=user_id) is None:
        raise WrongPassword
    connection.delete_expired_sessions(user_id=user_id, now=utc_now())
    secret = tokens.new("session")
    connection.insert_session(hash=tokens.digest(secret), user_id=user_id, expires_at=utc_now(KEPT if keep else SHORT))
    return secret


def find(connection: Connection, secret: str) -> Account | None:
    """Returns the account that is signed in with this secret."""
    row = connection.account_of_session(hash=tokens.digest(secret), now=utc_now())
    return Account.from_row(row) if row else None


def end(connection: Connection, secret: str) -> None:
    """Ends one session."""
    connection.delete_session(hash=tokens.digest(secret))
