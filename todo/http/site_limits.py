"""Rate limits of the site: per account, or per address for visitors without a session."""

from collections.abc import Container

from starlette.types import ASGIApp, Receive, Scope, Send

from todo.http.asgi_scope import TEMPLATE
from todo.http.rate_limits import Kind, RateLimits
from todo.http.session_cookie import session_of

MORE_WRITES = "todo.more_writes"  # scope key: the writes to charge for a form afterwards


class Visitors:
    """An ASGI app in front of the site's, so that no thread is taken for a request over the limit.

    `uncounted` are the paths without a limit: hosts call them (tokens, metadata) for many people from few addresses.
    Raises RateLimited and StorageUnavailable, which the guard answers.
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
        caller = None if scope[TEMPLATE] in self._uncounted else await self._count(scope)
        more: list[int] = []
        scope[MORE_WRITES] = more  # Connexion passes on copies of the scope
        try:
            await self._app(scope, receive, send)
        finally:
            if caller and more:
                await self._limits.charge_more("writes", caller, sum(more))

    async def _count(self, scope: Scope) -> str | None:
        """Charges a request, and returns the account that it was charged to, or None."""
        kind: Kind = "reads" if scope["method"] == "GET" else "writes"
        account = (await session_of(scope)).account
        if not account:
            await self._limits.charge_address(kind, scope)
            return None
        caller = f"account {account.user_id}"
        await self._limits.charge(kind, caller)
        return caller
