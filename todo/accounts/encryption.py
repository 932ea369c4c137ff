"""Encryption of stored text under a caller's secret, which the database does not have."""

import base64

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSE = b"todo: the successor of a refresh token"


def seal(secret: str, text: str) -> str:
    """Returns the text encrypted and authenticated (Fernet) under a key derived from the secret."""
    return _cipher(secret).encrypt(text.encode()).decode()


def unseal(secret: str, sealed: str) -> str:
    """Returns the text. Raises cryptography.fernet.InvalidToken for the wrong secret or tampered text."""
    return _cipher(secret).decrypt(sealed).decode()


def _cipher(secret: str) -> Fernet:
    """Derives the key from the secret by HKDF (RFC 5869); it cannot be derived from the hash in the database."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))
