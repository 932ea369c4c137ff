"""Checks both contracts: `make spec`. Prints each mistake as a sentence with its file, line, operation and cure."""

import sys
from collections.abc import Iterator

from openapi_spec_validator import OpenAPIV30SpecValidator
from openapi_spec_validator.readers import read_from_filename

from todo.contract_rules import SPEC, ContractError, mistakes, parse, repeated_keys, sentence
from todo.startup import CannotStart

FILES = ("openapi.yaml", "site.yaml")


def main() -> None:
    """Exits with 1 if there is anything wrong."""
    wrong = [problem for name in FILES for problem in problems(name)] or list(handler_problems())
    sys.exit("\n".join(wrong) if wrong else 0)


def problems(name: str) -> Iterator[str]:
    """Yields what is wrong with a file: by our own rules, by the specification, and keys that stand twice."""
    text = (SPEC / name).read_text(encoding="utf-8")
    try:
        document = parse(name, text)
    except ContractError as error:
        yield str(error)
        return
    yield from repeated_keys(name, text)
    ours = list(mistakes(name, text, document))
    yield from ours
    if ours:
        return
    whole, address = read_from_filename(str(SPEC / name))
    for found in OpenAPIV30SpecValidator(whole, base_uri=address).iter_errors():
        place = [key if isinstance(key, int) else str(key) for key in found.absolute_path]
        yield sentence(name, text, place, f"{_short(found.message)}: see the OpenAPI 3.0.3 specification")


def handler_problems() -> Iterator[str]:
    """Yields the operation without a handler, or whose handler takes something else, as the start would say it."""
    try:
        from todo.app import create_app
        from todo.config import Settings

        create_app(Settings(service_auth_key=("k" * 32,)))
    except CannotStart as error:
        yield str(error)


def _short(message: str) -> str:
    return " ".join(message.split())[:200].rstrip(".")


if __name__ == "__main__":
    main()
