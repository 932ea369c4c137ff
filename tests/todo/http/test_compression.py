"""Which responses are compressed, for whom, and how caches keep them apart."""

import asyncio
import gzip
from typing import Any

import pytest
from starlette.responses import Response
from starlette.testclient import TestClient

from todo.http.compression import MIN_BYTES, Compression, accepts_gzip

PAGE = "<p>Buy milk</p>" * 100
BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}


def asked(response: Response, headers: dict[str, str] = BROWSER) -> Any:
    """Returns what a caller gets of a response, with the body as it travels."""
    with TestClient(Compression(response)).stream("GET", "/", headers=headers) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("GZip", True),
        ("x-gzip", True),
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("gzip;q=0.001", True),
        ("*", True),
        ("*;q=0.5, identity;q=0.1", True),
        ("gzip ; q=1", True),
        ("gzip, identity", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity;q=1, gzip;q=0.5", False),
        ("gzip;q=2", False),
        ("gzip;q=nan", False),
        ("gzip;level=9", False),
        ("notgzip", False),
        (";;,,=", False),
    ],
)
def test_who_accepts_gzip(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


@pytest.mark.parametrize(
    "media_type",
    ["text/html; charset=utf-8", "application/json", "application/yaml", "application/manifest+json", "text/calendar"],
)
def test_a_text_is_compressed(media_type: str) -> None:
    answer, body = asked(Response(PAGE, media_type=media_type))
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(body) < len(PAGE) / 5
    assert gzip.decompress(body).decode() == PAGE


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_a_page_that_the_person_asked_for_is_compressed(site: str) -> None:
    answer, _ = asked(Response(PAGE, media_type="text/html"), {**BROWSER, "Sec-Fetch-Site": site})
    assert answer.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_asks_for_is_not_compressed(site: str) -> None:
    answer, body = asked(Response(PAGE, media_type="text/html"), {**BROWSER, "Sec-Fetch-Site": site})
    assert "content-encoding" not in answer.headers
    assert body.decode() == PAGE


@pytest.mark.parametrize("headers", [{"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip;q=0"}])
def test_who_does_not_accept_it_gets_the_text_and_caches_are_told(headers: dict[str, str]) -> None:
    answer, body = asked(Response(PAGE, media_type="text/html"), headers)
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"
    assert body.decode() == PAGE


@pytest.mark.parametrize(
    "response",
    [Response("x" * (MIN_BYTES - 1), media_type="text/html"), Response(b"\0" * MIN_BYTES * 4, media_type="image/png")],
    ids=["small", "a picture"],
)
def test_what_would_gain_nothing_is_not_compressed(response: Response) -> None:
    answer, body = asked(response)
    assert "content-encoding" not in answer.headers
    assert body == response.body


def test_a_compressed_text_has_a_weak_etag_since_its_bytes_are_others() -> None:
    response = Response(PAGE, media_type="text/calendar", headers={"ETag": '"1"', "Vary": "Cookie"})
    answer, _ = asked(response)
    assert (answer.headers["etag"], answer.headers["vary"]) == ('W/"1"', "Cookie, Accept-Encoding")
    answer, _ = asked(response, {"Accept-Encoding": "identity"})
    assert answer.headers["etag"] == '"1"'


def test_the_event_loop_goes_on_while_a_large_page_is_compressed() -> None:
    async def longest_pause() -> float:
        loop = asyncio.get_running_loop()
        pauses, over = [0.0], asyncio.Event()

        async def tick() -> None:
            while not over.is_set():
                before = loop.time()
                await asyncio.sleep(0)
                pauses.append(loop.time() - before)

        async def send(_: Any) -> None: ...

        ticking = asyncio.ensure_future(tick())
        page = Response("".join(map(str, range(1_000_000))), media_type="text/html")
        scope = {"type": "http", "method": "GET", "headers": [(b"accept-encoding", b"gzip")]}
        started = loop.time()
        await Compression(page)(scope, None, send)  # type: ignore[arg-type]
        over.set()
        await ticking
        return max(pauses) / (loop.time() - started)

    assert asyncio.run(longest_pause()) < 0.5
