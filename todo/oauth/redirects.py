"""Where people may be sent back to: what a client can register, and what then counts as registered."""

import re
from urllib.parse import urlsplit

from todo.contract import SITE

FORM = re.compile(SITE.schema("RedirectUri")["pattern"].replace("*$", r"+\Z"))

# The callbacks of known hosts, by the word that an operator uses. {id} is the host's own, different for each GPT and
# each connector, and not known before the client exists.
HOSTS = {
    "chatgpt-action": [
        "https://chat.openai.com/aip/{id}/oauth/callback",
        "https://chatgpt.com/aip/{id}/oauth/callback",
    ],
    "chatgpt-connector": [
        "https://chatgpt.com/connector/oauth/{id}",
        "https://chatgpt.com/connector_platform_oauth_redirect",
    ],
    "claude": ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
}
# A template stands for the addresses of one host; only these are taken for one, and only from the operator.
TEMPLATES = {
    uri: re.compile(re.escape(uri).replace(r"\{id\}", "[A-Za-z0-9_-]{1,100}"))
    for uris in HOSTS.values()
    for uri in uris
    if "{id}" in uri
}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
LOOPBACK_URI = re.compile(r"(http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?([/?].*)?")


def expand(given: str) -> list[str]:
    """Returns the callbacks of a known host by its word, or the one address that was given."""
    return HOSTS.get(given, [given])


def can_register(uri: str) -> bool:
    """Whether a client may register this: https, http on the loopback interface, or an app's own scheme (RFC 8252).

    An app's own scheme has a dot, as one in reverse domain order does (section 7.1), which no scheme of a browser has.
    """
    if not FORM.match(uri) or "#" in uri or "{" in uri:
        return False
    try:
        parts = urlsplit(uri)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if not port_is_fine or "@" in parts.netloc:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme == "http":
        return parts.hostname in LOOPBACK
    return "." in parts.scheme


def is_registered(uri: str, registered: list[str]) -> bool:
    """Whether this is one of those registered: the same string, but for the port on the loopback interface.

    RFC 9700 section 4.1.3, RFC 8252 section 7.3.
    """
    return any(_matches(uri, known) for known in registered)


def origin(uri: str) -> str:
    """Returns what a content security policy calls the place that this leads to."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def _matches(uri: str, known: str) -> bool:
    if known in TEMPLATES:
        return bool(TEMPLATES[known].fullmatch(uri))
    return uri == known or (_without_port(uri) == _without_port(known) is not None and can_register(uri))


def _without_port(uri: str) -> str | None:
    """Returns an address on the loopback interface without its port, and None for any other."""
    found = LOOPBACK_URI.fullmatch(uri)
    return found and f"{found[1]}{found[2] or ''}"
