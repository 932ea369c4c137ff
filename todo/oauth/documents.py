"""Client id metadata documents: the client id is an address, and what stands there says who the client is.

draft-ietf-oauth-client-id-metadata-document. A stranger names the address, so it is fetched with care: over https, from
a public address that is looked up once, with no redirect, and within bounds of size and time.
"""

import asyncio
import ipaddress
import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx
import orjson
from authlib.oauth2 import OAuth2Error

from todo.accounts import attempts
from todo.contract import SITE
from todo.contract.schemas import find_errors
from todo.domain.users import utc_now
from todo.errors import AssistantsBusy, ClientRefused
from todo.oauth import clients, register
from todo.oauth.metadata import DOCUMENT_METHODS
from todo.oauth.redirects import LOOPBACK
from todo.storage.engine import Engine
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_BYTES = SITE.limit("client_document_bytes")
MAX_SECONDS = SITE.limit("client_document_seconds")
KEPT_FOR = timedelta(minutes=SITE.limit("client_document_minutes"))
FORM = SITE.schema("ClientId")
SHAPE = SITE.resolved_schema("Registration")
DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)  # segments that lead to another one
# IPv6 addresses of the public Internet, and those among them that are not: of protocols, with an IPv4 address within,
# for documentation, and of the 6bone (RFC 6890, and IANA's registry of special-purpose addresses).
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
SPECIAL = [
    ipaddress.ip_network(network)
    for network in (
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3ffe::/16",
        "3fff::/20",
        "192.0.0.0/24",
        "192.88.99.0/24",
    )
]
# Fetches are made apart from those who wait for them: a name that is looked up keeps its thread as long as it likes.
AT_ONCE = SITE.limit("client_documents_at_once")
_slots = BoundedSemaphore(AT_ONCE)
_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="client-document")


class DocumentRefused(Exception):
    """There is no document of a client at this address, or none that we would fetch; the message says why."""


def remember(engine: Engine, client_id: str, address: str, *, local: bool) -> None:
    """Fetches the document of a client that is not known, or not known lately, and keeps what it says.

    `address` is who asks, as each may make us fetch only so often. Raises TooManyAttempts, AssistantsBusy and
    ClientRefused.
    """
    known = engine.submit_read(clients.find, client_id).result()
    if known and (known.expires_at or "") > utc_now():
        return
    try:
        metadata = in_time(engine, fetch, client_id, address, local=local)
    except DocumentRefused as refusal:
        raise ClientRefused(f"The assistant could not be verified: {refusal}.") from None
    engine.submit_write(_save, client_id, metadata).result()


def in_time(engine: Engine, fetch: Callable[..., JSON], url: str, address: str, *, local: bool) -> JSON:
    """Returns what `fetch` returns of a URL, or stops waiting for it. `address` is who asks.

    Raises DocumentRefused, TooManyAttempts and AssistantsBusy.
    """
    attempts.raise_if_limited(engine.submit_write(attempts.count, attempts.fetches(address)).result())
    if not _slots.acquire(blocking=False):
        raise AssistantsBusy
    fetching = _pool.submit(fetch, url, local=local)
    fetching.add_done_callback(lambda _: _slots.release())
    try:
        return fetching.result(MAX_SECONDS)
    except TimeoutError:
        raise DocumentRefused("its document came too slowly") from None


def fetch(client_id: str, *, local: bool = False) -> JSON:
    """Returns the metadata of the client. Raises DocumentRefused. `local` allows http on the loopback interface too."""
    metadata = read(client_id, local=local)
    if metadata.get("client_id") != client_id:
        raise DocumentRefused("its document names another client")
    errors = find_errors(SHAPE, metadata)
    if errors:
        raise DocumentRefused(f"in its document {errors[0].field} {errors[0].message}")
    metadata = register.given(metadata)
    if not auth_methods(metadata):
        raise DocumentRefused("its document asks for a secret, or for keys that it does not name")
    try:
        return register.usable(metadata)
    except OAuth2Error as error:
        raise DocumentRefused(f"its document is refused ({error.error})") from None


def auth_methods(metadata: JSON) -> list[str]:
    """Returns how a client may say who it is: in the way it likes best or in another of its list, if there is one here.

    Those with a key sign, those without are public (RFC 8414's name for the list, in the document of a client).
    """
    named = {
        metadata.get("token_endpoint_auth_method", "none"),
        *metadata.get("token_endpoint_auth_methods_supported", ()),
    }
    if not metadata.get("jwks") and not metadata.get("jwks_uri"):
        named.discard("private_key_jwt")
    return [method for method in DOCUMENT_METHODS if method in named]


def read(address: str, *, local: bool = False) -> JSON:
    """Returns the JSON object that stands at an address. Raises DocumentRefused."""
    end = time.monotonic() + MAX_SECONDS
    url = _address(address, local=local)
    network_address = _resolve(url, local=local)
    body = asyncio.run(_get(url, network_address, end - time.monotonic()))
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise DocumentRefused("its document is not JSON") from None
    return found if isinstance(found, dict) else {}


def _address(client_id: str, *, local: bool) -> SplitResult:
    """Returns the parts of an address that can be a client id (section 3 of the draft). Raises DocumentRefused."""
    if find_errors(FORM, client_id):
        raise DocumentRefused("its id is no address")
    try:
        url = urlsplit(client_id)
        _ = url.port
    except ValueError:
        raise DocumentRefused("its id is no address") from None
    secure = url.scheme == "https" or (local and url.hostname in LOOPBACK)
    if not secure or not url.hostname or "@" in url.netloc or "#" in client_id:
        raise DocumentRefused("its id must be an https address")
    if url.path in ("", "/") or DOTS.search(url.path):
        raise DocumentRefused("its id must name a document")
    return url


def _resolve(url: SplitResult, *, local: bool) -> str:
    """Returns the one network address to connect to. Raises DocumentRefused unless every one of the name is public."""
    try:
        found = socket.getaddrinfo(url.hostname, url.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise DocumentRefused("its address is not known") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not (local and url.hostname in LOOPBACK) and not all(map(is_public, addresses)):
        raise DocumentRefused("its address is not public")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether a network address is one of the public Internet itself, and stands for no other."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    known = ip.is_global and not ip.is_multicast and (ip.version == 4 or ip in GLOBAL_UNICAST)
    return known and not any(ip in network for network in SPECIAL)


async def _get(url: SplitResult, address: str, seconds: float) -> bytes:
    """Returns what stands at `url`, asked of `address` itself, so that no second look-up can lead elsewhere."""
    host = f"[{address}]" if ":" in address else address
    body = b""
    try:
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(trust_env=False, follow_redirects=False) as client,
            client.stream(
                "GET",
                httpx.URL(url.geturl()).copy_with(host=host),
                headers={"Host": url.netloc, "Accept": "application/json", "Accept-Encoding": "identity"},
                extensions={"sni_hostname": url.hostname},
            ) as response,
        ):
            if response.status_code != 200:
                raise DocumentRefused("there is no document at its address")
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > MAX_BYTES:
                    raise DocumentRefused("its document is too long")
    except TimeoutError:
        raise DocumentRefused("its document came too slowly") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise DocumentRefused("its document could not be fetched") from None
    return body


def _save(connection: Connection, client_id: str, metadata: JSON) -> None:
    name = metadata.get("client_name", "").strip() or urlsplit(client_id).netloc
    clients.save(
        connection,
        "document",
        client_id,
        name,
        metadata["redirect_uris"],
        expires_at=utc_now(KEPT_FOR),
        auth_methods=auth_methods(metadata),
        jwks=metadata.get("jwks"),
        jwks_uri=metadata.get("jwks_uri"),
    )
