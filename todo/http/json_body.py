"""JSON bodies, parsed strictly."""

import json
from typing import Any

import orjson

from todo.errors import InvalidRequest

MAX_NESTED = 16


def parse_json(data: bytes) -> Any:
    """Returns the value of a JSON text (RFC 8259).

    Raises InvalidRequest for invalid JSON or UTF-8, for duplicate keys, on which parsers disagree, and for more than
    MAX_NESTED levels.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise InvalidRequest.of("body", "must be JSON in UTF-8") from None
    # If every colon has its key, there are no duplicates. Text may contain colons too: then a slower parser decides.
    if _count_keys(value, MAX_NESTED) != data.count(b":"):
        UNIQUE_KEYS.decode(data.decode())
    return value


def _count_keys(value: Any, levels: int) -> int:
    """Returns the number of keys in all objects of a value. Raises InvalidRequest if it is nested too deeply."""
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
