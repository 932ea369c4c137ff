"""The client's network address, for rate limits."""

import re
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

ADDRESS = "todo.client_address"  # scope key
FORWARDED = b"x-forwarded-for"
WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")  # as some proxies write it
MAX_CHARACTERS = 60  # of an address with its port


def address_of(scope: Scope, proxies: int) -> str:
    """Returns the client's network address, behind the operator's number of proxies.

    Each proxy appends its peer to X-Forwarded-For; anything before that is the client's own claim. If there is no valid
    address, the address of the connection's peer is used.
    """
    if ADDRESS not in scope:
        peer = (scope.get("client") or ("", 0))[0]
        scope[ADDRESS] = _network(_forwarded(scope, proxies)) or _network(peer) or peer
    return str(scope[ADDRESS])


def _forwarded(scope: Scope, proxies: int) -> str:
    """Returns what the outermost of the operator's proxies wrote into X-Forwarded-For."""
    if not proxies:
        return ""
    values = b",".join([value for name, value in scope["headers"] if name == FORWARDED]).split(b",")
    return values[-proxies].decode("latin-1").strip()[:MAX_CHARACTERS] if len(values) >= proxies else ""


@lru_cache(maxsize=4096)
def _network(text: str) -> str:
    """Returns an IPv4 address, the /64 of an IPv6 address (RFC 6177), or None if it is neither."""
    port = WITH_PORT.fullmatch(text)
    try:
        address = ip_address((port["v6"] or port["v4"]) if port else text)
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))
