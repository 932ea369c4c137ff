"""Static files, held in memory. The URLs of files that pages load contain a hash, so browsers keep them for a year."""

import mimetypes
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from todo.contract import SITE
from todo.http.compression import MIN_BYTES, accepts_gzip, compressed, is_text

FOLDER = Path(__file__).parent / "static"
STYLES = (
    "tokens",
    "base",
    "forms",
    "list",
    "quick_add",
    "order",
    "calendar",
    "history",
    "pages",
    "account",
    "print",
)  # one sheet, in this order

FOR_A_YEAR = "public, max-age=31536000, immutable"
BEST = 9  # compression level: files are compressed only once, when the service starts
CHECK_ALWAYS = "no-cache"  # browsers keep it, but check for changes before each use


class Variant(NamedTuple):
    """The bytes of a file in one encoding, with the headers for that encoding."""

    body: bytes
    etag: str
    headers: dict[str, str]


class Asset:
    """A file that browsers may cache as `cache_control` says, and then revalidate by its ETag."""

    def __init__(self, name: str, body: bytes, cache_control: str) -> None:
        self._media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._cache_control = cache_control
        self._plain = Variant(body, f'"{_hash(body)}"', {})
        self._compressed = self._plain
        if is_text(self._media_type):
            vary = {"Vary": "Accept-Encoding"}
            self._plain = self._compressed = Variant(body, self._plain.etag, vary)
            if len(body) >= MIN_BYTES:
                tag = f'"{_hash(body)}-gzip"'
                self._compressed = Variant(compressed(body, BEST), tag, {**vary, "Content-Encoding": "gzip"})

    @classmethod
    def of_file(cls, file: Path, max_age: int) -> "Asset":
        """Returns a file that browsers may keep for `max_age` seconds."""
        return cls(file.name, file.read_bytes(), f"public, max-age={max_age}")

    def response(self, request: Request, cache_control: str = "") -> Response:
        """Returns the whole file, ignoring Range (RFC 9110 section 14.2), or 304 if the browser has it."""
        wanted = accepts_gzip(request.headers.get("accept-encoding", ""))
        variant = self._compressed if wanted else self._plain
        headers = {"ETag": variant.etag, "Cache-Control": cache_control or self._cache_control}
        if self._matches(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers | variant.headers)
        return Response(variant.body, headers=headers | variant.headers, media_type=self._media_type)

    def _matches(self, if_none_match: str) -> bool:
        """Whether an If-None-Match header names an ETag of this file, or is * (RFC 9110 section 13.1.2)."""
        tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
        return not {self._plain.etag, self._compressed.etag}.isdisjoint(tags) or tags == ["*"]


def url(name: str) -> str:
    """Returns the URL of a file that pages load. Scripts import each other by relative URLs of one version."""
    return f"/static/{VERSION}/{name}"


def of_version(version: str, name: str, request: Request) -> Response:
    """Returns a file that pages load. Any other version returns the current file, for a page from before an upgrade."""
    return SITE_FILES[name].response(request, FOR_A_YEAR if version == VERSION else CHECK_ALWAYS)


def _hash(body: bytes) -> str:
    return blake2b(body, digest_size=8).hexdigest()


def _read() -> dict[str, bytes]:
    """Returns the files that pages load, by name."""
    sheet = b"\n".join((FOLDER / "css" / f"{name}.css").read_bytes() for name in STYLES)
    names = [name for name in SITE.enum("StaticFile") if name != "site.css"]
    return {"site.css": sheet} | {name: (FOLDER / name).read_bytes() for name in names}


_BODIES = _read()
SITE_FILES = {name: Asset(name, body, FOR_A_YEAR) for name, body in _BODIES.items()}
VERSION = _hash(b"\0".join(_BODIES.values()))
