"""Secrets that the service issues: 256 random bits each, stored only as a hash."""

import secrets
from hashlib import sha256
from typing import Literal

# The prefix tells secret scanners, and whoever finds a token, what it is.
PREFIXES = {
    "access": "todo_at_",
    "refresh": "todo_rt_",
    "code": "todo_ac_",
    "client": "todo_cs_",
    "session": "todo_se_",
    "claim": "todo_cl_",
}
Kind = Literal["access", "refresh", "code", "client", "session", "claim"]


def new(kind: Kind) -> str:
    """Returns a new secret of 256 bits with its kind's prefix, safe in URLs, headers and cookies."""
    return PREFIXES[kind] + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Returns the SHA-256 of a secret in hexadecimal, by which it is stored and looked up.

    A fast hash is fine for random secrets; for passwords see passwords.py.
    """
    return sha256(secret.encode()).hexdigest()
