"""An idiomatic FastAPI app with pydantic models built from our contract; to-dos in memory."""

import hmac
import os
from collections import defaultdict
from datetime import UTC, datetime
from types import GenericAlias
from typing import Annotated, Any, Literal, Union

from fastapi import Depends, FastAPI, Header, HTTPException, Path, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, create_model

from todo.contract import API, Operation

JSON = dict[str, Any]

KEY = os.environ["SERVICE_AUTH_KEY"].encode()
OPERATIONS = {operation.id: operation for operation in API.operations}
TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict}
CONSTRAINTS = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "minimum": "ge",
    "maximum": "le",
    "pattern": "pattern",
}


def limits(schema: JSON) -> JSON:
    """Returns a schema's limits as pydantic's field arguments."""
    return {ours: schema[theirs] for theirs, ours in CONSTRAINTS.items() if theirs in schema}


def checked(schema: JSON) -> Any:
    """Returns a type annotation with which pydantic validates a schema of the contract."""
    schema = API.resolve(schema)
    if "oneOf" in schema:
        return Union[tuple(checked(option) for option in schema["oneOf"])]  # noqa: UP007  the options are computed
    if "enum" in schema:
        kind: Any = Literal[tuple(schema["enum"])]
    elif schema["type"] == "array":
        kind = GenericAlias(list, (checked(schema["items"]),))
    else:
        kind = TYPES[schema["type"]]
    kind = Annotated[kind, Field(**limits(schema))]
    return kind | None if schema.get("nullable") else kind


def model(name: str, properties: JSON, required: list[str]) -> Any:
    """Returns a pydantic model with exactly these properties."""
    fields: JSON = {}
    for field, schema in properties.items():
        default = API.resolve(schema).get("default")
        kind = checked(schema)
        fields[field] = (kind, ...) if field in required else (kind if default is not None else kind | None, default)
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


def query_of(operation: Operation) -> JSON:
    """Returns the schemas of an operation's query parameters, by name."""
    return {parameter["name"]: parameter["schema"] for parameter in API.parameters(operation, "query")}


# In variables, as a type checker does not accept a call as a base class.
new_todo: Any = model("NewTodo", API.schema("NewTodo")["properties"], API.schema("NewTodo")["required"])
listing: Any = model("Listing", query_of(OPERATIONS["list_todos"]), [])


class NewTodo(new_todo):
    """The request body of add_todo."""


class Listing(listing):
    """The query parameters of list_todos."""


Username = Annotated[str, Path(**limits(API.schema("Username")))]
IdempotencyKey = Annotated[str | None, Header(**limits(API.schema("RequestId")))]


class Todo(BaseModel):
    """A to-do in a response."""

    id: int
    todo: str
    notes: str | None = None
    due: str | None = None
    priority: str | None = None
    tags: list[str] | None = None
    repeat: str | None = None
    status: str = "open"
    version: int = 1
    created_at: str
    updated_at: str


class Page(BaseModel):
    """A page of a list."""

    todos: list[Todo]
    returned: int
    total: int


app = FastAPI()
bearer = HTTPBearer()
lists: dict[str, list[Todo]] = defaultdict(list)


async def check_key(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> None:
    """Raises HTTPException 401 unless the request carries the key."""
    if not hmac.compare_digest(credentials.credentials.encode(), KEY):
        raise HTTPException(401)


@app.get("/todos/{username}", dependencies=[Depends(check_key)], response_model_exclude_none=True)
async def list_todos(username: Username, query: Annotated[Listing, Query()]) -> Page:
    """Validates every filter, but applies only status and limit."""
    status = query.status or "open"
    found = [todo for todo in lists[username] if todo.status == status]
    page = found[: query.limit]
    return Page(todos=page, returned=len(page), total=len(found))


@app.post("/todos/{username}", status_code=201, dependencies=[Depends(check_key)], response_model_exclude_none=True)
async def add_todo(username: Username, body: NewTodo, idempotency_key: IdempotencyKey = None) -> Todo:  # noqa: ARG001
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    fields = body.model_dump(exclude={"request_id"})
    todo = Todo(id=len(lists[username]) + 1, created_at=now, updated_at=now, **fields)
    lists[username].append(todo)
    return todo
