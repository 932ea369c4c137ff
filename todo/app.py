"""create_app: the only place where the parts meet."""

import logging
import traceback
import zoneinfo
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Literal

from connexion import AsyncApp, FlaskApp
from connexion.exceptions import ProblemException
from connexion.lifecycle import ConnexionResponse
from connexion.options import SwaggerUIOptions
from flask import Response as FlaskResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from todo import manifest
from todo.accounts import bearer
from todo.config import Settings
from todo.contract import ANY_ORIGIN, API, ON_THE_LOOP, SITE, Contract
from todo.errors import (
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    Refusal,
    Unauthorized,
    UnsupportedMediaType,
)
from todo.http.access_log import AccessLog
from todo.http.bodies import Bodies
from todo.http.bridge import Bridge
from todo.http.cookies import is_signed_in
from todo.http.cors import CORS
from todo.http.event_loop import OnTheLoop
from todo.http.guard import ForConnexion, Guard, routes_of
from todo.http.operations import CompiledContract
from todo.http.problems import ProblemResponse
from todo.http.rate_limits import RateLimits
from todo.http.refusals import Refusals
from todo.http.responses import JSONResolver
from todo.http.validators import VALIDATORS, FormURIParser, StrictURIParser
from todo.http.visitors import Visitors
from todo.mcp.endpoint import Endpoint
from todo.oauth.metadata import resources_of
from todo.service import Service, current
from todo.storage.database import open_engine
from todo.storage.engine import Engine

log = logging.getLogger(__name__)

PACKAGE = "todo"

# The pinned tzdata knows newer rules than the machine's own tables, and is the same everywhere.
zoneinfo.reset_tzpath(to=())
# Connexion warns, with each request, of every operation that takes a form and JSON alike.
logging.getLogger("connexion.operations.openapi3").setLevel(logging.ERROR)


def create_app(settings: Settings, engine: Literal["compiled", "connexion"] = "compiled") -> ASGIApp:
    """Returns the service as one ASGI app. Raises ManifestError and CannotCompile for what can never work.

    `engine` is what serves openapi.yaml: the compiled contract, or Connexion's stock middleware, its oracle in tests.
    """
    service = _service(settings)
    refusals = Refusals([API, SITE], settings.public_url)
    limits = RateLimits(
        settings.reads_per_minute, settings.writes_per_minute, settings.redis_url, proxies=settings.proxies
    )
    compiled = [partial(CompiledContract, refuse=partial(_refuse, refusals), limits=limits)]
    middlewares = compiled if engine == "compiled" else None
    resolver = JSONResolver(settings.public_url)
    api = _connexion(AsyncApp, API, refusals, resolver=resolver, middlewares=middlewares)
    flask = {"template_folder": "web/templates", "static_folder": None}
    threaded, on_the_loop = SITE.without(ON_THE_LOOP), SITE.only(ON_THE_LOOP)
    site = _connexion(FlaskApp, threaded, refusals, FormURIParser, server_args=flask)
    open_to_all = {operation.path for operation in SITE.operations if ANY_ORIGIN in operation.spec}
    site._middleware_app.asgi_app = Bridge(site.app.wsgi_app, settings.proxies)
    site.app.after_request(_without_date)
    site.app.json.sort_keys = False  # a contract reads best in the order it was written
    refusals.page = site.app.jinja_env.get_template("refused.html").render
    mcp = Endpoint(
        API,
        public_url=settings.public_url,
        origins=settings.cors_origins,
        refuse=partial(_problem, refusals),
        limits=limits,
    )
    # The compiled contract stands outermost in its Connexion app, and is all of it that a request needs.
    served = api.middleware.app if engine == "compiled" else ForConnexion(api)
    guard = Guard(
        [
            *mcp.routes,
            *routes_of(API, served),
            *routes_of(threaded, Visitors(ForConnexion(site), limits, open_to_all)),
            *routes_of(on_the_loop, OnTheLoop(on_the_loop)),
        ],
        refuse=partial(_problem, refusals),
        bodies=Bodies(may_upload=is_signed_in),
    )
    mcp.service = guard  # a call over MCP comes from within: no browser sent it, and it has the context and the log
    cors = CORS(_with_context(guard, service), settings.cors_origins, settings.public_url, open_to_all)
    return _with_lifespan(AccessLog(cors), service.engine, limits)


def _without_date(response: FlaskResponse) -> FlaskResponse:
    """Returns what Flask answers without the date that it gives to files: the server adds it to every answer."""
    response.headers.pop("Date", None)
    return response


def _connexion(
    kind: type,
    document: Contract,
    refusals: Refusals,
    uri_parser: type[StrictURIParser] = StrictURIParser,
    **options: Any,
) -> Any:
    """Returns a Connexion app of this kind for one contract, built now so that a wrong contract stops the start."""
    app = kind(
        PACKAGE,
        strict_validation=True,
        pythonic_params=True,  # a parameter named `from` reaches its handler as `from_`
        uri_parser_class=uri_parser,
        validator_map=VALIDATORS,
        swagger_ui_options=SwaggerUIOptions(swagger_ui=False, serve_spec=False),
        **options,
    )
    app.add_api(document.document, base_path="")
    for error in (Exception, HTTPException, ProblemException):
        app.add_error_handler(error, _problem_handler(refusals))
    app.middleware.app, app.middleware.middleware_stack = app.middleware._build_middleware_stack()
    return app


# What Connexion, Starlette and Flask refuse by themselves, in our words.
BY_STATUS: dict[int, Callable[[], Refusal]] = {
    400: lambda: InvalidRequest.of("body", "is required"),  # all else about a request is checked by our own validators
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: lambda: MethodNotAllowed([]),
    415: UnsupportedMediaType,
}


def _problem(refusals: Refusals, scope: Scope, error: Exception) -> ProblemResponse:
    """Returns the answer for what went wrong, and logs it where it is a fault of ours."""
    status = getattr(error, "status", getattr(error, "status_code", None))
    if not isinstance(error, Refusal) and status in BY_STATUS:
        error = BY_STATUS[status]()
    if not isinstance(error, Refusal):
        # The message of an exception may quote what a caller wrote, so only its kind and its place are logged.
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        log.error("%s\n%s", type(error).__name__, "".join(traceback.format_list(frames)))
    return refusals(scope, error)


def _refuse(refusals: Refusals, scope: Scope, error: Exception) -> Response:
    problem = _problem(refusals, scope, error)
    return Response(problem.body, problem.status, problem.headers)


def _problem_handler(refusals: Refusals) -> Callable[[Any, Exception], Any]:
    async def handle(request: Any, error: Exception) -> ConnexionResponse:
        problem = _problem(refusals, request.scope, error)
        return ConnexionResponse(problem.status, body=problem.body, headers=problem.headers)

    return handle


def _with_context(app: ASGIApp, service: Service) -> ASGIApp:
    """Returns `app` with this very service as `current` for whoever answers its requests."""

    def run(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        current.set(service)
        return app(scope, receive, send)

    return run


def _service(settings: Settings) -> Service:
    """Returns what handlers reach through `current`. Raises ManifestError."""
    return Service(
        engine=open_engine(settings.database_url),
        settings=settings,
        key_digests=tuple(map(bearer.digest, settings.service_auth_key)),
        resources=resources_of(settings.public_url),
        # The prefix makes browsers keep it to this very host and to TLS.
        session_cookie="__Host-session" if settings.public_url.startswith("https:") else "session",
        manifest=manifest.build(settings),
    )


def _with_lifespan(app: ASGIApp, engine: Engine, limits: RateLimits) -> ASGIApp:
    """Returns `app` with the database open as long as the server runs it."""

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        engine.start()
        yield
        await limits.close()
        engine.stop()

    router = Router(lifespan=lifespan)

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        await (router if scope["type"] == "lifespan" else app)(scope, receive, send)

    return run
