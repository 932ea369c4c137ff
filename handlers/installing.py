"""Handlers of the tag installing: what installs the pages as an app, sent from memory on the event loop."""

from starlette.requests import Request
from starlette.responses import Response

from todo.http.asgi_scope import PATH_VALUES
from todo.web import installation


async def get_web_manifest(request: Request) -> Response:
    return installation.MANIFEST.response(request)


async def get_icon(request: Request) -> Response:
    return installation.ICONS[request.scope[PATH_VALUES]["file"]].response(request)


async def get_service_worker(request: Request) -> Response:
    return installation.SERVICE_WORKER.response(request)
