"""How long a read may take."""

from collections.abc import Callable
from typing import Any, TypeVar

from todo.contract import API

READ_SECONDS = API.limit("read_seconds")
EXPORT_SECONDS = API.limit("export_seconds")

Rule = TypeVar("Rule", bound=Callable[..., Any])


def exports(rule: Rule) -> Rule:
    """Marks a rule that reads a whole list with all that belongs to it."""
    rule.read_seconds = EXPORT_SECONDS  # type: ignore[attr-defined]
    return rule


def seconds_for(rule: Callable[..., Any]) -> float:
    """Returns how long the rule may read."""
    return float(getattr(rule, "read_seconds", READ_SECONDS))
