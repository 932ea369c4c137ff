"""create_app: the only place where the parts meet."""

import logging
import traceback
import zoneinfo
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial, wraps
from typing import Any, Literal, cast

import orjson
from connexion import AsyncApp, FlaskApp
from connexion.exceptions import ProblemException
from connexion.lifecycle import ConnexionResponse
from connexion.options import SwaggerUIOptions
from connexion.resolver import Resolver
from flask import Response as FlaskResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
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
    OriginNotAllowed,
    ProblemResponse,
    Refusal,
    Unauthorized,
    UnsupportedMediaType,
    problem_response,
)
from todo.http.access_log import REQUEST_ID, AccessLog
from todo.http.bodies import Bodies
from todo.http.bridge import Bridge
from todo.http.cookies import is_signed_in, session_cookie
from todo.http.event_loop import OnTheLoop
from todo.http.guard import ForConnexion, Guard, headers_of, routes_of
from todo.http.operations import CompiledContract
from todo.http.problems import Refusals
from todo.http.rate_limits import RateLimits
from todo.http.validators import VALIDATORS, FormURIParser, StrictURIParser
from todo.http.visitors import Visitors
from todo.mcp.endpoint import Endpoint
from todo.oauth.metadata import resources_of
from todo.storage.engine import Engine, current_engine, open_engine
from todo.web.browser import cookie_name

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
    database = open_engine(settings.database_url)
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
    site.app.config.update(SETTINGS=settings, ENGINE=database, MANIFEST=manifest.build(settings))
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
    cors = CORS(_with_context(guard, database, settings), settings, open_to_all)
    return _with_lifespan(AccessLog(cors), database, limits)


def _without_date(response: FlaskResponse) -> FlaskResponse:
    """Returns what Flask answers without the date that it gives to files: the server adds it to every answer."""
    response.headers.pop("Date", None)
    return response


class JSONResolver(Resolver):
    """Finds the handlers of openapi.yaml, and sends as JSON what they return: value, or (value, status, headers).

    Rules know no address of the service, so theirs begin with a slash and are made whole here. No text of a to-do looks
    like one: in JSON its quotation marks stand behind backslashes.
    """

    def __init__(self, public_url: str) -> None:
        super().__init__()
        self.respond = partial(JSONResponse, b'"url":"' + public_url.encode() + b"/")

    def resolve_function_from_operation_id(self, operation_id: str) -> Callable[..., Any]:
        handler = super().resolve_function_from_operation_id(operation_id)

        @wraps(handler)
        async def respond(**arguments: Any) -> Response:
            returned = await handler(**arguments)
            return self.respond(*returned) if isinstance(returned, tuple) else self.respond(returned)

        return respond


class JSONResponse(Response):
    """A value as JSON, which nobody may keep; `whole` is how an address of this service begins."""

    def __init__(
        self, whole: bytes, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.whole = whole
        super().__init__(content, status_code, headers)

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content).replace(b'"url":"/', self.whole)

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        self.raw_headers = [
            (b"content-type", b"application/json"),
            (b"cache-control", b"no-store"),
            (b"content-length", str(len(self.body)).encode()),
            *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()),
        ]


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


def _with_context(app: ASGIApp, engine: Engine, settings: Settings) -> ASGIApp:
    """Returns `app` with what handlers and security functions of this very app reach through context variables."""
    digests = tuple(map(bearer.digest, settings.service_auth_key))
    resources = resources_of(settings.public_url)
    cookie = cookie_name(settings.public_url)

    def run(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        current_engine.set(engine)
        bearer.service_key_digests.set(digests)
        bearer.resources.set(resources)
        session_cookie.set(cookie)
        return app(scope, receive, send)

    return run


class CORS:
    """Lets web pages call: those of the operator's origins everything, and any page what the contract opens to all."""

    def __init__(self, app: ASGIApp, settings: Settings, open_to_all: Container[str]) -> None:
        self.open_to_all = open_to_all
        self.for_all = ProblemCORS(app, ["*"], settings.public_url)
        self.for_some = ProblemCORS(app, settings.cors_origins, settings.public_url)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        app = self.for_all if scope.get("path") in self.open_to_all else self.for_some
        return app(scope, receive, send)


class ProblemCORS(CORSMiddleware):
    """Starlette's CORS with private-network preflight, refusing with a problem. It never lets cookies through."""

    def __init__(self, app: ASGIApp, origins: Sequence[str], public_url: str) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["*"],
            allow_private_network=True,
            expose_headers=[REQUEST_ID, "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate"],
        )
        self.public_url = public_url

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        if scope["type"] == "http" and b"origin" not in headers_of(scope):
            # As most requests do, sooner than Starlette finds out.
            return cast(Coroutine[Any, Any, None], self.app(scope, receive, send))
        return super().__call__(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        problem = problem_response(OriginNotAllowed(), self.public_url)
        return Response(problem.body, problem.status, problem.headers)


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
