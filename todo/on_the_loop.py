"""The operations that the contract marks x-on-the-loop: answered on the event loop, where they never wait for a thread.

Each handler takes Starlette's request and returns its response.
"""

from collections.abc import Awaitable, Callable

from connexion.utils import get_function_from_name
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from todo.contract import Contract
from todo.guard import TEMPLATE

Handler = Callable[[Request], Awaitable[Response]]


class OnTheLoop:
    """An ASGI app behind the guard that serves every operation of a contract by the handler that it names."""

    def __init__(self, contract: Contract, refuse: Callable[[Scope, Exception], Response]) -> None:
        self._refuse = refuse
        self._handlers: dict[tuple[str, str], Handler] = {
            (operation.path, operation.method): get_function_from_name(operation.handler)
            for operation in contract.operations
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._handlers[scope[TEMPLATE], scope["method"]](Request(scope))
        except Exception as error:
            response = self._refuse(scope, error)
        await response(scope, receive, send)
