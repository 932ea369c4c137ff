"""The grant types: authorization code and refresh token. Each works once; a replay revokes what it issued."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, grants, scope_to_list
from authlib.oauth2.rfc7636 import CodeChallenge

import todo.accounts.grants
from todo.accounts import encryption, tokens
from todo.contract import SITE
from todo.domain.users import STORED_TIME, utc_now
from todo.errors.access import TooManyAttempts
from todo.oauth import clients
from todo.oauth.clients import Client
from todo.oauth.redirects import is_app_scheme
from todo.oauth.server import InvalidTarget, Request, Server
from todo.storage.statements import Connection

JSON = dict[str, Any]

CODE_TTL = timedelta(seconds=SITE.limit("code_seconds"))
ACCESS_SECONDS = SITE.limit("access_token_seconds")
ACCESS_TTL = timedelta(seconds=ACCESS_SECONDS)
REFRESH_TTL = timedelta(days=SITE.limit("refresh_token_days"))
GRACE_PERIOD = timedelta(seconds=SITE.limit("refresh_grace_seconds"))
MINUTE = timedelta(minutes=1)
MAX_REFRESHES = SITE.limit("refreshes_per_minute")
MAX_TOKENS = SITE.limit("remembered_tokens")
MAX_GRANTS = SITE.limit("grants_per_account")
USED_CODE_TTL = timedelta(days=1)  # used codes are kept this long to detect a replay


@dataclass(frozen=True)
class Credential:
    """A stored code or refresh token, with the interface that Authlib expects of one."""

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
        """Returns the redirect_uri that the request must repeat; "" if PKCE binds the code (OAuth 2.1 section 10.2)."""
        return str(self.row["redirect_uri"]) if self.names_redirect or not self.code_challenge else ""

    def get_scope(self) -> str:
        return str(self.row["scope"])

    def check_client(self, client: Client) -> bool:
        return bool(self.row["client_id"] == client.id)


class PKCE(CodeChallenge):
    """PKCE, S256 only (RFC 7636, RFC 9700 section 2.1.1). Required of public clients and of apps."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        parameters = grant.request.parameters
        client = grant.request.client
        is_app = is_app_scheme(grant.validate_authorization_redirect_uri(grant.request, client))
        if "code_challenge" not in parameters and (client.is_public or is_app):
            raise InvalidRequestError("code_challenge is required of a client without a secret, and of any app.")
        if "code_challenge" in parameters and parameters.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method must be S256.")
        super().validate_code_challenge(grant, redirect_uri)


class ResourceIndicator:
    """Checks the `resource` of an authorization request (RFC 8707 section 2.1)."""

    def __call__(self, grant: Any) -> None:
        grant.register_hook("after_validate_authorization_request_payload", self.check)

    def check(self, grant: Any, _: str) -> None:
        grant.server.resource(grant.request.parameters)


class CodeGrant(grants.AuthorizationCodeGrant):
    """The authorization code grant (RFC 6749 section 4.1)."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("private_key_jwt", "client_secret_basic", "client_secret_post", "none")
    server: Server
    request: Request

    def generate_authorization_code(self) -> str:
        return tokens.new_for(self.request.user.id, "code")

    def save_authorization_code(self, code: str, request: Request) -> None:
        user_id = request.user.id
        self.server.connection.delete_old_codes(user_id=user_id, before=utc_now(-USED_CODE_TTL))
        self.server.connection.insert_code(
            user_id=user_id,
            hash=tokens.digest(code),
            client_id=request.client.id,
            redirect_uri=request.parameters.get("redirect_uri", ""),
            scope=request.scope,
            resource=self.server.resource(request.parameters),
            challenge=request.parameters.get("code_challenge"),
            expires_at=utc_now(CODE_TTL),
        )

    def query_authorization_code(self, code: str, client: Client) -> Credential | None:
        """Returns the code if it is this client's, current and unused. Reuse ends the grant (section 4.1.2)."""
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
        """Does nothing: `save_tokens` marks the code as used, to detect a replay."""


class RefreshGrant(grants.RefreshTokenGrant):
    """The refresh token grant (RFC 6749 section 6), with rotation (RFC 9700 section 4.14.2) and a grace period.

    Clients refresh in parallel and lose responses. Within the grace period a used token returns the same tokens again,
    so a grant never has more than one current refresh token.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = CodeGrant.TOKEN_ENDPOINT_AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    server: Server
    request: Request

    def authenticate_refresh_token(self, refresh_token: str) -> Credential | None:
        """Returns the token if it is current and unused, or within its grace period. Any other reuse ends the grant."""
        connection = self.server.connection
        row = self.server.lock(connection.token_by_hash, refresh_token)
        if row is None or row["kind"] != "refresh" or row["expires_at"] <= utc_now():
            return None
        grant = connection.grant_by_id(user_id=row["user_id"], id=row["grant_id"])
        if grant is None:
            return None
        # The scope is the grant's, even if the last access token was for less (RFC 6749 section 6).
        credential = Credential({**row, "client_id": grant["client_id"], "scope": grant["scope"]})
        if row["used_at"] and not (in_grace_period(row) and credential.check_client(self.request.client)):
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
            return 200, self.replay(self.request.refresh_token), self.TOKEN_RESPONSE_HEADER
        return super().create_token_response()  # type: ignore[no-any-return]

    def replay(self, refresh_token: Credential) -> JSON:
        """Returns the response that this token got before. Raises InvalidScopeError for a different scope."""
        row = refresh_token.row
        issued: JSON = orjson.loads(encryption.unseal(self.request.parameters["refresh_token"], row["successor"]))
        requested = self.request.scope or refresh_token.get_scope()
        if {*scope_to_list(requested)} != {*scope_to_list(issued["scope"])}:
            raise InvalidScopeError
        return {**issued, "expires_in": issued["expires_in"] - seconds_since(row["used_at"])}

    def save_token(self, token: JSON) -> None:
        super().save_token(token)
        sealed = encryption.seal(self.request.parameters["refresh_token"], orjson.dumps(token).decode())
        self.server.connection.use_token(
            user_id=self.request.refresh_token.user_id,
            hash=self.request.refresh_token.row["hash"],
            now=utc_now(),
            successor=sealed,
        )

    def revoke_old_credential(self, refresh_token: Credential) -> None:
        """Does nothing: `save_token` marks the token as used, to detect a replay."""


def limit_refreshes(connection: Connection, user_id: int, grant_id: str) -> None:
    """Raises TooManyAttempts if a grant has refreshed MAX_REFRESHES times within a minute: each one is stored."""
    refreshes = connection.count_refreshes(user_id=user_id, grant_id=grant_id, since=utc_now(-MINUTE))
    if refreshes["total"] >= MAX_REFRESHES:
        raise TooManyAttempts(int(MINUTE.total_seconds()))


def in_grace_period(row: Any) -> bool:
    """Whether a refresh token was used a moment ago and its successor has not been used yet."""
    return bool(row["successor"]) and row["used_at"] > utc_now(-GRACE_PERIOD)


def seconds_since(stored: str) -> int:
    """Returns the seconds since a stored time; 0 if it is in the future, as clocks of two machines may differ."""
    elapsed = datetime.strptime(utc_now(), STORED_TIME) - datetime.strptime(stored, STORED_TIME)
    return max(0, int(elapsed.total_seconds()))


def check_resource(request: Request, granted: str) -> None:
    """Raises InvalidTarget if a token request names a resource other than the one granted (RFC 8707 section 2.2)."""
    if request.parameters.get("resource", granted).removesuffix("/") != granted:
        raise InvalidTarget


def generate_tokens(user: Credential, scope: str, **_: Any) -> JSON:
    """Returns the body of a token response (RFC 6749 section 5.1)."""
    return {
        "access_token": tokens.new_for(user.user_id, "access"),
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
        "refresh_token": tokens.new_for(user.user_id, "refresh"),
        "scope": scope,
    }


def save_tokens(server: Server, response: JSON, request: Request) -> None:
    """Stores the hashes of both tokens, under the refresh token's grant or, for a code, under a new one.

    The user has been locked since the credential was checked.
    """
    connection = server.connection
    credential = request.refresh_token or request.authorization_code
    user_id = credential.user_id
    clients.keep(connection, request.client)
    connection.delete_expired_tokens(user_id=user_id, now=utc_now())
    grant_id = credential.row["grant_id"] or _start_grant(connection, credential, request.client, response["scope"])
    connection.forget_successors(user_id=user_id, grant_id=grant_id, before=utc_now(-GRACE_PERIOD))
    for kind, ttl in {"access": ACCESS_TTL, "refresh": REFRESH_TTL}.items():
        connection.delete_surplus_tokens(user_id=user_id, grant_id=grant_id, kind=kind, kept=MAX_TOKENS - 1)
        connection.insert_token(
            user_id=user_id,
            hash=tokens.digest(response[f"{kind}_token"]),
            grant_id=grant_id,
            kind=kind,
            scope=response["scope"],
            expires_at=utc_now(ttl),
        )


def _start_grant(connection: Connection, code: Credential, client: Client, scope: str) -> str:
    """Returns the id of a new grant, and marks the code as used for it. The user's oldest surplus grants end."""
    user_id, grant_id = code.user_id, secrets.token_hex(16)
    connection.delete_dead_grants(user_id=user_id)
    for surplus in connection.surplus_grants(user_id=user_id, kept=MAX_GRANTS - 1, limit=MAX_GRANTS):
        todo.accounts.grants.end(connection, user_id, surplus["id"])
    connection.insert_grant(
        user_id=user_id,
        id=grant_id,
        client_id=client.id,
        client_name=client.name,
        scope=scope,
        resource=code.row["resource"],
        now=utc_now(),
    )
    connection.use_code(user_id=user_id, hash=code.row["hash"], grant_id=grant_id)
    return grant_id
