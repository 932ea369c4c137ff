"""Whose address a request counts for."""

import pytest

from todo.http.client_address import address_of


def seen(peer: str | None, proxies: int = 0, *headers: tuple[str, str]) -> str:
    """Returns the address that a request counts for."""
    client = (peer, 50000) if peer is not None else None
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return address_of({"type": "http", "client": client, "headers": raw}, proxies)


def forwarded(*values: str) -> list[tuple[str, str]]:
    return [("X-Forwarded-For", value) for value in values]


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("a socket", "a socket"),
        (None, ""),
    ],
)
def test_is_a_network(peer: str | None, counted: str) -> None:
    assert seen(peer) == counted


@pytest.mark.parametrize(
    ("proxies", "values", "counted"),
    [
        (0, ["203.0.113.7"], "192.0.2.1"),
        (1, ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (1, ["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
        (2, ["198.51.100.1, 203.0.113.7, 10.0.0.1"], "203.0.113.7"),
        (2, ["203.0.113.7"], "192.0.2.1"),
        (1, ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        (1, ["203.0.113.7:1234"], "203.0.113.7"),
        (1, ["[2001:db8:1:2::9]:1234"], "2001:db8:1:2::/64"),
        (1, ["203.0.113.7, "], "192.0.2.1"),
        (1, ["203.0.113.7, nonsense"], "192.0.2.1"),
        (1, ["203.0.113.7, \xff"], "192.0.2.1"),
        (1, ["1" * 30_000], "192.0.2.1"),
    ],
)
def test_is_what_the_outermost_proxy_saw(proxies: int, values: list[str], counted: str) -> None:
    assert seen("192.0.2.1", proxies, *forwarded(*values)) == counted


def test_comes_from_the_header_of_that_very_name() -> None:
    assert seen("192.0.2.1", 1, *forwarded("203.0.113.7"), ("X_Forwarded_For", "198.51.100.1")) == "203.0.113.7"
    assert seen("192.0.2.1", 1, ("X_Forwarded_For", "198.51.100.1")) == "192.0.2.1"
