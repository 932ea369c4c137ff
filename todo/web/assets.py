"""Static files, held in memory: style sheet, scripts and images."""

import mimetypes
from hashlib import blake2b
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"


class Asset:
    """A file that browsers may cache for `max_age` seconds and then revalidate by its ETag."""

    def __init__(self, file: Path, max_age: int) -> None:
        self._body = file.read_bytes()
        self._media_type = mimetypes.guess_type(file.name)[0]
        self._headers = {
            "ETag": f'"{blake2b(self._body, digest_size=16).hexdigest()}"',
            "Cache-Control": f"public, max-age={max_age}",
        }

    def response(self, request: Request) -> Response:
        """Returns the whole file, ignoring Range (RFC 9110 section 14.2), or 304 if the browser has it."""
        if self._matches(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=self._headers)
        return Response(self._body, headers=self._headers, media_type=self._media_type)

    def _matches(self, if_none_match: str) -> bool:
        """Whether an If-None-Match header names this file's ETag, or is * (RFC 9110 section 13.1.2)."""
        tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
        return self._headers["ETag"] in tags or tags == ["*"]
