"""Tags: the labels of a to-do, without duplicates, ignoring case and width."""

from collections.abc import Iterable
from typing import Any

from todo.contract import API
from todo.domain.folding import fold
from todo.errors import InvalidRequest

JSON = dict[str, Any]
Tags = tuple[str, ...]

MAX_TAGS = int(API.schema("Tags")["maxItems"])
ADD, REMOVE = "add_tags", "remove_tags"
EDITS = (ADD, REMOVE)


def cleaned(given: Iterable[str]) -> Tags:
    """Returns the tags trimmed, each in its first spelling."""
    unique: dict[str, str] = {}
    for tag in given:
        unique.setdefault(fold(tag), tag.strip())
    return tuple(unique.values())


def edited(tags: Tags, update: JSON) -> Tags:
    """Returns the tags after the EDITS in an update: first it removes, then it adds. Raises InvalidRequest."""
    removed = {fold(tag) for tag in update.get(REMOVE, ())}
    all_tags = cleaned([*(tag for tag in tags if fold(tag) not in removed), *update.get(ADD, ())])
    if len(all_tags) > MAX_TAGS:
        raise InvalidRequest.of(ADD, f"would make {len(all_tags)} tags; a to-do has at most {MAX_TAGS}")
    return all_tags
