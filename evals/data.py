"""Reads the data files, in which `many: 80` in an item of a list stands for 80 such items.

{n} in their texts is their number, counted from 1 or what `from` beside `many` says.
"""

from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
MANY, FROM = "many", "from"


def load(name: str) -> Any:
    """Returns what a YAML file of this folder holds."""
    return expanded(yaml.load((FOLDER / name).read_text(encoding="utf-8"), yaml.CSafeLoader))


def expanded(value: Any) -> Any:
    """Returns a value with each item that says `many` as so many items."""
    if isinstance(value, dict):
        return {key: expanded(field) for key, field in value.items()}
    if isinstance(value, list):
        return [expanded(copy) for item in value for copy in _copies(item)]
    return value


def _copies(item: Any) -> list[Any]:
    if not isinstance(item, dict) or MANY not in item:
        return [item]
    plain = {key: field for key, field in item.items() if key not in (MANY, FROM)}
    first = item.get(FROM, 1)
    return [_numbered(plain, number) for number in range(first, first + item[MANY])]


def _numbered(value: Any, number: int) -> Any:
    if isinstance(value, str):
        return value.replace("{n}", str(number))
    if isinstance(value, dict):
        return {key: _numbered(field, number) for key, field in value.items()}
    return [_numbered(item, number) for item in value] if isinstance(value, list) else value
