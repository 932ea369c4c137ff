"""OAuth clients: registered by the operator, by themselves, or described by a client ID metadata document."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
from authlib.oauth2.rfc6749 import ClientMixin, list_to_scope, scope_to_list

from todo.accounts import tokens
from todo.accounts.buckets import bucket_of, share_of
from todo.contract import API, SITE
from todo.domain.users import utc_now
from todo.oauth import redirects
from todo.oauth.metadata import GRANT_TYPES, SECRET_METHODS
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_UNUSED = share_of(SITE.limit("unused_clients"))  # per bucket
UNUSED_TTL = timedelta(hours=SITE.limit("unused_client_hours"))
# Counted from when tokens are issued, and longer than a refresh token lives, so that no client in use counts as unused.
USED_TTL = timedelta(days=SITE.limit("refresh_token_days")) + 2 * UNUSED_TTL


@dataclass(frozen=True)
class Client(ClientMixin):
    """A client (RFC 6749 section 2), with the interface that Authlib expects. With a secret it is confidential.

    `kind` is operator, registered or document. `jwks`, `jwks_uri` and `fresh_until`, when it is fetched again, are only
    set for a document. An operator's client never expires.
    """

    id: str
    kind: str
    name: str
    secret_hash: str | None
    redirect_uris: list[str]
    auth_methods: list[str]
    jwks: JSON | None
    jwks_uri: str | None
    expires_at: str | None
    fresh_until: str | None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Client":
        plain = ("id", "kind", "name", "secret_hash", "jwks_uri", "expires_at", "fresh_until")
        known = {name: row[name] for name in plain}
        lists = {name: orjson.loads(row[name] or "null") for name in ("redirect_uris", "auth_methods", "jwks")}
        lists["auth_methods"] = lists["auth_methods"] or (SECRET_METHODS if row["secret_hash"] else ["none"])
        return cls(**known, **lists)

    @property
    def is_public(self) -> bool:
        return self.secret_hash is None

    @property
    def is_trusted(self) -> bool:
        """Whether the operator registered it."""
        return self.kind == "operator"

    @property
    def is_document(self) -> bool:
        """Whether its id is the URL of its metadata document."""
        return is_document(self.id)

    def get_client_id(self) -> str:
        return self.id

    def get_default_redirect_uri(self) -> str | None:
        """Returns the redirect URI of a client that has only one; requests may omit it (RFC 6749 section 3.1.2.3)."""
        only = self.redirect_uris[0] if len(self.redirect_uris) == 1 else None
        return None if only in redirects.TEMPLATES else only

    def get_allowed_scope(self, scope: str | None) -> str:
        """Returns the known part of the requested scope, or the full scope if none of it is known.

        RFC 6749 section 3.3: the token response then states the scope that was granted.
        """
        requested = scope_to_list(scope) if scope else []
        known = [name for name in API.scopes if name in requested]
        return str(list_to_scope(known or list(API.scopes)))

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirects.is_registered(redirect_uri, self.redirect_uris)

    def check_client_secret(self, client_secret: str) -> bool:
        return self.secret_hash is not None and hmac.compare_digest(self.secret_hash, tokens.digest(client_secret))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        """Whether it may authenticate by this method, at any endpoint."""
        return method in self.auth_methods

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in GRANT_TYPES


def is_document(client_id: str) -> bool:
    """Whether a client id is the URL of a metadata document."""
    return client_id.startswith(("https://", "http://"))


def host_of(client_id: str, redirect_uri: str) -> str:
    """Returns the host to show on the consent page: the document's, if there is one, or else the redirect URI's.

    For an app's own scheme it returns the scheme, marked as such: the rest is up to the app and may mimic a host.
    """
    if is_document(client_id):
        return urlsplit(client_id).netloc
    parts = urlsplit(redirect_uri)
    return f"an app on this device ({parts.scheme}:)" if redirects.is_app_scheme(redirect_uri) else parts.netloc


def find(connection: Connection, client_id: str) -> Client | None:
    """Returns the client with this id, or None if there is none or it has expired."""
    row = connection.client_by_id(bucket=bucket_of(client_id), id=client_id)
    return Client.from_row(row) if row and (row["expires_at"] or "~") > utc_now() else None


def keep(connection: Connection, client: Client) -> None:
    """Extends the life of a client that is issued tokens. Writes once a day at most, as many people share some."""
    if client.expires_at and client.expires_at < utc_now(USED_TTL - UNUSED_TTL):
        connection.keep_client(bucket=bucket_of(client.id), id=client.id, expires_at=utc_now(USED_TTL))


def save(
    connection: Connection,
    kind: str,
    client_id: str,
    name: str,
    redirect_uris: list[str],
    secret: str | None = None,
    fresh_until: str | None = None,
    auth_methods: list[str] | None = None,
    jwks: JSON | None = None,
    jwks_uri: str | None = None,
) -> None:
    """Stores a client, and deletes those in its bucket that have expired, and the oldest unused above MAX_UNUSED."""
    unused = {"bucket": bucket_of(client_id), "unused_until": utc_now(UNUSED_TTL)}
    connection.delete_expired_clients(bucket=unused["bucket"], now=utc_now())
    if connection.count_unused_clients(**unused)["total"] >= MAX_UNUSED:
        # A tenth at a time, so that a flood seldom pays for a deletion.
        connection.delete_most_unused_clients(**unused, kept=MAX_UNUSED * 9 // 10)
    connection.save_client(
        bucket=unused["bucket"],
        id=client_id,
        kind=kind,
        name=name,
        secret_hash=tokens.digest(secret) if secret else None,
        redirect_uris=orjson.dumps(redirect_uris).decode(),
        auth_methods=orjson.dumps(auth_methods).decode() if auth_methods else None,
        jwks=orjson.dumps(jwks).decode() if jwks else None,
        jwks_uri=jwks_uri,
        now=utc_now(),
        expires_at=None if kind == "operator" else unused["unused_until"],
        fresh_until=fresh_until,
    )


def new_id() -> str:
    """Returns a random client id of 128 bits."""
    return secrets.token_hex(16)
