"""Dynamic client registration (RFC 7591)."""

import time
from typing import Any

from authlib.oauth2 import OAuth2Error

from todo.accounts import tokens
from todo.contract import API, SITE
from todo.contract.schemas import find_errors
from todo.domain.users import UNUSED_CLIENT, utc_now
from todo.oauth import clients, redirects
from todo.oauth.metadata import GRANT_TYPES, SECRET_METHODS
from todo.storage.statements import Connection

JSON = dict[str, Any]

AUTH_METHODS = ["none", *SECRET_METHODS]  # keys are for those who are known by a document

NAMELESS = "An assistant without a name"


class InvalidRedirect(OAuth2Error):
    """RFC 7591 section 3.2.2."""

    error = "invalid_redirect_uri"
    description = "redirect_uris must be https, http on the loopback interface, or of a scheme that is the app's own."


class InvalidMetadata(OAuth2Error):
    """RFC 7591 section 3.2.2."""

    error = "invalid_client_metadata"


def given(metadata: JSON) -> JSON:
    """Returns what a client says of itself, without what is null: that is as good as absent."""
    return {name: value for name, value in metadata.items() if value is not None}


def usable(metadata: JSON) -> JSON:
    """Returns what a client says of itself with those of its addresses that can be registered (RFC 7591 section 3.2.1).

    Raises InvalidRedirect where none is left, and InvalidMetadata for what a client may not be here (section 2).
    """
    redirect_uris = list(filter(redirects.can_register, metadata["redirect_uris"]))
    if not redirect_uris:
        raise InvalidRedirect
    if "authorization_code" not in metadata.get("grant_types", GRANT_TYPES):
        raise InvalidMetadata("grant_types must hold authorization_code.")
    if "code" not in metadata.get("response_types", ["code"]):
        raise InvalidMetadata("response_types must hold code.")
    return {**metadata, "redirect_uris": redirect_uris}


def register(connection: Connection, metadata: JSON) -> JSON:
    """Returns the new client with its id and, unless it is public, its secret. Raises what `usable` raises."""
    metadata = usable(given(metadata))
    method = metadata.get("token_endpoint_auth_method", "client_secret_basic")  # RFC 7591's own default
    if method not in AUTH_METHODS:
        raise InvalidMetadata(f"token_endpoint_auth_method must be one of {', '.join(AUTH_METHODS)}.")
    secret = None if method == "none" else tokens.new("client")
    client_id = clients.new_id()
    name = metadata.get("client_name", "").strip() or NAMELESS
    clients.save(
        connection, "registered", client_id, name, metadata["redirect_uris"], secret, expires_at=utc_now(UNUSED_CLIENT)
    )
    return {
        "client_id": client_id,
        **({"client_secret": secret} if secret else {}),
        "client_id_issued_at": int(time.time()),
        "client_secret_expires_at": 0,
        "client_name": name,
        "redirect_uris": metadata["redirect_uris"],
        "token_endpoint_auth_method": method,
        "grant_types": GRANT_TYPES,
        "response_types": ["code"],
        "scope": " ".join(API.scopes),
    }


def register_by_operator(connection: Connection, name: str, redirect_uris: list[str]) -> tuple[str, str]:
    """Returns id and secret of a new confidential client. Raises InvalidRedirect and InvalidMetadata."""
    if find_errors(SITE.schema("ShownText"), name) or not name.strip():
        raise InvalidMetadata("The name must be a line of at most 200 characters, none of them invisible.")
    if not all(uri in redirects.TEMPLATES or redirects.can_register(uri) for uri in redirect_uris):
        raise InvalidRedirect
    client_id, secret = clients.new_id(), tokens.new("client")
    clients.save(connection, "operator", client_id, name, redirect_uris, secret)
    return client_id, secret
