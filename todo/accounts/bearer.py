"""Bearer authentication: the functions that the contract's security schemes name.

Each scheme's function accepts only its own kind of token. Connexion tries the next scheme when one refuses, so a
function that accepted both would let a user's token in without a scope check.
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
from todo.errors import MeNeedsUser, RequestIdsDiffer
from todo.errors.access import InsufficientScope, InvalidToken, NotYourList, Unauthorized
from todo.service import current
from todo.storage.database import peek
from todo.storage.statements import Connection

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")
MAX_NAME_CHARACTERS = 64  # of a header that names the client or its region
ACCESS = tokens.PREFIXES["access"]
LAST_USED_PRECISION = timedelta(minutes=5)  # of an assistant's last use, as the account page shows it

SCOPES = list(API.scopes)

TokenInfo = dict[str, Any]


def key_digest(key: str) -> bytes:
    """Returns a 32-byte digest for comparing keys, so that timing does not reveal their length."""
    return blake2b(key.encode(), digest_size=32).digest()


class Principal(NamedTuple):
    """The authenticated caller, with what its request headers say.

    Without a username it is the holder of the service key, who may act for anyone; with one, that user's assistant.
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
        """Returns the owner for a username in any case, or `me`. Raises MeNeedsUser and NotYourList."""
        name = username.lower()
        if self.username is None:
            if name == "me":
                raise MeNeedsUser
        elif name in ("me", self.username):
            name = self.username
        else:
            raise NotYourList
        return Owner(name, self.region, self.actor, self.client, self.conversation, self.user_id, self.grant_id)

    @property
    def origin(self) -> tuple[str, str]:
        """Where a request comes from: the host's conversation and the client. Two of the same may be a retry."""
        return self.conversation, self.client

    def request_id(self, body: dict[str, Any]) -> str | None:
        """Returns request_id, popped from the body, or Idempotency-Key. Raises RequestIdsDiffer."""
        request_ids = {body.pop("request_id", None), self.idempotency_key} - {None}
        if len(request_ids) > 1:
            raise RequestIdsDiffer
        return request_ids.pop() if request_ids else None


async def authenticate_user(token: str, request: Any) -> Any:
    """Returns {sub: Principal, scope: list} for a user's access token. Raises InvalidToken.

    Tokens are looked up on each request and never cached, so every worker refuses a revoked one at once. For any other
    kind of token it returns NO_VALUE and leaves the decision to the other scheme.
    """
    if not token.startswith(ACCESS):
        return _other_scheme()
    key = tokens.key_of(token)
    row = key and await peek(_access_token, key)
    if not row or row["resource"] not in current.get().resources:
        raise InvalidToken
    if row["last_used_at"] < utc_now(-LAST_USED_PRECISION):
        # Not awaited: the response does not depend on it.
        current.get().engine.submit_write(grants.note_use, row["user_id"], row["grant_id"])
    known = {name: row[name] for name in ("username", "user_id", "grant_id")}
    principal = _principal(request, client=row["client_name"], **known)
    return {"sub": principal, "scope": row["scope"].split()}


async def authenticate_service(token: str, request: Any) -> Any:
    """Returns {sub: Principal, scope: list} for the service key. Raises InvalidToken.

    For a user's token it returns NO_VALUE and leaves the decision to the other scheme.
    """
    presented = key_digest(token)
    # All keys are compared, so that timing does not reveal which one matched.
    matches = [hmac.compare_digest(presented, known) for known in current.get().key_digests]
    if any(matches):
        headers = request.headers
        client = _client_name(
            headers.get("openai-conversation-id", "")[:MAX_NAME_CHARACTERS],
            headers.get("user-agent", "")[:MAX_NAME_CHARACTERS],
        )
        return {"sub": _principal(request, client=client), "scope": SCOPES}
    if token.startswith(ACCESS):
        return _other_scheme()
    raise InvalidToken


async def authenticate(headers: Mapping[str, str]) -> TokenInfo:
    """Returns the token info for the bearer token of either kind. Raises Unauthorized and InvalidToken."""
    token, request = bearer_token(headers), SimpleNamespace(headers=headers)
    scheme = authenticate_user if token.startswith(ACCESS) else authenticate_service
    info: TokenInfo = await scheme(token, request)
    return info


def bearer_token(headers: Mapping[str, str]) -> str:
    """Returns the token in the Authorization header (RFC 6750 section 2.1). Raises Unauthorized."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized
    return token.strip()


def require_scope(required_scopes: list[str], token_scopes: list[str]) -> bool:
    """Returns True. Raises InsufficientScope, which names the scopes needed (RFC 6750 section 3.1)."""
    if not set(required_scopes) <= set(token_scopes):
        raise InsufficientScope({*required_scopes, *token_scopes})
    return True


def _access_token(connection: Connection, key: dict[str, Any]) -> Any:
    # Not in the lane of the owner: anybody can forge tokens that name them, and would keep the lane full.
    return connection.access_token(**key, now=utc_now())


def _principal(request: Any, **known: Any) -> Principal:
    headers = request.headers
    return Principal(
        actor="assistant",
        region=headers.get("openai-subdivision-1-iso-code", "")[:MAX_NAME_CHARACTERS],
        conversation=headers.get("openai-conversation-id", ""),
        idempotency_key=headers.get("idempotency-key"),
        **known,
    )


@cache
def _other_scheme() -> Any:
    """Returns the value that makes Connexion try the next scheme."""
    from connexion.security import NO_VALUE  # imported late, as it would slow down the command line

    return NO_VALUE


def with_hints(principal: Principal, *, conversation: str = "", region: str = "", user_agent: str = "") -> Principal:
    """Returns the principal of one call in a batch, with the hints that the call itself carries."""
    client = principal.client
    if principal.username is None and (conversation or (user_agent and not principal.conversation)):
        client = _client_name(conversation[:MAX_NAME_CHARACTERS], user_agent[:MAX_NAME_CHARACTERS])
    if not (conversation or region or client != principal.client):
        return principal
    return principal._replace(
        conversation=conversation or principal.conversation, region=region or principal.region, client=client
    )


@lru_cache(maxsize=256)
def _client_name(conversation: str, user_agent: str) -> str:
    """Returns the client's name for the log: ChatGPT's conversation id, shortened, or the user agent's name."""
    if conversation:
        return f"openai {_NOT_IN_NAMES.sub('', conversation)[:12]}"
    return _NOT_IN_NAMES.sub("", user_agent.partition("/")[0])[:40]
