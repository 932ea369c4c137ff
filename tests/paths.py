"""Where an operation is called, in the list of somebody."""

from todo.contract import API, Operation


def path_of(operation: Operation, username: str = "kevin", number: int = 1) -> str:
    """Returns the path of an operation about the record with this number, or about the list Trip."""
    ids = {parameter["name"]: number for parameter in API.parameters(operation, "path")}
    return operation.path.format(**{**ids, "username": username, "list": "Trip"})
