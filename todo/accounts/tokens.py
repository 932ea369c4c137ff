"""Secrets that the service hands out: 256 bits each, of which only a hash is kept."""

import secrets
from hashlib import sha256
from typing import Literal

# A prefix names what it is, so that a secret scanner, and whoever finds one, knows.
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
    """Returns a fresh secret of 256 bits, in letters that a URL, a header and a cookie take as they are."""
    return PREFIXES[kind] + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Returns what is kept of a secret and what it is found by: SHA-256, in hexadecimal.

    A fast hash is right for what nobody can guess; passwords have todo/accounts/passwords.py.
    """
    return sha256(secret.encode()).hexdigest()
