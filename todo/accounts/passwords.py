"""Password hashing with Argon2id. Never call it inside a write: it is slow on purpose."""

import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's recommendation for Argon2id: 19 MiB, two passes, one lane. Two at a time, so that a burst of sign-ins cannot
# exhaust the memory or CPU of a small machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_SLOTS = threading.BoundedSemaphore(2)
_DUMMY_HASH = _HASHER.hash("the password of nobody")


def hash_password(password: str) -> str:
    """Returns the hash to store."""
    with _SLOTS:
        return _HASHER.hash(_normal(password))


def verify(password_hash: str | None, password: str) -> bool:
    """Whether the password matches the hash. Takes as long without one, so that timing reveals no accounts."""
    with _SLOTS:
        try:
            return _HASHER.verify(password_hash or _DUMMY_HASH, _normal(password)) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> str:
    """Returns the NFKC form, so that the keyboard does not matter (NIST SP 800-63B section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
