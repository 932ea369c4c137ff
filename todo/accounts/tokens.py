"""Secrets that the service issues: 256 random bits each, stored only as a hash.

Those of a user carry the user's id, which is part of their primary key.
"""

import secrets
from hashlib import sha256
from typing import Any, Literal

from todo.domain import owned_secrets

# The prefix tells secret scanners, and whoever finds a token, what it is.
PREFIXES = {
    "access": "todo_at_",
    "refresh": "todo_rt_",
    "code": "todo_ac_",
    "client": "todo_cs_",
    "session": "todo_se_",
    "claim": "todo_cl_",
    "reset": "todo_pr_",
}
RANDOM_BYTES = 32
PREFIX_CHARACTERS = len("todo_at_")


def new(kind: Literal["client", "claim"]) -> str:
    """Returns a new secret with its kind's prefix, safe in URLs, headers and cookies."""
    return PREFIXES[kind] + secrets.token_urlsafe(RANDOM_BYTES)


def new_for(user_id: int, kind: Literal["access", "refresh", "code", "session", "reset"]) -> str:
    """Returns a new secret of this user with its kind's prefix, safe in URLs, headers and cookies."""
    return PREFIXES[kind] + owned_secrets.new(user_id, RANDOM_BYTES)


def key_of(secret: str) -> dict[str, Any] | None:
    """Returns the primary key under which a user's secret is stored, or None if it is malformed."""
    user_id = owned_secrets.owner_of(secret[PREFIX_CHARACTERS:])
    return None if user_id is None else {"user_id": user_id, "hash": digest(secret)}


def digest(secret: str) -> str:
    """Returns the SHA-256 of a secret in hexadecimal, by which it is stored.

    A fast hash is fine for random secrets; for passwords see passwords.py.
    """
    return sha256(secret.encode()).hexdigest()
