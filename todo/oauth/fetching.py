"""Fetches JSON from URLs that strangers choose, without being turned against other hosts (SSRF).

HTTPS only, public addresses only, one DNS lookup, no redirects, and limits on size, time and concurrency.
"""

import asyncio
import ipaddress
import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx
import orjson

from todo.accounts import attempts
from todo.contract import SITE
from todo.contract.schemas import find_errors
from todo.errors.access import AssistantsBusy
from todo.oauth.redirects import LOOPBACK
from todo.storage.engine import Engine

JSON = dict[str, Any]

MAX_BYTES = SITE.limit("client_document_bytes")
MAX_SECONDS = SITE.limit("client_document_seconds")
URL_SCHEMA = SITE.schema("ClientId")
DOT_SEGMENTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Not public, though ipaddress calls some of them global: protocol assignments, addresses that embed an IPv4 address,
# documentation, and the former 6bone (RFC 6890, and IANA's special-purpose address registries).
SPECIAL_PURPOSE = [
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
# A DNS lookup cannot be cancelled, so fetches run in threads of their own and callers stop waiting at the deadline.
MAX_CONCURRENT = SITE.limit("client_documents_at_once")
_slots = BoundedSemaphore(MAX_CONCURRENT)
_pool = ThreadPoolExecutor(MAX_CONCURRENT, thread_name_prefix="client-document")


class DocumentRefused(Exception):
    """A client's document or key set cannot be fetched or used; the message says why."""


def run(engine: Engine, fetch: Callable[..., JSON], url: str, remote_addr: str, *, allow_local: bool) -> JSON:
    """Returns `fetch(url)`, run in the pool for at most MAX_SECONDS. `remote_addr` is whose request caused it.

    Raises DocumentRefused, TooManyAttempts and AssistantsBusy.
    """
    attempts.raise_if_limited(engine.submit_write(attempts.count, attempts.fetches(remote_addr)).result())
    if not _slots.acquire(blocking=False):
        raise AssistantsBusy
    fetching = _pool.submit(fetch, url, allow_local=allow_local)
    fetching.add_done_callback(lambda _: _slots.release())
    try:
        return fetching.result(MAX_SECONDS)
    except TimeoutError:
        raise DocumentRefused("its document came too slowly") from None


def get_json(url: str, *, allow_local: bool = False) -> JSON:
    """Returns the JSON object at a URL, or {} if the JSON is not an object. Raises DocumentRefused.

    `allow_local` permits plain HTTP on the loopback interface.
    """
    deadline = time.monotonic() + MAX_SECONDS
    parts = _check_url(url, allow_local=allow_local)
    ip = _resolve(parts, allow_local=allow_local)
    body = asyncio.run(_get(parts, ip, deadline - time.monotonic()))
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise DocumentRefused("its document is not JSON") from None
    return found if isinstance(found, dict) else {}


def is_public(address: str) -> bool:
    """Whether an IP address is on the public Internet and does not embed or translate to another address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    is_global = ip.is_global and not ip.is_multicast and (ip.version == 4 or ip in GLOBAL_UNICAST)
    return is_global and not any(ip in network for network in SPECIAL_PURPOSE)


def _check_url(url: str, *, allow_local: bool) -> SplitResult:
    """Returns the parts of a URL that may serve as a client id (section 3 of the draft). Raises DocumentRefused."""
    if find_errors(URL_SCHEMA, url):
        raise DocumentRefused("its id is not a URL")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise DocumentRefused("its id is not a URL") from None
    is_secure = parts.scheme == "https" or (allow_local and parts.hostname in LOOPBACK)
    if not is_secure or not parts.hostname or "@" in parts.netloc or "#" in url:
        raise DocumentRefused("its id must be an https URL")
    if parts.path in ("", "/") or DOT_SEGMENTS.search(parts.path):
        raise DocumentRefused("its id must be the URL of a document")
    return parts


def _resolve(parts: SplitResult, *, allow_local: bool) -> str:
    """Returns the IP address to connect to. Raises DocumentRefused unless all addresses of the host are public."""
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise DocumentRefused("its host cannot be resolved") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not (allow_local and parts.hostname in LOOPBACK) and not all(map(is_public, addresses)):
        raise DocumentRefused("its host is not public")
    return addresses[0]


async def _get(parts: SplitResult, ip: str, seconds: float) -> bytes:
    """Returns the body at a URL. Connects to the IP already checked: a second lookup could give another (rebinding)."""
    host = f"[{ip}]" if ":" in ip else ip
    body = b""
    try:
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(trust_env=False, follow_redirects=False) as client,
            client.stream(
                "GET",
                httpx.URL(parts.geturl()).copy_with(host=host),
                headers={"Host": parts.netloc, "Accept": "application/json", "Accept-Encoding": "identity"},
                extensions={"sni_hostname": parts.hostname},
            ) as response,
        ):
            if response.status_code != 200:
                raise DocumentRefused("there is no document at its address")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise DocumentRefused("its document is too long")
    except TimeoutError:
        raise DocumentRefused("its document came too slowly") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise DocumentRefused("its document could not be fetched") from None
    return body
