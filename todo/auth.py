"""From a bearer token to a principal: who calls, and for whom they may act. The contract's security scheme names it."""

import hmac
import re
from contextvars import ContextVar
from hashlib import sha256
from typing import Any, NamedTuple

from todo.errors import InvalidRequest, InvalidToken, MeNeedsUser
from todo.users import Owner

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")

service_key_digests: ContextVar[tuple[bytes, ...]] = ContextVar("service_key_digests")


def digest(key: str) -> bytes:
    """Returns what keys are compared by: of one length, so that the time to compare tells nothing."""
    return sha256(key.encode()).digest()


class Principal(NamedTuple):
    """The holder of the service key, who may act for any username, and what came with the request in headers."""

    actor: str = "operator"
    region: str = ""
    client: str = ""
    conversation: str = ""
    idempotency_key: str | None = None

    def owner(self, username: str) -> Owner:
        """Returns whose list `username` means, and who asks; case does not matter. Raises MeNeedsUser."""
        name = username.lower()
        if name == "me":
            raise MeNeedsUser
        return Owner(name, self.region, self.actor, self.client, self.conversation)

    def request_id(self, body: dict[str, Any]) -> str | None:
        """Takes request_id out of the body and returns it, or the header's. Raises InvalidRequest where they differ."""
        named = {body.pop("request_id", None), self.idempotency_key} - {None}
        if len(named) > 1:
            raise InvalidRequest.of("request_id", "must be the same as Idempotency-Key, where both are sent")
        return named.pop() if named else None


async def authenticate(token: str, request: Any) -> dict[str, Principal]:
    """Returns Connexion's token info, with the principal as `sub`. Raises InvalidToken."""
    presented = digest(token)
    # Every key is compared, so that the time does not tell which one it was.
    matches = [hmac.compare_digest(presented, known) for known in service_key_digests.get()]
    if not any(matches):
        raise InvalidToken
    headers = request.headers
    conversation = headers.get("openai-conversation-id", "")
    principal = Principal(
        actor="assistant",
        region=headers.get("openai-subdivision-1-iso-code", ""),
        client=_client(conversation, headers.get("user-agent", "")),
        conversation=conversation,
        idempotency_key=headers.get("idempotency-key"),
    )
    return {"sub": principal}


def _client(conversation: str, user_agent: str) -> str:
    """Returns what the log calls the program: ChatGPT by the start of its conversation's id, others by their name."""
    if conversation:
        return f"openai {_NOT_IN_NAMES.sub('', conversation)[:12]}"
    return _NOT_IN_NAMES.sub("", user_agent.partition("/")[0])[:40]
