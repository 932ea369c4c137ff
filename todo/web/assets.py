"""Static files, held in memory. URLs of scripts and the style sheet have a hash, so browsers keep them for a year."""

import mimetypes
from hashlib import blake2b
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
STYLES = ("tokens", "base", "forms", "list", "history", "pages")  # one sheet, in this order

FOR_A_YEAR = "public, max-age=31536000, immutable"
CHECK_ALWAYS = "no-cache"  # keep it, but ask whether it has changed before each use


class Asset:
    """A file that browsers may cache as `cache_control` says, and then revalidate by its ETag."""

    def __init__(self, name: str, body: bytes, cache_control: str) -> None:
        self._body = body
        self._media_type = mimetypes.guess_type(name)[0]
        self._etag = f'"{_hash(body)}"'
        self._cache_control = cache_control

    @classmethod
    def of_file(cls, file: Path, max_age: int) -> "Asset":
        """Returns a file that browsers may keep for `max_age` seconds."""
        return cls(file.name, file.read_bytes(), f"public, max-age={max_age}")

    def response(self, request: Request, cache_control: str = "") -> Response:
        """Returns the whole file, ignoring Range (RFC 9110 section 14.2), or 304 if the browser has it."""
        headers = {"ETag": self._etag, "Cache-Control": cache_control or self._cache_control}
        if self._matches(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        return Response(self._body, headers=headers, media_type=self._media_type)

    def _matches(self, if_none_match: str) -> bool:
        """Whether an If-None-Match header names this file's ETag, or is * (RFC 9110 section 13.1.2)."""
        tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
        return self._etag in tags or tags == ["*"]


def url(name: str) -> str:
    """Returns the URL of a script or of the style sheet. Scripts import each other by relative URLs of one version."""
    return f"/static/{VERSION}/{name}"


def of_version(version: str, name: str, request: Request) -> Response:
    """Returns a script or the style sheet. One of another version is today's, for a page from before an upgrade."""
    return SITE_FILES[name].response(request, FOR_A_YEAR if version == VERSION else CHECK_ALWAYS)


def _hash(body: bytes) -> str:
    return blake2b(body, digest_size=8).hexdigest()


def _site_files() -> dict[str, bytes]:
    sheet = b"\n".join((FOLDER / "css" / f"{name}.css").read_bytes() for name in STYLES)
    return {"site.css": sheet} | {file.name: file.read_bytes() for file in sorted(FOLDER.glob("*.js"))}


SITE_FILES = {name: Asset(name, body, FOR_A_YEAR) for name, body in _site_files().items()}
VERSION = _hash(b"\0".join(_site_files().values()))
