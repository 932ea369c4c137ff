"""What an assistant knows from the answers it has got: the placeholders of later calls, such as `$id Buy milk`."""

from collections.abc import Iterator
from typing import Any

JSON = dict[str, Any]
SIGN = "$"


class Unknown(Exception):
    """No answer so far holds what a placeholder names."""


def filled(value: Any, answers: list[JSON]) -> Any:
    """Returns a value with its placeholders as the answers have them, the newest first. Raises Unknown.

    `$total` is a member of an answer, `$id Buy milk` a member of the object with that text, name or summary.
    """
    if isinstance(value, str) and value.startswith(SIGN):
        return _find(value, answers)
    if isinstance(value, dict):
        return {name: filled(field, answers) for name, field in value.items()}
    return [filled(item, answers) for item in value] if isinstance(value, list) else value


def _find(placeholder: str, answers: list[JSON]) -> Any:
    member, _, about = placeholder.removeprefix(SIGN).partition(" ")
    for answer in reversed(answers):
        for found in walk(answer):
            if member in found and (not about or about in _names(found)):
                return found[member]
    raise Unknown(placeholder)


def walk(value: Any) -> Iterator[JSON]:
    """Yields the objects in a value, the outer first."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from walk(item)


def _names(found: JSON) -> list[Any]:
    return [found.get(name) for name in ("todo", "title", "summary", "name", "tag")]
