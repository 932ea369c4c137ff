"""The two OpenAPI contracts in spec/, JSON Schema validation and custom formats."""

from todo.contract.document import ANY_ORIGIN, API, ON_THE_LOOP, SITE, Contract, Operation
from todo.contract_rules import METHODS, SPEC, ContractError

__all__ = ["ANY_ORIGIN", "API", "METHODS", "ON_THE_LOOP", "SITE", "SPEC", "Contract", "ContractError", "Operation"]
