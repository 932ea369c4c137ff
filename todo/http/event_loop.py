"""The operations that the contract marks x-on-the-loop: answered on the event loop, where they never wait for a thread.

Each handler takes Starlette's request and returns its response.
"""

from collections.abc import Awaitable, Callable

from connexion.utils import get_function_from_name
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from todo.contract import Contract
from todo.http.guard import TEMPLATE

Handler = Callable[[Request], Awaitable[Response]]


class OnTheLoop:
    """Serves every operation of a contract by the handler that it names. The guard answers for what one raises."""

    def __init__(self, contract: Contract) -> None:
        self._handlers: dict[tuple[str, str], Handler] = {
            (operation.path, operation.method): get_function_from_name(operation.handler)
            for operation in contract.operations
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._handlers[scope[TEMPLATE], scope["method"]](Request(scope))
        await response(scope, receive, send)
