"""Operations marked x-on-the-loop: answered on the event loop, without a thread."""

from collections.abc import Awaitable, Callable

from connexion.utils import get_function_from_name
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from todo.contract import Operation
from todo.http.rate_limits import RateLimits
from todo.http.session_cookie import is_signed_in

Handler = Callable[[Request], Awaitable[Response]]


class OnTheLoop:
    """An ASGI app for one operation, whose handler takes a Starlette request.

    If the contract lists 429, anonymous requests are rate limited by address.
    """

    def __init__(self, operation: Operation, limits: RateLimits) -> None:
        self._limits = limits
        self._is_limited = "429" in operation.spec["responses"]
        self._handler: Handler = get_function_from_name(operation.handler)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_limited and not await is_signed_in(scope):
            await self._limits.charge_address("reads", scope)
        response = await self._handler(Request(scope))
        await response(scope, receive, send)
