"""Secrets that contain their owner's id, so that what they open is looked up among the owner's own rows.

The id is random and says nothing about the owner; the random bytes after it are the secret.
"""

import base64
import secrets

END_OF_IDS = 2**63
ID_BYTES = 8
ID_CHARACTERS = 11  # in base64url without padding


def new(user_id: int, random_bytes: int) -> str:
    """Returns a new secret of this owner, safe in URLs, headers and cookies."""
    return _encode(user_id) + secrets.token_urlsafe(random_bytes)


def owner_of(secret: str) -> int | None:
    """Returns the id that the secret contains, or None if it is malformed. Anybody can forge it."""
    try:
        decoded = base64.b64decode(f"{secret[:ID_CHARACTERS]}=", altchars=b"-_", validate=True)
    except ValueError:
        return None
    user_id = int.from_bytes(decoded)
    return user_id if len(decoded) == ID_BYTES and user_id < END_OF_IDS else None


def _encode(user_id: int) -> str:
    return base64.urlsafe_b64encode(user_id.to_bytes(ID_BYTES)).decode().rstrip("=")
