"""Handlers of the tag health: a platform's health checks, answered without a thread."""

import asyncio
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from todo.service import current
from todo.storage.database import read
from todo.storage.engine import Engine

# One at a time, instead of a rate limit: a platform that gets a 429 would restart the service.
_checks: WeakKeyDictionary[Engine, asyncio.Future[object]] = WeakKeyDictionary()


async def check_process(request: Request) -> Response:  # noqa: ARG001
    return JSONResponse({"status": "ok"})


async def check_database(request: Request) -> Response:  # noqa: ARG001
    engine = current.get().engine
    check = _checks.get(engine)
    if check is None or check.done():
        check = _checks[engine] = asyncio.ensure_future(read(lambda connection: connection.database_answers()))
    await asyncio.shield(check)
    return JSONResponse({"status": "ok"})
