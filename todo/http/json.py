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
    objects, colons = data.count(b"{"), data.count(b":")
    if objects + data.count(b"[") > MAX_NESTED:
        keys = _count_keys(value)
    else:
        keys = len(value) if objects == 1 and isinstance(value, dict) else 0
    # With a key for each colon, no key came twice. Text may hold colons as well: then a slower parser finds out.
    if keys != colons:
        UNIQUE_KEYS.decode(data.decode())
    return value


def _count_keys(value: Any) -> int:
    """Returns how many keys all objects have together. Raises InvalidRequest for too deep nesting."""
    keys = 0
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_NESTED):
        keys += sum([len(item) for item in level if isinstance(item, dict)])
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
        if not level:
            return keys
    raise InvalidRequest.of("body", "must not be nested so deeply")


def _children(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise InvalidRequest.of("body", "must not have the same key twice")


# Numbers stay text: Python refuses to convert one of thousands of digits.
UNIQUE_KEYS = json.JSONDecoder(object_pairs_hook=_unique, parse_int=str, parse_float=str)
