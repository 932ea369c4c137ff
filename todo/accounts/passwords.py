"""Passwords: Argon2id, never inside a write, and as slow for an account that does not exist."""

import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's first choice for Argon2id: 19 MiB, two passes, one lane. At most two at a time, so that many sign-ins at once
# take neither the memory nor the processors of a small machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_TURNS = threading.BoundedSemaphore(2)
_NOBODYS = _HASHER.hash("the password of nobody")


def hash_password(password: str) -> str:
    """Returns what is kept of a password."""
    with _TURNS:
        return _HASHER.hash(_normal(password))


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether it is the password of the hash. Takes its time without a hash too, and says no."""
    with _TURNS:
        try:
            return _HASHER.verify(password_hash or _NOBODYS, _normal(password)) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> str:
    """Returns one spelling of what looks the same, whatever the keyboard (NIST SP 800-63B section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
