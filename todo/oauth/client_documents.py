"""Client ID metadata documents: the client id is a URL, and the JSON at that URL describes the client.

draft-ietf-oauth-client-id-metadata-document.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error

from todo.contract import SITE
from todo.contract.schemas import find_errors
from todo.domain.users import utc_now
from todo.errors.access import ClientRefused
from todo.oauth import clients, fetching, register
from todo.oauth.fetching import DocumentRefused
from todo.oauth.metadata import DOCUMENT_METHODS
from todo.storage.engine import Engine
from todo.storage.statements import Connection

JSON = dict[str, Any]

CACHE_TTL = timedelta(minutes=SITE.limit("client_document_minutes"))
SCHEMA = SITE.resolved_schema("Registration")


def ensure_fresh(engine: Engine, client_id: str, remote_addr: str, *, allow_local: bool) -> None:
    """Fetches a client's document and stores the client, unless it is cached.

    `remote_addr` is whose request caused it: fetches are limited per address. `allow_local` permits plain HTTP on the
    loopback interface. Raises TooManyAttempts, AssistantsBusy and ClientRefused.
    """
    cached = engine.submit_read(clients.find, client_id).result()
    if cached and (cached.fresh_until or "") > utc_now():
        return
    try:
        metadata = fetching.run(engine, fetch, client_id, remote_addr, allow_local=allow_local)
    except DocumentRefused as refusal:
        raise ClientRefused(f"The assistant could not be verified: {refusal}.") from None
    engine.submit_write(_save, client_id, metadata).result()


def fetch(client_id: str, *, allow_local: bool = False) -> JSON:
    """Returns a client's validated metadata. Raises DocumentRefused."""
    metadata = fetching.get_json(client_id, allow_local=allow_local)
    if metadata.get("client_id") != client_id:
        raise DocumentRefused("its document names another client")
    errors = find_errors(SCHEMA, metadata)
    if errors:
        raise DocumentRefused(f"in its document {errors[0].field} {errors[0].message}")
    metadata = register.drop_nulls(metadata)
    if not auth_methods(metadata):
        raise DocumentRefused("its document asks for a secret, or for keys that it does not name")
    try:
        return register.validate(metadata)
    except OAuth2Error as error:
        raise DocumentRefused(f"its document is refused ({error.error})") from None


def auth_methods(metadata: JSON) -> list[str]:
    """Returns the methods, of those supported here, by which a client may authenticate at the token endpoint.

    Its document may name one method (RFC 7591 section 2) and list more, under the server's name for them (RFC 8414
    section 2). `private_key_jwt` needs keys.
    """
    named = {
        metadata.get("token_endpoint_auth_method", "none"),
        *metadata.get("token_endpoint_auth_methods_supported", ()),
    }
    if not metadata.get("jwks") and not metadata.get("jwks_uri"):
        named.discard("private_key_jwt")
    return [method for method in DOCUMENT_METHODS if method in named]


def _save(connection: Connection, client_id: str, metadata: JSON) -> None:
    name = metadata.get("client_name", "").strip() or urlsplit(client_id).netloc
    clients.save(
        connection,
        "document",
        client_id,
        name,
        metadata["redirect_uris"],
        fresh_until=utc_now(CACHE_TTL),
        auth_methods=auth_methods(metadata),
        jwks=metadata.get("jwks"),
        jwks_uri=metadata.get("jwks_uri"),
    )
