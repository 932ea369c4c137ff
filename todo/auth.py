"""From a bearer token to a principal: who calls, and for whom they may act. The contract's security scheme names it."""

import hmac
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from todo.errors import InvalidToken, MeNeedsUser
from todo.users import Owner

service_key_digests: ContextVar[tuple[bytes, ...]] = ContextVar("service_key_digests")


def digest(key: str) -> bytes:
    """Returns what keys are compared by: of one length, so that the time to compare tells nothing."""
    return sha256(key.encode()).digest()


@dataclass(frozen=True)
class Principal:
    """The holder of the service key, who may act for any username. `region` is the host's hint, never trusted."""

    region: str = ""

    def owner(self, username: str) -> Owner:
        """Returns whose list `username` means; case does not matter. Raises MeNeedsUser."""
        name = username.lower()
        if name == "me":
            raise MeNeedsUser
        return Owner(name, self.region)


async def authenticate(token: str, request: Any) -> dict[str, Principal]:
    """Returns Connexion's token info, with the principal as `sub`. Raises InvalidToken."""
    presented = digest(token)
    # Every key is compared, so that the time does not tell which one it was.
    matches = [hmac.compare_digest(presented, known) for known in service_key_digests.get()]
    if not any(matches):
        raise InvalidToken
    return {"sub": Principal(request.headers.get("openai-subdivision-1-iso-code", ""))}
