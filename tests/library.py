"""The handlers, tokens and app of tests/fixtures/library.yaml: a service that knows nothing of to-dos."""

import sys
from functools import partial
from typing import Any, NamedTuple

from connexion import AsyncApp
from connexion.security import NO_VALUE
from starlette.types import ASGIApp

from dev.processes import ROOT
from todo.contract import Contract
from todo.errors.access import InvalidToken
from todo.http import connexion_apps
from todo.http.bodies import Bodies
from todo.http.guard import Guard
from todo.http.operations import CompiledContract
from todo.http.rate_limits import RateLimits
from todo.http.refusals import Refusals
from todo.http.responses import JSONResolver
from todo.http.routes import routes_of

JSON = dict[str, Any]
URL = "http://localhost:8000"
LIBRARY = Contract(ROOT / "tests/fixtures/library.yaml")
SCOPES = ["books:read", "books:write"]


class Reader(NamedTuple):
    """Who calls: somebody with a card, or the house itself with its key."""

    name: str
    grant_id: str | None = None


# Tokens: "key", and for a card its scopes, such as card:books:read+books:write.


async def key(token: str | None, _request: Any) -> Any:
    if token and token.startswith("card:"):
        return NO_VALUE
    if token != "key":
        raise InvalidToken
    return {"sub": Reader("house"), "scope": SCOPES}


async def reader(token: str | None, _request: Any) -> Any:
    if not token or not token.startswith("card:"):
        return NO_VALUE
    return {"sub": Reader("reader", "card"), "scope": token.removeprefix("card:").split("+")}


# Handlers, which tell what the contract has passed to them.


async def list_books(
    username: str, user: Reader, genre: str, limit: int, from_: int | None = None, lent: bool | None = None
) -> JSON:
    return told(locals())


async def add_book(username: str, body: JSON, user: Reader) -> Any:
    return told(locals()), 201, {"Location": f"/shelves/{username}/books/7"}


async def get_book(username: str, book_id: int, user: Reader) -> JSON:
    return told(locals())


async def replace_book(username: str, book_id: int, body: JSON, user: Reader) -> JSON:
    return told(locals())


async def update_book(username: str, book_id: int, body: JSON, user: Reader) -> JSON:
    return told(locals())


async def delete_book(username: str, book_id: int, user: Reader) -> JSON:
    return told(locals())


async def lend_book(username: str, book_id: int, body: JSON, user: Reader) -> JSON:
    return told(locals())


async def return_book(username: str, book_id: int, user: Reader) -> JSON:
    return told(locals())


async def deliver_books(username: str, body: JSON, user: Reader) -> JSON:
    return told(locals())


async def weigh_book(username: str, user: Reader) -> JSON:
    raise NotImplementedError  # it does not take what any operation passes


async def weigh_books(username: str, user: Reader) -> JSON:
    return told(locals())


def told(arguments: JSON) -> JSON:
    """Returns the arguments as they came, without those that did not, and the name of the caller."""
    return {**{name: value for name, value in arguments.items() if value is not None}, "user": arguments["user"].name}


def compiled(limits: RateLimits, contract: Contract = LIBRARY) -> CompiledContract:
    """Returns the operations of the contract. Raises ContractError and CannotCompile."""
    resolver = JSONResolver()
    resolver.function_resolver = lambda name: getattr(sys.modules[__name__], name.rpartition(".")[2])
    middleware = partial(CompiledContract, limits=limits, contract=contract)
    refuse = Refusals([contract], URL, lambda *_: "")
    app = connexion_apps.build(AsyncApp, contract, refuse, resolver=resolver, middlewares=[middleware])
    operations: CompiledContract = app.middleware.app
    return operations


async def nobody_uploads(_scope: Any) -> bool:
    return False


def app(limits: RateLimits) -> ASGIApp:
    """Returns the service, without what is about people: accounts, pages, storage."""
    operations = compiled(limits)
    refuse = Refusals([LIBRARY], URL, lambda *_: "")
    return Guard(routes_of(LIBRARY, operations.__getitem__), refuse=refuse, bodies=Bodies(nobody_uploads))
