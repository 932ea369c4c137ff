"""The two hand-written contracts, their schemas and formats."""

from todo.contract.document import ANY_ORIGIN, API, METHODS, ON_THE_LOOP, SITE, SPEC, Contract, Operation

__all__ = ["ANY_ORIGIN", "API", "METHODS", "ON_THE_LOOP", "SITE", "SPEC", "Contract", "Operation"]
