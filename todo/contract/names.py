"""Names of fields and parameters: aliases that are accepted, and suggestions for names that callers make up."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from todo.contract.document import API

Value = TypeVar("Value")

_PAIRS: dict[str, str] = API.document["info"]["x-aliases"]
ALIASES = {**_PAIRS, **{other: name for name, other in _PAIRS.items()}}
MISNOMERS: dict[str, list[str]] = API.document["info"]["x-misnomers"]
ELSEWHERE: dict[str, list[str]] = API.document["info"]["x-elsewhere"]
LIKENESS = 0.8  # of two names, one of which is probably mistyped
LONGEST = 64  # characters of a name that is compared with the known ones


def aliases_of(known: Collection[str]) -> dict[str, str]:
    """Returns the aliases that are accepted for known names, each with the known name."""
    return {name: other for name, other in ALIASES.items() if other in known and name not in known}


def rename(given: Mapping[str, Value], aliases: Mapping[str, str]) -> dict[str, Value]:
    """Returns the values under their known names. An alias stays, to be refused, if its known name is given too."""
    return {name if aliases.get(name, name) in given else aliases[name]: value for name, value in given.items()}


def suggestion(name: str, known: Collection[str], given: Collection[str]) -> str:
    """Returns, in parentheses, what to do about an unknown name; "" if there is no good guess."""
    alias = aliases_of(known).get(name)
    if alias in given:
        return f" (it is another name of {alias}; send one of them)"
    plain = name[:LONGEST].lower().replace("-", "_")
    meant = [field for field in known if plain in map(str.lower, MISNOMERS.get(field, ()))]
    meant += get_close_matches(plain, known, n=1, cutoff=LIKENESS)
    if meant:
        return f" (did you mean {meant[0]}?)"
    tools = [tool for tool, names in ELSEWHERE.items() if plain in names]
    return f" (leave it out, and use {tools[0]} for that)" if tools else ""


def as_known(schema: Mapping[str, Any], value: Any) -> Any:
    """Returns a JSON value with aliases renamed to the schema's own field names, at any depth."""
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        aliases = aliases_of(fields)
        renamed = rename(value, aliases) if not aliases.keys().isdisjoint(value) else value
        return {name: as_known(fields.get(name, {}), field) for name, field in renamed.items()}
    return [as_known(schema.get("items", {}), item) for item in value] if isinstance(value, list) else value
