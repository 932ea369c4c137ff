"""Dynamic client registration (RFC 7591)."""

import time
from typing import Any

from authlib.oauth2 import OAuth2Error

from todo.accounts import tokens
from todo.contract import API, SITE
from todo.contract.schemas import find_errors
from todo.oauth import clients, redirects
from todo.oauth.metadata import GRANT_TYPES, SECRET_METHODS
from todo.storage.statements import Connection

JSON = dict[str, Any]

AUTH_METHODS = ["none", *SECRET_METHODS]  # private_key_jwt needs a metadata document

NAMELESS = "An assistant without a name"


class InvalidRedirect(OAuth2Error):
    """No redirect URI can be registered (RFC 7591 section 3.2.2)."""

    error = "invalid_redirect_uri"
    description = "redirect_uris must be https, http on the loopback interface, or have the app's own scheme."


class InvalidMetadata(OAuth2Error):
    """The client asks for what this server does not support (RFC 7591 section 3.2.2)."""

    error = "invalid_client_metadata"


def drop_nulls(metadata: JSON) -> JSON:
    """Returns client metadata without null members, which count as absent."""
    return {name: value for name, value in metadata.items() if value is not None}


def validate(metadata: JSON) -> JSON:
    """Returns client metadata with only those redirect URIs that can be registered (RFC 7591 section 3.2.1).

    Raises InvalidRedirect if none can, and InvalidMetadata for an unsupported grant or response type (section 2).
    """
    redirect_uris = list(filter(redirects.can_register, metadata["redirect_uris"]))
    if not redirect_uris:
        raise InvalidRedirect
    if "authorization_code" not in metadata.get("grant_types", GRANT_TYPES):
        raise InvalidMetadata("grant_types must include authorization_code.")
    if "code" not in metadata.get("response_types", ["code"]):
        raise InvalidMetadata("response_types must include code.")
    return {**metadata, "redirect_uris": redirect_uris}


def register(connection: Connection, metadata: JSON) -> JSON:
    """Returns the new client's information response (RFC 7591 section 3.2.1), with a secret unless it is public.

    Raises InvalidRedirect and InvalidMetadata.
    """
    metadata = validate(drop_nulls(metadata))
    method = metadata.get("token_endpoint_auth_method", "client_secret_basic")  # RFC 7591 section 2
    if method not in AUTH_METHODS:
        raise InvalidMetadata(f"token_endpoint_auth_method must be one of {', '.join(AUTH_METHODS)}.")
    secret = None if method == "none" else tokens.new("client")
    client_id = clients.new_id()
    name = metadata.get("client_name", "").strip() or NAMELESS
    clients.save(connection, "registered", client_id, name, metadata["redirect_uris"], secret)
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
    """Returns the id and secret of a new confidential client. Raises InvalidRedirect and InvalidMetadata."""
    if find_errors(SITE.schema("ShownText"), name) or not name.strip():
        raise InvalidMetadata("The name must be one line of at most 200 visible characters.")
    if not all(uri in redirects.TEMPLATES or redirects.can_register(uri) for uri in redirect_uris):
        raise InvalidRedirect
    client_id, secret = clients.new_id(), tokens.new("client")
    clients.save(connection, "operator", client_id, name, redirect_uris, secret)
    return client_id, secret
