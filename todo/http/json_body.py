"""JSON bodies, parsed strictly."""

import json
from typing import Any

import orjson

from todo.errors import InvalidRequest

MAX_NESTED = 16


def parse_json(data: bytes) -> Any:
    """Returns the value of a JSON text (RFC 8259).

    Raises InvalidRequest for what is no JSON in UTF-8, for a key that comes twice in an object, which parsers disagree
    on, and for more than MAX_NESTED objects and arrays within each other.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise InvalidRequest.of("body", "must be JSON in UTF-8") from None
    # With a key for each colon, no key came twice. Text may hold colons as well: then a slower parser finds out.
    if _count_keys(value, MAX_NESTED) != data.count(b":"):
        UNIQUE_KEYS.decode(data.decode())
    return value


def _count_keys(value: Any, levels: int) -> int:
    """Returns how many keys all objects in a value have together. Raises InvalidRequest for too deep nesting."""
    if not isinstance(value, dict | list):
        return 0
    if levels == 0:
        raise InvalidRequest.of("body", "must not be nested so deeply")
    children, keys = (value.values(), len(value)) if isinstance(value, dict) else (value, 0)
    for child in children:
        if isinstance(child, dict | list):
            keys += _count_keys(child, levels - 1)
    return keys


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise InvalidRequest.of("body", "must not have the same key twice")


# Numbers stay text: Python refuses to convert one of thousands of digits.
UNIQUE_KEYS = json.JSONDecoder(object_pairs_hook=_unique, parse_int=str, parse_float=str)
