"""Challenges: random bytes that an authenticator signs. Each works once, for a short time, in one browser.

They are stored as a hash, because the answer may reach another worker.
"""

import secrets
from datetime import timedelta
from typing import Literal

from todo.accounts import tokens
from todo.accounts.buckets import bucket_of, make_room, share_of
from todo.contract import SITE
from todo.domain.users import utc_now
from todo.storage.statements import Connection

LIFETIME = timedelta(seconds=SITE.limit("challenge_seconds"))
MAX_CHALLENGES = share_of(SITE.limit("challenges"))  # in a bucket

Purpose = Literal["sign in", "new passkey"]


def new(connection: Connection, purpose: Purpose, session: str) -> bytes:
    """Returns a challenge for the browser whose session has this secret."""
    challenge = secrets.token_bytes(32)
    key = _key(purpose, session, challenge)
    make_room(connection, "challenges", bucket_of(key), MAX_CHALLENGES)
    connection.insert_challenge(bucket=bucket_of(key), hash=key, expires_at=utc_now(LIFETIME))
    return challenge


def use(connection: Connection, purpose: Purpose, session: str, challenge: bytes) -> bool:
    """Uses up a challenge. Returns False if it is not this browser's, or has been used or has expired."""
    key = _key(purpose, session, challenge)
    return connection.use_challenge(bucket=bucket_of(key), hash=key, now=utc_now()) is not None


def _key(purpose: Purpose, session: str, challenge: bytes) -> str:
    return tokens.digest(f"{purpose} {session} {challenge.hex()}")
