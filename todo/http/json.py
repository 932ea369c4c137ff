"""JSON bodies, read strictly."""

import re
from typing import Any

import orjson

from todo.errors import InvalidRequest

MAX_NESTED = 16
STRING_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"\s*(:?)', re.DOTALL)


def parse_json(data: bytes) -> Any:
    """Returns the value of a JSON text (RFC 8259). Raises InvalidRequest, also for what parsers disagree on."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise InvalidRequest.of("body", "must be JSON in UTF-8") from None
    keys = 0
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_NESTED):
        keys += sum([len(item) for item in level if isinstance(item, dict)])
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
        if not level:
            break
    else:
        raise InvalidRequest.of("body", "must not be nested so deeply")
    # Where each colon has its key there is none to spare for a key that came twice. Others may stand in texts.
    if keys != data.count(b":") and keys != sum(1 for colon in STRING_TOKEN.findall(data) if colon):
        raise InvalidRequest.of("body", "must not have the same key twice")
    return value


def _children(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value
