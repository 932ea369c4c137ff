"""The operations of the tag health: what a platform asks, without a thread of the pages, which may all be busy."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from todo.storage.database import read


async def check_process(request: Request) -> Response:  # noqa: ARG001
    return JSONResponse({"status": "ok"})


async def check_database(request: Request) -> Response:  # noqa: ARG001
    await read(lambda connection: connection.database_answers())
    return JSONResponse({"status": "ok"})
