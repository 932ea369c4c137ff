"""create_app: the only place where the parts are put together."""

import asyncio
import zoneinfo
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from typing import Any, Literal

from connexion import AsyncApp, FlaskApp
from flask import Response as FlaskResponse
from starlette.middleware import Middleware
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from todo import manifest
from todo.accounts import bearer, sessions
from todo.accounts.mailer import Mailer
from todo.config import Settings
from todo.contract import ANY_ORIGIN, API, ON_THE_LOOP, SITE, Operation
from todo.domain import users
from todo.http import connexion_apps
from todo.http.access_log import AccessLog
from todo.http.bodies import Bodies
from todo.http.bridge import Bridge
from todo.http.compression import Compression
from todo.http.connexion_apps import ForConnexion
from todo.http.cors import CORS
from todo.http.event_loop import OnTheLoop
from todo.http.guard import Guard, Refuse
from todo.http.operations import CompiledContract
from todo.http.rate_limits import RateLimits
from todo.http.refusals import Refusals
from todo.http.responses import JSONResolver
from todo.http.routes import Route, routes_of
from todo.http.session_cookie import SECURITY_HANDLERS, is_signed_in
from todo.http.site_limits import Visitors
from todo.http.validators import FormURIParser
from todo.mcp.endpoint import Endpoint
from todo.oauth.metadata import resources_of
from todo.service import Service, current
from todo.startup import CannotStart, cause_of
from todo.storage.database import open_engine
from todo.web import error_page
from todo.web.drafts import SignInPage
from todo.web.form_resolver import FormResolver

# The pinned tzdata knows newer rules than the machine's own tables, and is the same everywhere.
zoneinfo.reset_tzpath(to=())

OPEN_TO_ALL = {operation.path for operation in SITE.operations if ANY_ORIGIN in operation.spec}


def create_app(settings: Settings, dispatcher: Literal["compiled", "connexion"] = "compiled") -> ASGIApp:
    """Returns the service as an ASGI app. Raises ManifestError, ContractError and CannotCompile.

    `dispatcher` serves openapi.yaml: the compiled contract or, for comparison in tests, Connexion's stock middleware.
    """
    _require_handlers()
    service = _service(settings)
    limits = RateLimits(
        settings.reads_per_minute, settings.writes_per_minute, settings.redis_url, proxies=settings.proxies
    )
    refuse = Refusals([API, SITE], settings.public_url, error_page.render, SignInPage())
    routes = [
        *_api_routes(settings, refuse, limits, dispatcher),
        *_site_routes(settings, refuse, limits),
    ]
    app: ASGIApp = Guard(routes, refuse=refuse, bodies=Bodies(may_upload=is_signed_in))
    # From the outermost.
    middleware = [
        Middleware(AccessLog),
        Middleware(Lifespan, service, limits),
        Middleware(CORS, settings.cors_origins, settings.public_url, OPEN_TO_ALL),
        Middleware(Context, service),
    ]
    for layer in reversed(middleware):
        app = layer.cls(app, *layer.args, **layer.kwargs)
    return app


def _require_handlers() -> None:
    """Raises ContractError for an operation whose handler does not exist or cannot be imported."""
    for contract in (API, SITE):
        for operation in contract.operations:
            if wrong := _wrong_with(operation.handler):
                raise contract.error_of(operation.id, wrong)


def _wrong_with(handler: str) -> str | None:
    """Returns why a handler cannot be used, with the cure; None if it can."""
    module, _, name = handler.rpartition(".")
    file = module.replace(".", "/") + ".py"
    try:
        if hasattr(import_module(module), name):
            return None
    except CannotStart:
        raise
    except Exception as error:
        if not isinstance(error, ModuleNotFoundError) or error.name != module:
            return f"its handler module {file} cannot be imported {cause_of(error)}: correct that line"
    return f"its handler {name} does not exist: write it in {file}"


def _service(settings: Settings) -> Service:
    """Returns the Service that handlers see. Raises ManifestError."""
    return Service(
        engine=open_engine(
            settings.database_url,
            public_url=settings.public_url,
            statement_timeout=settings.database_statement_timeout,
            read_url=settings.database_read_url,
            version_of=users.find,
        ),
        settings=settings,
        key_digests=tuple(map(bearer.key_digest, settings.service_auth_key)),
        resources=resources_of(settings.public_url),
        # The prefix makes browsers keep it to this host and to TLS.
        session_cookie=f"__Host-{sessions.COOKIE}" if settings.public_url.startswith("https:") else sessions.COOKIE,
        manifest=manifest.build(settings),
        mailer=Mailer(settings.smtp_url, settings.contact_email) if settings.smtp_url else None,
    )


def _api_routes(settings: Settings, refuse: Refuse, limits: RateLimits, dispatcher: str) -> list[Route]:
    """Returns the routes of openapi.yaml and of /mcp, whose tools are the same operations."""
    build = partial(connexion_apps.build, AsyncApp, API, refuse, resolver=JSONResolver())
    compiled: CompiledContract = build(middlewares=[partial(CompiledContract, limits=limits)]).middleware.app
    mcp = Endpoint(
        API,
        compiled,
        public_url=settings.public_url,
        origins=settings.cors_origins,
        refuse=refuse,
        limits=limits,
    )
    if dispatcher == "compiled":
        return [*mcp.routes, *routes_of(API, compiled.__getitem__)]
    stock = ForConnexion(build())
    return [*mcp.routes, *routes_of(API, lambda _: stock)]


def _site_routes(settings: Settings, refuse: Refuse, limits: RateLimits) -> list[Route]:
    """Returns the routes of site.yaml: most are Flask's, in threads; some are answered on the event loop."""
    site = connexion_apps.build(
        FlaskApp,
        SITE.without(ON_THE_LOOP),
        refuse,
        FormURIParser,
        resolver=FormResolver(),
        security_map=SECURITY_HANDLERS,
        server_args={"template_folder": "web/templates", "static_folder": None},
    )
    site._middleware_app.asgi_app = Bridge(site.app.wsgi_app, settings.proxies)
    site.app.after_request(_without_date)
    site.app.json.sort_keys = False  # a contract reads best in the order it was written
    threaded = Compression(Visitors(ForConnexion(site), limits, OPEN_TO_ALL))

    def app_of(operation: Operation) -> ASGIApp:
        return OnTheLoop(operation, limits) if ON_THE_LOOP in operation.spec else threaded

    return routes_of(SITE, app_of)


def _without_date(response: FlaskResponse) -> FlaskResponse:
    """Removes Flask's Date header, since the server adds one to every response."""
    response.headers.pop("Date", None)
    return response


class Context:
    """Makes this service `current` for each request."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        current.set(self._service)
        return self._app(scope, receive, send)


class Lifespan:
    """Opens the database at startup; at shutdown sends the e-mails that wait, and closes it."""

    def __init__(self, app: ASGIApp, service: Service, limits: RateLimits) -> None:
        @asynccontextmanager
        async def lifespan(_: Any) -> AsyncIterator[None]:
            service.engine.start()
            if service.mailer:
                service.mailer.start()
            yield
            await limits.close()
            if service.mailer:
                await asyncio.to_thread(service.mailer.stop)
            service.engine.stop()

        self._app = app
        self._lifespan = Router(lifespan=lifespan)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        app = self._lifespan if scope["type"] == "lifespan" else self._app
        return app(scope, receive, send)
