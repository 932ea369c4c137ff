"""Who visits the site: a signed-in person or an address, counted by the rate limits before any thread is taken."""

from collections.abc import Container

from starlette.types import ASGIApp, Receive, Scope, Send

from todo.http.cookies import account_of
from todo.http.rate_limits import Kind, RateLimits
from todo.http.scope import TEMPLATE


class Visitors:
    """An ASGI app in front of the site's. The guard answers for what it raises: RateLimited, StorageUnavailable.

    What hosts call for many people from few addresses (`uncounted` paths: tokens and metadata) is counted by nobody's.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: RateLimits,
        uncounted: Container[str],
    ) -> None:
        self._app = app
        self._limits = limits
        self._uncounted = uncounted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope[TEMPLATE] not in self._uncounted:
            await self._count(scope)
        await self._app(scope, receive, send)

    async def _count(self, scope: Scope) -> None:
        kind: Kind = "reads" if scope["method"] == "GET" else "writes"
        account = await account_of(scope)
        if account:
            await self._limits.charge(kind, f"account {account.user_id}")
        else:
            await self._limits.charge_address(kind, scope)
