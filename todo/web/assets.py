"""Files that never change while the service runs, kept in memory: style, scripts and pictures."""

import mimetypes
from hashlib import blake2b
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"


class Asset:
    """One file, which a browser may keep for so many seconds and then asks for by its entity tag."""

    def __init__(self, file: Path, max_age: int) -> None:
        self._body = file.read_bytes()
        self._media_type = mimetypes.guess_type(file.name)[0]
        self._headers = {
            "ETag": f'"{blake2b(self._body, digest_size=16).hexdigest()}"',
            "Cache-Control": f"public, max-age={max_age}",
        }

    def response(self, request: Request) -> Response:
        """Returns all of it, whatever Range asks for (RFC 9110 section 14.2), or 304 where the browser has it."""
        if self._is_known(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=self._headers)
        return Response(self._body, headers=self._headers, media_type=self._media_type)

    def _is_known(self, if_none_match: str) -> bool:
        """Whether an entity tag is among those given, or any would do (RFC 9110 section 13.1.2)."""
        given = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
        return self._headers["ETag"] in given or given == ["*"]
