"""Path, query and header parameters: parsed and validated by the contract."""

import re
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers

from todo.contract import messages
from todo.contract.names import suggestion
from todo.contract.schemas import find_errors, safe_name
from todo.errors import FieldError

TRUTH = {"true": True, "false": False}
WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")


def read_parameter(schema: dict[str, Any], values: list[str]) -> Any:
    """Returns a parameter's value: an int or a bool if the schema wants one and it is one; a list if repeated."""
    if len(values) > 1:
        return values
    (value,) = values
    if schema.get("type") == "integer" and isinstance(value, str) and WHOLE_NUMBER.fullmatch(value):
        return int(value)
    return TRUTH.get(value, value) if schema.get("type") == "boolean" else value


def read_headers(headers: Headers, parameters: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Returns the contract's header parameters, in its spelling; a repeated one is a list."""
    found = {parameter["name"]: headers.getlist(parameter["name"]) for parameter in parameters}
    return {name: read_parameter({}, values) for name, values in found.items() if values}


def parameter_errors(parameters: list[dict[str, Any]], given: dict[str, dict[str, Any]]) -> list[FieldError]:
    """Returns the errors in the given path, query and header values."""
    names = [parameter["name"] for parameter in parameters if parameter["in"] == "query"]
    known = f"known are {', '.join(names)}" if names else "this operation has no query parameters; leave it out"
    unknown = [] if any(map(_takes_others, parameters)) else [name for name in given["query"] if name not in names]
    all_names = [parameter["name"] for parameter in parameters if parameter["in"] != "header"]
    everything = {**given["path"], **given["query"]}
    errors = [
        FieldError(safe_name(name), f"is not known here{suggestion(name, all_names, everything)}; {known}")
        for name in unknown
    ]
    for place in ("path", "query", "header"):
        for parameter in parameters:
            if parameter["in"] == place:
                errors += _parameter_errors(parameter, given[place])
    return errors


def _takes_others(parameter: dict[str, Any]) -> bool:
    """Whether it is an exploded object, which accepts any parameters that the contract does not name."""
    return bool(parameter["in"] == "query" and parameter["schema"].get("type") == "object")


def _parameter_errors(parameter: dict[str, Any], given: dict[str, Any]) -> list[FieldError]:
    name = parameter["name"]
    if name not in given:
        return [FieldError(name, messages.of_missing(parameter["schema"]))] if parameter.get("required") else []
    if isinstance(given[name], list):
        # Only a tool call can have several values in a path.
        several = "; for several call once for each" if parameter["in"] == "path" else ", given only once"
        return [FieldError(name, f"must be one value{several}")]
    # A URL cannot express null.
    return find_errors({**parameter["schema"], "nullable": False}, given[name], at=name)
