"""JSON bodies, parsed strictly."""

import json
from typing import Any

import orjson

from todo.errors import InvalidRequest

MAX_NESTED = 16
ESCAPES = b"\\u003"  # begins the escape of a colon, among others


def parse_json(data: bytes) -> Any:
    """Returns the value of a JSON text (RFC 8259).

    Raises InvalidRequest for invalid JSON or UTF-8, for duplicate keys, on which parsers disagree, and for more than
    MAX_NESTED levels.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise InvalidRequest.of("body", "must be JSON in UTF-8") from None
    if data.count(b"{") + data.count(b"[") > MAX_NESTED:
        _check_nesting(value, MAX_NESTED)
    # A duplicate key is lost in the value, with its colon. Escapes may also stand for colons: then a slower parser
    # decides.
    if orjson.dumps(value).count(b":") != data.count(b":") or ESCAPES in data:
        UNIQUE_KEYS.decode(data.decode())
    return value


def _check_nesting(value: Any, levels: int) -> None:
    """Raises InvalidRequest if a list or an object has more than this many levels."""
    if levels == 0:
        raise InvalidRequest.of("body", "must not be nested so deeply")
    for child in value.values() if isinstance(value, dict) else value:
        if isinstance(child, dict | list):
            _check_nesting(child, levels - 1)


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise InvalidRequest.of("body", "must not have the same key twice")


# Numbers stay text: Python refuses to convert one of thousands of digits.
UNIQUE_KEYS = json.JSONDecoder(object_pairs_hook=_unique, parse_int=str, parse_float=str)
