"""Redirect URIs: which ones a client may register, and which ones match a registered one."""

import re
from urllib.parse import urlsplit

from todo.contract import SITE

PATTERN = re.compile(SITE.schema("RedirectUri")["pattern"].replace("*$", r"+\Z"))

# Callbacks of well-known hosts, by the alias that an operator registers. {id} is the host's: one for each GPT or
# connector, not known until the client exists.
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
# The callbacks above that hold an {id}. No others are treated as templates, and only the operator may register them.
TEMPLATES = {
    uri: re.compile(re.escape(uri).replace(r"\{id\}", "[A-Za-z0-9_-]{1,100}"))
    for uris in HOSTS.values()
    for uri in uris
    if "{id}" in uri
}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
LOOPBACK_URI = re.compile(r"(http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?([/?].*)?")
APP_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:")  # a single letter would be a Windows drive
# Schemes that browsers or operating systems act on themselves, so they cannot be an app's own. They include browser
# extensions, which have https callbacks, and schemes that a web page can register for (web+).
# fmt: off
RESERVED_SCHEMES = frozenset({
    "about", "acap", "afp", "android-app", "app-prefs", "applescript", "bitcoin", "blob", "brave", "callto",
    "cap", "chrome", "chromium", "cid", "content", "data", "dav", "devtools", "dns", "edge", "facetime",
    "facetime-audio", "feed", "file", "filesystem", "ftp", "ftps", "geo", "git", "gopher", "hcp", "help",
    "http", "https", "im", "imap", "imaps", "intent", "irc", "irc6", "ircs", "jar", "javascript", "jnlp",
    "ldap", "ldaps", "livescript", "localhost", "magnet", "mailto", "maps", "market", "message", "mhtml",
    "mid", "mk", "mms", "mmsh", "mocha", "news", "nfs", "nntp", "nntps", "openpgp4fpr", "openurl", "opera",
    "pop", "prefs", "rdp", "res", "resource", "rlogin", "rsync", "rtsp", "safari", "search", "sftp", "shell",
    "sip", "sips", "skype", "smb", "sms", "smsto", "snews", "ssh", "svn", "tel", "telnet", "tftp", "turn",
    "turns", "urn", "vbscript", "view", "view-source", "viewsource", "vivaldi", "vnc", "vnd.youtube",
    "webcal", "webcals", "ws", "wss", "wyciwyg", "x-javascript", "xmpp", "search-ms",
})
RESERVED_PREFIXES = (
    "brave-", "chrome-", "com-apple-", "com.apple.", "edge-", "itms", "javascript", "microsoft-", "moz-", "ms-",
    "opera-", "safari-", "view-source", "vivaldi-", "web+", "windows-", "x-apple",
)
# fmt: on


def expand_alias(alias_or_uri: str) -> list[str]:
    """Returns the callbacks that an alias stands for, or the URI itself."""
    return HOSTS.get(alias_or_uri, [alias_or_uri])


def can_register(uri: str) -> bool:
    """Whether a client may register a URI: https, http on the loopback interface, or an app's own scheme (RFC 8252)."""
    if not PATTERN.match(uri) or "#" in uri or "{" in uri:
        return False
    try:
        parts = urlsplit(uri)
        is_valid_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if not is_valid_port or "@" in parts.netloc:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme == "http":
        return parts.hostname in LOOPBACK
    return is_app_scheme(uri)


def is_app_scheme(uri: str) -> bool:
    """Whether a URI has a private-use scheme (RFC 8252 section 7.1): any that is not reserved.

    Another app may have claimed the scheme, so PKCE is required with it (section 8.1).
    """
    found = APP_SCHEME.match(uri.lower())
    scheme = found[0][:-1] if found else ""
    return bool(scheme) and scheme not in RESERVED_SCHEMES and not scheme.startswith(RESERVED_PREFIXES)


def is_registered(uri: str, registered: list[str]) -> bool:
    """Whether a URI exactly matches a registered one (RFC 9700 section 4.1.3).

    The port may differ on the loopback interface (RFC 8252 section 7.3), and the {id} of a template is free.
    """
    return any(_matches(uri, known) for known in registered)


def csp_source(uri: str) -> str:
    """Returns the source expression for a URI in a Content-Security-Policy: its origin, or its scheme."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def _matches(uri: str, known: str) -> bool:
    if known in TEMPLATES:
        return bool(TEMPLATES[known].fullmatch(uri))
    return uri == known or (_without_port(uri) == _without_port(known) is not None and can_register(uri))


def _without_port(uri: str) -> str | None:
    """Returns a loopback URI without its port, or None for any other URI."""
    found = LOOPBACK_URI.fullmatch(uri)
    return found and f"{found[1]}{found[2] or ''}"
