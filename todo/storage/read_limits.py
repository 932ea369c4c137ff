"""Time limits for reads."""

from collections.abc import Callable
from typing import Any, TypeVar

from todo.contract import API

READ_SECONDS = API.limit("read_seconds")
EXPORT_SECONDS = API.limit("export_seconds")

Rule = TypeVar("Rule", bound=Callable[..., Any])


def exports(rule: Rule) -> Rule:
    """Marks a rule that reads a whole list, which may take EXPORT_SECONDS."""
    rule.read_seconds = EXPORT_SECONDS  # type: ignore[attr-defined]
    return rule


def seconds_for(rule: Callable[..., Any]) -> float:
    """Returns the rule's time limit in seconds."""
    return float(getattr(rule, "read_seconds", READ_SECONDS))
