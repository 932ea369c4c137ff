"""The two ways to tokens: a code, and a refresh token. Both work once, and what is replayed revokes what it gave."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, grants, scope_to_list
from authlib.oauth2.rfc7636 import CodeChallenge

import todo.accounts.grants
from todo.accounts import sealing, tokens
from todo.contract import SITE
from todo.domain.users import STORED_TIME, utc_now
from todo.errors import TooManyAttempts
from todo.oauth.clients import Client
from todo.oauth.redirects import leads_to_app
from todo.oauth.server import InvalidTarget, Request, Server
from todo.storage.statements import Connection

JSON = dict[str, Any]

CODE_TIME = timedelta(seconds=SITE.limit("code_seconds"))
ACCESS_SECONDS = SITE.limit("access_token_seconds")
REFRESH_TIME = timedelta(days=SITE.limit("refresh_token_days"))
GRACE = timedelta(seconds=SITE.limit("refresh_grace_seconds"))
MINUTE = timedelta(minutes=1)
MAX_REFRESHES = SITE.limit("refreshes_per_minute")
MAX_TOKENS = SITE.limit("remembered_tokens")
MAX_GRANTS = SITE.limit("grants_per_account")
REMEMBERED = timedelta(days=1)  # how long a code that was used is known, so that one that comes again revokes


@dataclass(frozen=True)
class Credential:
    """A code or a refresh token, as it is stored: what it gives, to whom, and for which grant."""

    row: Any
    names_redirect: bool = True

    @property
    def user_id(self) -> int:
        return int(self.row["user_id"])

    @property
    def code_challenge(self) -> str | None:
        return self.row["challenge"]  # type: ignore[no-any-return]

    code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        """Returns what the request must name: nothing where PKCE binds the code (OAuth 2.1 section 10.2)."""
        return str(self.row["redirect_uri"]) if self.names_redirect or not self.code_challenge else ""

    def get_scope(self) -> str:
        return str(self.row["scope"])

    def check_client(self, client: Client) -> bool:
        return bool(self.row["client_id"] == client.id)


class S256(CodeChallenge):
    """PKCE with S256 and no other method (RFC 7636, RFC 9700 section 2.1.1). Public clients and apps must use it."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        parameters = grant.request.parameters
        client = grant.request.client
        to_app = leads_to_app(grant.validate_authorization_redirect_uri(grant.request, client))
        if "code_challenge" not in parameters and (client.is_public or to_app):
            raise InvalidRequestError("A client without a secret, and any in an app, must send code_challenge.")
        if "code_challenge" in parameters and parameters.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method must be S256.")
        super().validate_code_challenge(grant, redirect_uri)


class ResourceIndicator:
    """The resource of a request must be one of ours, and at the token endpoint the one that was allowed (RFC 8707)."""

    def __call__(self, grant: Any) -> None:
        grant.register_hook("after_validate_authorization_request_payload", self.check)

    def check(self, grant: Any, _: str) -> None:
        grant.server.resource(grant.request.parameters)


class CodeGrant(grants.AuthorizationCodeGrant):
    """RFC 6749 section 4.1."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("private_key_jwt", "client_secret_basic", "client_secret_post", "none")
    server: Server
    request: Request

    def generate_authorization_code(self) -> str:
        return tokens.new("code")

    def save_authorization_code(self, code: str, request: Request) -> None:
        user_id = request.user.id
        self.server.connection.delete_old_codes(user_id=user_id, before=utc_now(-REMEMBERED))
        self.server.connection.insert_code(
            hash=tokens.digest(code),
            user_id=user_id,
            client_id=request.client.id,
            redirect_uri=request.parameters.get("redirect_uri", ""),
            scope=request.scope,
            resource=self.server.resource(request.parameters),
            challenge=request.parameters.get("code_challenge"),
            expires_at=utc_now(CODE_TIME),
        )

    def query_authorization_code(self, code: str, client: Client) -> Credential | None:
        """Returns the code if it is this client's, in time and unused. A used one ends what it gave (section 4.1.2)."""
        row = self.server.lock(self.server.connection.code_by_hash, code)
        if row and row["grant_id"]:
            todo.accounts.grants.end(self.server.connection, row["user_id"], row["grant_id"])
            return None
        if row is None or row["client_id"] != client.id or row["expires_at"] <= utc_now():
            return None
        check_resource(self.request, row["resource"])
        return Credential(row, names_redirect="redirect_uri" in self.request.parameters)

    def authenticate_user(self, authorization_code: Credential) -> Credential:
        return authorization_code

    def delete_authorization_code(self, authorization_code: Credential) -> None:
        """The code is kept, marked with its grant, by `save_tokens`."""


class RefreshGrant(grants.RefreshTokenGrant):
    """RFC 6749 section 6, with rotation (RFC 9700 section 4.14.2), and for a while the same successor once more.

    Clients refresh in parallel, and lose answers. One that comes second within the grace gets what the first one got,
    so that a family never has more than one line.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = CodeGrant.TOKEN_ENDPOINT_AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    server: Server
    request: Request

    def authenticate_refresh_token(self, refresh_token: str) -> Credential | None:
        """Returns the token if it is good, and unused or in its grace. Else a used one ends its grant."""
        connection = self.server.connection
        row = self.server.lock(connection.token_by_hash, refresh_token)
        if row is None or row["kind"] != "refresh" or row["expires_at"] <= utc_now():
            return None
        grant = connection.grant_by_id(user_id=row["user_id"], id=row["grant_id"])
        if grant is None:
            return None
        # What may be asked for is what the person allowed, also where the last access token was for less.
        credential = Credential({**row, "client_id": grant["client_id"], "scope": grant["scope"]})
        if row["used_at"] and not (is_in_grace(row) and credential.check_client(self.request.client)):
            todo.accounts.grants.end(connection, row["user_id"], row["grant_id"])
            return None
        check_resource(self.request, grant["resource"])
        if not row["used_at"]:
            limit_refreshes(connection, row["user_id"], row["grant_id"])
        return credential

    def authenticate_user(self, refresh_token: Credential) -> Credential:
        return refresh_token

    def create_token_response(self) -> tuple[int, JSON, Any]:
        if self.request.refresh_token.row["used_at"]:
            return 200, self.same_again(self.request.refresh_token), self.TOKEN_RESPONSE_HEADER
        return super().create_token_response()  # type: ignore[no-any-return]

    def same_again(self, refresh_token: Credential) -> JSON:
        """Returns what the token gave. Raises InvalidScopeError where the request asks for less or more than it did."""
        row = refresh_token.row
        given: JSON = orjson.loads(sealing.unseal(self.request.parameters["refresh_token"], row["successor"]))
        asked = self.request.scope or refresh_token.get_scope()
        if {*scope_to_list(asked)} != {*scope_to_list(given["scope"])}:
            raise InvalidScopeError
        return {**given, "expires_in": given["expires_in"] - seconds_since(row["used_at"])}

    def save_token(self, token: JSON) -> None:
        super().save_token(token)
        sealed = sealing.seal(self.request.parameters["refresh_token"], orjson.dumps(token).decode())
        self.server.connection.use_token(hash=self.request.refresh_token.row["hash"], now=utc_now(), successor=sealed)

    def revoke_old_credential(self, refresh_token: Credential) -> None:
        """The old token is kept, marked with its successor, by `save_token`."""


def limit_refreshes(connection: Connection, user_id: int, grant_id: str) -> None:
    """Raises TooManyAttempts for a grant that refreshes all the time, as each refresh is kept."""
    refreshes = connection.count_refreshes(user_id=user_id, grant_id=grant_id, since=utc_now(-MINUTE))
    if refreshes["total"] >= MAX_REFRESHES:
        raise TooManyAttempts(int(MINUTE.total_seconds()))


def is_in_grace(row: Any) -> bool:
    """Whether a token has been used a moment ago, and what it gave has not been used since."""
    return bool(row["successor"]) and row["used_at"] > utc_now(-GRACE)


def seconds_since(stored: str) -> int:
    """Returns how long ago a stored time was; none where another machine's clock is ahead."""
    passed = datetime.strptime(utc_now(), STORED_TIME) - datetime.strptime(stored, STORED_TIME)
    return max(0, int(passed.total_seconds()))


def check_resource(request: Request, allowed: str) -> None:
    """Raises InvalidTarget where a token request names another resource than the person allowed."""
    if request.parameters.get("resource", allowed).removesuffix("/") != allowed:
        raise InvalidTarget


def generate_tokens(scope: str, **_: Any) -> JSON:
    """Returns the body of the answer (RFC 6749 section 5.1)."""
    return {
        "access_token": tokens.new("access"),
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
        "refresh_token": tokens.new("refresh"),
        "scope": scope,
    }


def save_tokens(server: Server, given: JSON, request: Request) -> None:
    """Keeps the hashes of both tokens, under the grant of the refresh token or, for a code, under a new one.

    The user is locked since the credential was looked at.
    """
    connection, now = server.connection, utc_now()
    credential = request.refresh_token or request.authorization_code
    user_id = credential.user_id
    connection.delete_expired_tokens(user_id=user_id, now=now)
    grant_id = credential.row["grant_id"]
    if grant_id is None:
        connection.delete_dead_grants(user_id=user_id)
        for surplus in connection.surplus_grants(user_id=user_id, kept=MAX_GRANTS - 1, limit=MAX_GRANTS):
            todo.accounts.grants.end(connection, user_id, surplus["id"])
        grant_id = secrets.token_hex(16)
        connection.insert_grant(
            user_id=user_id,
            id=grant_id,
            client_id=request.client.id,
            client_name=request.client.name,
            scope=given["scope"],
            resource=credential.row["resource"],
            now=now,
        )
        connection.use_code(hash=credential.row["hash"], grant_id=grant_id)
        connection.keep_client(id=request.client.id)
    connection.forget_successors(user_id=user_id, grant_id=grant_id, before=utc_now(-GRACE))
    lives = {"access": timedelta(seconds=ACCESS_SECONDS), "refresh": REFRESH_TIME}
    for kind, life in lives.items():
        connection.delete_surplus_tokens(user_id=user_id, grant_id=grant_id, kind=kind, kept=MAX_TOKENS - 1)
        connection.insert_token(
            hash=tokens.digest(given[f"{kind}_token"]),
            user_id=user_id,
            grant_id=grant_id,
            kind=kind,
            scope=given["scope"],
            expires_at=utc_now(life),
        )
