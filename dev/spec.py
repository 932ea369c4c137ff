"""Checks both contracts: `make spec`. Prints each mistake as a sentence with its file, line, operation and cure."""

import sys
from collections.abc import Iterator

from openapi_spec_validator import OpenAPIV30SpecValidator
from openapi_spec_validator.readers import read_from_filename

from todo.contract_rules import SPEC, ContractError, forbidden, mistakes, parse, repeated_keys, sentence
from todo.startup import CannotStart

FILES = ("openapi.yaml", "site.yaml")


def main() -> None:
    """Exits with 1 if there is anything wrong. What one check finds could stop the next with a traceback."""
    for check in (our_rules, handler_problems, the_specification):
        wrong = list(check())
        if wrong:
            sys.exit("\n".join(wrong))


def our_rules() -> Iterator[str]:
    """Yields what the start would refuse too, and keys that stand twice."""
    for name in FILES:
        text = (SPEC / name).read_text(encoding="utf-8")
        try:
            document = parse(name, text)
        except ContractError as error:
            yield str(error)
            continue
        yield from repeated_keys(name, text)
        yield from mistakes(name, text, document)


def the_specification() -> Iterator[str]:
    """Yields what OpenAPI 3.0.3 forbids."""
    for name in FILES:
        document, address = read_from_filename(str(SPEC / name))
        text = (SPEC / name).read_text(encoding="utf-8")
        for found in OpenAPIV30SpecValidator(document, base_uri=address).iter_errors():
            place = [key if isinstance(key, int) else str(key) for key in found.absolute_path]
            yield sentence(name, text, place, forbidden(found.message))


def handler_problems() -> Iterator[str]:
    """Yields the operation without a handler, or whose handler takes something else, as the start would say it."""
    try:
        from todo.app import create_app
        from todo.config import Settings

        create_app(Settings(service_auth_key=("k" * 32,)))
    except CannotStart as error:
        yield str(error)


if __name__ == "__main__":
    main()
