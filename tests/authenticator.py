"""An authenticator in software, which makes passkeys and signs in with them, as Web Authentication Level 3 has it."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40  # flags of section 6.1

JSON = dict[str, Any]


class Authenticator:
    """One passkey; its answers are as a browser at `origin` hands them on."""

    def __init__(self, origin: str = "http://localhost:8000", host: str = "localhost") -> None:
        self.origin = origin
        self.host = host
        self.id = secrets.token_bytes(16)
        self.user_handle = b""
        self.count = 0
        self.flags = PRESENT | VERIFIED
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: JSON) -> str:
        """Returns the answer to the options for a new passkey."""
        self.user_handle = decoded(options["user"]["id"])
        point = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        data = self._data(HAS_KEY) + bytes(16) + len(self.id).to_bytes(2) + self.id + cbor2.dumps(key)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client_data = self._client_data("webauthn.create", options)
        return self._answer({"clientDataJSON": encoded(client_data), "attestationObject": encoded(attestation)})

    def get(self, options: JSON) -> str:
        """Returns the answer to the options for signing in."""
        self.count += 1
        data, client_data = self._data(), self._client_data("webauthn.get", options)
        signature = self._key.sign(data + sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": encoded(client_data),
                "authenticatorData": encoded(data),
                "signature": encoded(signature),
                "userHandle": encoded(self.user_handle),
            }
        )

    def _data(self, flags: int = 0) -> bytes:
        return sha256(self.host.encode()).digest() + bytes([self.flags | flags]) + self.count.to_bytes(4)

    def _client_data(self, kind: str, options: JSON) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin}).encode()

    def _answer(self, response: JSON) -> str:
        return json.dumps(
            {"id": encoded(self.id), "rawId": encoded(self.id), "type": "public-key", "response": response}
        )


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
