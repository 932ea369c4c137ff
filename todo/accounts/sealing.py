"""Text that only the holder of a secret can read again: what must be kept, and not be readable in the database."""

import base64

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSE = b"todo: the successor of a refresh token"


def seal(secret: str, text: str) -> str:
    """Returns the text, encrypted and authenticated under a key of the secret, one of todo/accounts/tokens.py."""
    return _cipher(secret).encrypt(text.encode()).decode()


def unseal(secret: str, sealed: str) -> str:
    """Returns the text. Raises cryptography.fernet.InvalidToken for another secret and for what was changed."""
    return _cipher(secret).decrypt(sealed).decode()


def _cipher(secret: str) -> Fernet:
    """The key comes from the secret itself (RFC 5869), of which the database keeps a hash that does not lead to it."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))
