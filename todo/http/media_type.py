"""The media type of a request's body."""

import re
from collections.abc import Mapping
from functools import lru_cache

from werkzeug.http import parse_options_header

from todo.errors import UnsupportedMediaType

JSON = "application/json"
UPLOAD = "multipart/form-data"
_parsed = lru_cache(maxsize=64)(parse_options_header)  # a program sends the same one with each call
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,70}")  # RFC 2046 section 5.1.1


def media_type_of(headers: Mapping[bytes, bytes], accepted: list[str], body: bytes) -> str:
    """Returns the media type of a body, in lower case; for an upload, the header with its boundary.

    Without a body or a Content-Type, it is the first of `accepted`. Raises UnsupportedMediaType for one that is not
    accepted, not in UTF-8, or compressed.
    """
    usual = accepted[0] if accepted else JSON
    if not (body and accepted):
        return usual
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMediaType
    given = headers.get(b"content-type")
    if given is None or (given == b"application/json" and usual == JSON):  # like nearly every call
        return usual
    return _parse(given.decode("latin-1"), accepted)


def _parse(header: str, accepted: list[str]) -> str:
    name, options = _parsed(header)
    name = name.lower()
    if name not in accepted:
        raise UnsupportedMediaType
    if name == UPLOAD and options.keys() == {"boundary"} and BOUNDARY.fullmatch(options["boundary"]):
        return header  # the parser of uploads treats quotes in its own way
    if options.keys() - {"charset"} or options.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType
    return name
