"""Where people may be sent back to."""

import pytest

from todo.oauth.redirects import HOSTS, can_register, csp_source, expand_alias, is_registered

CHATGPT = HOSTS["chatgpt-action"]


@pytest.mark.parametrize(
    "uri",
    [
        "https://client.example/callback",
        "https://client.example:8443/callback?a=b",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:49152/callback",
        "http://[::1]:49152/callback",
        "http://localhost:3000/",
        "com.example.app:/callback",
        "app:/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "vscode://vendor.extension/callback?windowId=1",
        "windsurf://callback",
        "my-app+x:callback",
    ],
)
def test_can_be_registered(uri: str) -> None:
    assert can_register(uri)
    assert is_registered(uri, [uri])


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "callback",
        "/callback",
        "//client.example/callback",
        "http://client.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.2/callback",
        "http://localhost@evil.example/callback",
        "http://0x7f000001/callback",
        "https://",
        "https:///callback",
        "https://user:password@client.example/callback",
        "https://client.example/callback#fragment",
        "https://client.example/call back",
        "https://client.example/call\nback",
        "https://client.example/\u00e4",
        'https://client.example/"',
        "https://client.example:port/",
        "https://client.example:0/",
        "https://[::1/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "c:/callback",
        "app",
        "1app:/callback",
        "my_app:/callback",
        "cursor://user@callback",
        "localhost:3000/callback",
        *CHATGPT,
    ],
)
def test_cannot_be_registered(uri: str) -> None:
    assert not can_register(uri)


# fmt: off
DANGEROUS = [
    "javascript", "JavaScript", "vbscript", "livescript", "data", "blob", "filesystem", "file", "about",
    "view-source", "ws", "wss", "ftp", "ftps", "sftp", "http", "mailto", "tel", "sms", "smsto", "mms",
    "callto", "facetime", "intent", "android-app", "market", "chrome", "chrome-extension", "chrome-search",
    "devtools", "moz-extension", "safari-web-extension", "ms-settings", "ms-word", "ms-msdt",
    "MS-Appinstaller", "microsoft-edge", "search-ms", "shell", "res", "jar", "mk", "mhtml", "hcp", "ldap",
    "smb", "ssh", "telnet", "vnc", "gopher", "news", "magnet", "itms-apps", "itms-services",
    "x-apple.systempreferences", "web+todo", "webcal", "xmpp", "sip", "geo", "maps", "cid", "urn",
    "localhost",
]
# fmt: on


@pytest.mark.parametrize("scheme", DANGEROUS)
def test_what_a_browser_acts_on_cannot_be(scheme: str) -> None:
    for rest in ("alert(1)", "/callback", "//callback", "//client.example/callback?x=1"):
        assert not can_register(f"{scheme}:{rest}")


@pytest.mark.parametrize(
    ("given", "registered"),
    [
        ("http://127.0.0.1:1/callback", "http://127.0.0.1/callback"),
        ("http://127.0.0.1:65535/callback?x=1", "http://127.0.0.1:2/callback?x=1"),
        ("http://[::1]:49152/", "http://[::1]/"),
        ("http://localhost:49152/callback", "http://localhost/callback"),
        ("https://chatgpt.com/aip/g-0123456789/oauth/callback", CHATGPT[1]),
        ("https://chat.openai.com/aip/plugin-1/oauth/callback", CHATGPT[0]),
    ],
)
def test_the_port_on_loopback_and_the_id_of_a_known_host_are_free(given: str, registered: str) -> None:
    assert is_registered(given, [registered])


@pytest.mark.parametrize(
    ("given", "registered"),
    [
        ("http://127.0.0.1:1/other", "http://127.0.0.1/callback"),
        ("http://localhost:1/callback", "http://127.0.0.1/callback"),
        ("http://127.0.0.1:x/callback", "http://127.0.0.1/callback"),
        ("http://127.0.0.1:99999/callback", "http://127.0.0.1/callback"),
        ("http://127.0.0.1:1@evil.example/callback", "http://127.0.0.1/callback"),
        ("https://client.example:1/callback", "https://client.example/callback"),
        ("https://127.0.0.1:1/callback", "https://127.0.0.1/callback"),
        ("https://chatgpt.com/aip/a/b/oauth/callback", CHATGPT[1]),
        ("https://chatgpt.com/aip/../oauth/callback", CHATGPT[1]),
        ("https://chatgpt.com/aip//oauth/callback", CHATGPT[1]),
        ("https://chatgpt.com/aip/a/oauth/callback?x", CHATGPT[1]),
        ("https://chatgptXcom/aip/a/oauth/callback", CHATGPT[1]),
        ("https://evil.example/aip/a/oauth/callback", CHATGPT[1]),
        ("https://evil.example/x", "https://evil.example/{id}"),
    ],
)
def test_nothing_else_is(given: str, registered: str) -> None:
    assert not is_registered(given, [registered])


def test_words_of_an_operator_stand_for_the_callbacks_of_hosts() -> None:
    assert expand_alias("claude") == [
        "https://claude.ai/api/mcp/auth_callback",
        "https://claude.com/api/mcp/auth_callback",
    ]
    assert expand_alias("https://client.example/") == ["https://client.example/"]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://client.example:8443/callback?x", "https://client.example:8443"),
        ("http://[::1]:1/x", "http://[::1]:1"),
        ("com.example.app:/callback", "com.example.app:"),
        ("Cursor://anysphere.cursor-mcp/callback", "cursor:"),
    ],
)
def test_the_origin_for_the_content_policy(uri: str, expected: str) -> None:
    assert csp_source(uri) == expected
