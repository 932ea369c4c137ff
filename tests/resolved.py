"""The contracts with every reference resolved."""

from functools import cache
from typing import Any

from connexion.spec import Specification

from todo.contract import Contract


@cache  # a second for each
def resolved(contract: Contract) -> Any:
    """Returns the document, which all that read it share."""
    return Specification.load(contract.document).spec
