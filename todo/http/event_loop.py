"""Operations that the contract marks x-on-the-loop: answered on the event loop, where they never wait for a thread."""

from collections.abc import Awaitable, Callable

from connexion.utils import get_function_from_name
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from todo.contract import Operation

Handler = Callable[[Request], Awaitable[Response]]


class OnTheLoop:
    """An ASGI app that answers one operation by its handler, which takes Starlette's request."""

    def __init__(self, operation: Operation) -> None:
        self._handler: Handler = get_function_from_name(operation.handler)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._handler(Request(scope))
        await response(scope, receive, send)
