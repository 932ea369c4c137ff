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
APP_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:")  # one letter is a drive
# Schemes that belong to no app that a person would connect: browsers and systems act on them. Extensions of browsers,
# which have callbacks over https, and protocols that a web page can take over (web+) are among them.
# fmt: off
ACTED_ON = frozenset({
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
ACTED_ON_FAMILIES = (
    "brave-", "chrome-", "com-apple-", "com.apple.", "edge-", "itms", "javascript", "microsoft-", "moz-", "ms-",
    "opera-", "safari-", "view-source", "vivaldi-", "web+", "windows-", "x-apple",
)
# fmt: on


def expand(given: str) -> list[str]:
    """Returns the callbacks of a known host by its word, or the one address that was given."""
    return HOSTS.get(given, [given])


def can_register(uri: str) -> bool:
    """Whether a client may register this: https, http on the loopback interface, or an app's own scheme (RFC 8252)."""
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
    return leads_to_app(uri)


def leads_to_app(uri: str) -> bool:
    """Whether an address has an app's own scheme (RFC 8252 section 7.1): any but those that a browser acts on.

    Another app may have taken the scheme, so a secret proves nothing there and PKCE is needed (section 8.1).
    """
    found = APP_SCHEME.match(uri.lower())
    scheme = found[0][:-1] if found else ""
    return bool(scheme) and scheme not in ACTED_ON and not scheme.startswith(ACTED_ON_FAMILIES)


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
