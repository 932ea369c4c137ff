"""Browser sessions. The cookie holds the secret, the database only its hash."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from todo.accounts import accounts, tokens
from todo.accounts.accounts import Account
from todo.contract import SITE
from todo.domain import users
from todo.domain.users import Owner, utc_now
from todo.errors.access import SignedOut
from todo.storage.statements import Connection

LONG = timedelta(days=SITE.limit("session_days"))  # with "keep me signed in"
SHORT = timedelta(hours=SITE.limit("session_hours"))
MAX_SESSIONS = SITE.limit("sessions_per_account")
COOKIE = str(SITE.document["components"]["securitySchemes"]["session"]["name"])  # its name, but for a prefix over https
CSRF_BYTES = SITE.schema("CsrfToken")["maxLength"] // 4  # half of its digits are the mask, and a byte has two


@dataclass(frozen=True)
class Session:
    """A browser's secret, and the account signed in with it, if any."""

    secret: str
    account: Account | None = None
    is_new: bool = False  # whether the browser has yet to be sent the cookie

    def new_csrf_token(self) -> str:
        """Returns a CSRF token for the forms of one page, which cannot be computed without the cookie.

        It is the session's token under a random mask, so the length of compressed pages reveals nothing about it
        (BREACH).
        """
        mask = secrets.token_bytes(CSRF_BYTES)
        return (mask + _xor(mask, self._csrf_key)).hex()

    def accepts(self, csrf_token: str) -> bool:
        """Whether the token is from a page of this session, compared in constant time."""
        try:
            token = bytes.fromhex(csrf_token)
        except ValueError:
            return False
        if len(token) != 2 * CSRF_BYTES:
            return False
        return hmac.compare_digest(_xor(token[:CSRF_BYTES], self._csrf_key), token[CSRF_BYTES:])

    @property
    def _csrf_key(self) -> bytes:
        return sha256(f"csrf {self.secret}".encode()).digest()[:CSRF_BYTES]

    @property
    def owner(self) -> Owner:
        """Returns the signed-in person as the owner of their list. Raises SignedOut."""
        if self.account is None:
            raise SignedOut
        session = tokens.digest(self.secret)
        return Owner(self.account.username, actor="person", user_id=self.account.user_id, session=session)


def start(connection: Connection, account: Account, old: str, *, keep: bool) -> str:
    """Starts a session in place of the old one and returns its secret. Raises WrongPassword, as accounts.lock does.

    A new secret prevents session fixation. Beyond MAX_SESSIONS, older sessions of the account end.
    """
    accounts.lock(connection, account)
    end(connection, old)
    return _start(connection, account.user_id, keep=keep)


def change_password(connection: Connection, owner: Owner, account: Account, password_hash: str) -> str:
    """Sets the password, ends all sessions and returns the secret of a new one. Raises SignedOut and WrongPassword."""
    user = users.lock(connection, owner)
    accounts.lock(connection, account)
    accounts.save_password(connection, user.id, password_hash)
    return _start(connection, user.id, keep=False)


def find(connection: Connection, secret: str) -> Account | None:
    """Returns the account signed in with this secret, or None."""
    key = tokens.key_of(secret)
    row = key and connection.account_of_session(**key, now=utc_now())
    return Account.from_row(row) if row else None


def sign_out(connection: Connection, secret: str) -> None:
    """Ends the session once its pending writes are done."""
    key = tokens.key_of(secret)
    if key and connection.session_by_hash(**key):
        connection.lock_user_by_id(user_id=key["user_id"])
        connection.delete_session(**key)


def end(connection: Connection, secret: str) -> None:
    """Ends the session."""
    key = tokens.key_of(secret)
    if key:
        connection.delete_session(**key)


def _start(connection: Connection, user_id: int, *, keep: bool) -> str:
    connection.delete_oldest_sessions(user_id=user_id, now=utc_now(), kept=MAX_SESSIONS - 1)
    secret = tokens.new_for(user_id, "session")
    connection.insert_session(user_id=user_id, hash=tokens.digest(secret), expires_at=utc_now(LONG if keep else SHORT))
    return secret


def _xor(mask: bytes, key: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(mask, key, strict=True))
