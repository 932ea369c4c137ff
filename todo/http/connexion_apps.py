"""Connexion apps: one per contract."""

import logging
from typing import Any

from connexion.exceptions import InvalidSpecification, ProblemException
from connexion.lifecycle import ConnexionResponse
from connexion.options import SwaggerUIOptions
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from todo.contract import Contract
from todo.contract_rules import forbidden
from todo.http.asgi_scope import BODY, MEDIA_TYPE
from todo.http.guard import Refuse
from todo.http.validators import VALIDATORS, StrictURIParser

PACKAGE = "todo"

# Connexion warns, with each request, about every operation that takes a form as well as JSON.
logging.getLogger("connexion.operations.openapi3").setLevel(logging.ERROR)


def build(
    kind: type,
    contract: Contract,
    refuse: Refuse,
    uri_parser: type[StrictURIParser] = StrictURIParser,
    **options: Any,
) -> Any:
    """Returns a Connexion app for a contract, fully built, so that a bad contract stops the start.

    Raises ContractError and CannotCompile.
    """
    app = kind(
        PACKAGE,
        strict_validation=True,
        pythonic_params=True,  # a parameter named `from` reaches its handler as `from_`
        uri_parser_class=uri_parser,
        validator_map=VALIDATORS,
        swagger_ui_options=SwaggerUIOptions(swagger_ui=False, serve_spec=False),
        **options,
    )
    try:
        app.add_api(contract.document, base_path="")
    except InvalidSpecification as invalid:
        raise contract.error(list(invalid.absolute_path), forbidden(invalid.message)) from None
    for error in (Exception, HTTPException, ProblemException):
        app.add_error_handler(error, _error_handler(refuse))
    app.middleware.app, app.middleware.middleware_stack = app.middleware._build_middleware_stack()
    return app


def _error_handler(refuse: Refuse) -> Any:
    async def handle(request: Any, error: Exception) -> ConnexionResponse:
        problem = refuse(request.scope, error)
        return ConnexionResponse(problem.status, body=problem.body, headers=problem.headers)

    return handle


class ForConnexion:
    """Passes requests from the guard to a Connexion app, in a form that Connexion handles well."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = MutableHeaders(raw=list(scope["headers"]))
        del headers["transfer-encoding"]
        headers["content-length"] = str(len(scope[BODY]))
        # The guard has checked it. Without a body it does not matter, but Connexion would refuse a wrong one.
        headers["content-type"] = scope[MEDIA_TYPE]
        await self.app({**scope, "headers": headers.raw}, _replay(scope[BODY], receive), send)


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
