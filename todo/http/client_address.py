"""Where a request comes from: the network address that limits count by."""

import re
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

ADDRESS = "todo.client_address"  # where the scope keeps it
FORWARDED = b"x-forwarded-for"
WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")  # as some proxies write it
MAX_CHARACTERS = 60  # of an address with its port


def address_of(scope: Scope, proxies: int) -> str:
    """Returns the network address of the caller, past as many proxies as the operator has set up in front.

    Each appends to X-Forwarded-For where it was called from; what stands before that is the caller's own say. What is
    no address there counts for nothing, and the peer's own address is returned.
    """
    if ADDRESS not in scope:
        peer = (scope.get("client") or ("", 0))[0]
        scope[ADDRESS] = _network(_forwarded(scope, proxies)) or _network(peer) or peer
    return str(scope[ADDRESS])


def _forwarded(scope: Scope, proxies: int) -> str:
    """Returns what the outermost of the operator's own proxies has written into the header of that very name."""
    if not proxies:
        return ""
    values = b",".join([value for name, value in scope["headers"] if name == FORWARDED]).split(b",")
    return values[-proxies].decode("latin-1").strip()[:MAX_CHARACTERS] if len(values) >= proxies else ""


@lru_cache(maxsize=4096)
def _network(text: str) -> str:
    """Returns an address, of IPv6 the /64 that one network is given (RFC 6177), or nothing where it is none."""
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
