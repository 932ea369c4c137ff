"""The contract's limits, for peers that declare their own models."""

from todo.contract import API

MAX_TEXT: int = API.schema("TodoText")["maxLength"]

_list_todos = next(operation for operation in API.operations if operation.id == "list_todos")
_limit = next(each["schema"] for each in API.parameters(_list_todos, "query") if each["name"] == "limit")
DEFAULT_LIMIT: int = _limit["default"]
MAX_LIMIT: int = _limit["maximum"]
