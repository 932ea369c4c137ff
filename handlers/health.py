"""The operations of the tag health: what a platform asks, on the event loop, so that no busy thread delays them."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from todo.storage.engine import peek


async def check_process(request: Request) -> Response:  # noqa: ARG001
    return JSONResponse({"status": "ok"})


async def check_database(request: Request) -> Response:  # noqa: ARG001
    await peek(lambda connection: connection.database_answers())
    return JSONResponse({"status": "ok"})
