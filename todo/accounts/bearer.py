"""From a bearer token to a principal: who calls, and for whom they may act. The contract's security schemes name it.

Each scheme has a function of its own that takes its own kind of token and no other. Connexion goes on to the next
scheme when one refuses, so a function that took both would let a user's token in without a look at its scope.
"""

import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache, lru_cache
from hashlib import blake2b
from types import SimpleNamespace
from typing import Any, NamedTuple

from todo.accounts import grants, tokens
from todo.contract import API
from todo.domain.users import Owner, utc_now
from todo.errors import InsufficientScope, InvalidRequest, InvalidToken, MeNeedsUser, NotYourList, Unauthorized
from todo.service import current
from todo.storage.database import peek
from todo.storage.statements import Connection

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")
MAX_NAME_CHARACTERS = 64  # characters that a program's name is made of
ACCESS = tokens.PREFIXES["access"]
NOTED_EVERY = timedelta(minutes=5)  # how exact the account page is about when an assistant last acted

SCOPES = list(API.scopes)
# What a request says of itself: headers, which can all be forged, and where the principal keeps them.
HINTS = {"openai-subdivision-1-iso-code": "region", "openai-conversation-id": "conversation"}

TokenInfo = dict[str, Any]


def digest(key: str) -> bytes:
    """Returns what keys are compared by: of one length, so that the time to compare tells nothing."""
    return blake2b(key.encode(), digest_size=32).digest()


class Principal(NamedTuple):
    """Who calls, and what came with the request in headers.

    Without a username it is the holder of the service key, who may act for any; with one it is that user's assistant.
    """

    actor: str = "operator"
    region: str = ""
    client: str = ""
    conversation: str = ""
    idempotency_key: str | None = None
    username: str | None = None
    user_id: int | None = None
    grant_id: str | None = None

    def owner(self, username: str) -> Owner:
        """Returns whose list `username` means, and who asks; case does not matter. Raises MeNeedsUser, NotYourList."""
        name = username.lower()
        if self.username is None:
            if name == "me":
                raise MeNeedsUser
        elif name in ("me", self.username):
            name = self.username
        else:
            raise NotYourList
        return Owner(name, self.region, self.actor, self.client, self.conversation, self.user_id, self.grant_id)

    def request_id(self, body: dict[str, Any]) -> str | None:
        """Takes request_id out of the body and returns it, or the header's. Raises InvalidRequest where they differ."""
        named = {body.pop("request_id", None), self.idempotency_key} - {None}
        if len(named) > 1:
            raise InvalidRequest.of("request_id", "must be the same as Idempotency-Key, where both are sent")
        return named.pop() if named else None


async def authenticate_user(token: str, request: Any) -> Any:
    """Returns the token info of a user's access token, with the principal as `sub`. Raises InvalidToken.

    One read by the token's hash, kept nowhere: what is revoked is refused at once, by every worker. For what is no
    access token it is NO_VALUE: the other scheme decides.
    """
    if not token.startswith(ACCESS):
        return _not_mine()
    row = await peek(_access_token, tokens.digest(token))
    if row is None or row["resource"] not in current.get().resources:
        raise InvalidToken
    if row["last_used_at"] < utc_now(-NOTED_EVERY):
        # Not waited for: the answer does not depend on it.
        current.get().engine.submit_write(grants.note_use, row["user_id"], row["grant_id"])
    known = {name: row[name] for name in ("username", "user_id", "grant_id")}
    principal = _principal(request, client=row["client_name"], **known)
    return {"sub": principal, "scope": row["scope"].split()}


async def authenticate_service(token: str, request: Any) -> Any:
    """Returns the token info of the service key, with the principal as `sub`. Raises InvalidToken.

    For a user's token it is NO_VALUE: what the other scheme says of it stands.
    """
    presented = digest(token)
    # Every key is compared, so that the time does not tell which one it was.
    matches = [hmac.compare_digest(presented, known) for known in current.get().key_digests]
    if any(matches):
        return {"sub": _principal(request, client=_client(request.headers)), "scope": SCOPES}
    if token.startswith(ACCESS):
        return _not_mine()
    raise InvalidToken


async def authenticate(headers: Mapping[str, str]) -> TokenInfo:
    """Returns the token info of a token of either kind (RFC 6750 section 2.1). Raises Unauthorized, InvalidToken."""
    token, request = bearer_token(headers), SimpleNamespace(headers=headers)
    known_by = authenticate_user if token.startswith(ACCESS) else authenticate_service
    info: TokenInfo = await known_by(token, request)
    return info


def bearer_token(headers: Mapping[str, str]) -> str:
    """Returns the token of the header Authorization. Raises Unauthorized."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized
    return token.strip()


def require_scope(required_scopes: list[str], token_scopes: list[str]) -> bool:
    """Returns True, or raises InsufficientScope with all that the token would need (RFC 6750 section 3.1)."""
    if not set(required_scopes) <= set(token_scopes):
        raise InsufficientScope({*required_scopes, *token_scopes})
    return True


def _access_token(connection: Connection, token_hash: str) -> Any:
    return connection.access_token(hash=token_hash, now=utc_now())


def _principal(request: Any, **known: Any) -> Principal:
    headers = request.headers
    return Principal(
        actor="assistant",
        region=headers.get("openai-subdivision-1-iso-code", ""),
        conversation=headers.get("openai-conversation-id", ""),
        idempotency_key=headers.get("idempotency-key"),
        **known,
    )


@cache
def _not_mine() -> Any:
    """Returns what tells Connexion that a token is of another scheme."""
    from connexion.security import NO_VALUE  # not above: commands import this module, and start faster without

    return NO_VALUE


def with_hints(principal: Principal, headers: Mapping[str, str]) -> Principal:
    """Returns a principal as if these headers had come with the request; what else came with it stays."""
    said: dict[str, Any] = {field: headers[name] for name, field in HINTS.items() if name in headers}
    if principal.username is None:
        said["client"] = _client(headers)
    return principal._replace(**said)


def _client(headers: Mapping[str, str]) -> str:
    return _client_name(
        headers.get("openai-conversation-id", "")[:MAX_NAME_CHARACTERS],
        headers.get("user-agent", "")[:MAX_NAME_CHARACTERS],
    )


@lru_cache(maxsize=256)
def _client_name(conversation: str, user_agent: str) -> str:
    """Returns what the log calls the program: ChatGPT by the start of its conversation's id, others by their name."""
    if conversation:
        return f"openai {_NOT_IN_NAMES.sub('', conversation)[:12]}"
    return _NOT_IN_NAMES.sub("", user_agent.partition("/")[0])[:40]
