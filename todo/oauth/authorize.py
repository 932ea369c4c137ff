"""The authorization endpoint (RFC 6749 section 3.1): the consent prompt and the person's decision."""

from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error

from todo.contract import API
from todo.domain import users
from todo.domain.users import Owner
from todo.errors.access import ClientRefused
from todo.oauth import clients, redirects
from todo.oauth.grant_types import PKCE, CodeGrant, ResourceIndicator
from todo.oauth.server import OAuthResponse, Request, Server
from todo.storage.statements import Connection

# Errors after which no redirect is safe, by OAuth error code (RFC 6749 section 4.1.2.1).
FATAL_ERRORS = {
    "invalid_client": "This service does not know the assistant that sent you here.",
    "invalid_request": "The assistant wants you sent back to an address that is not registered for it.",
}

# Other errors, in words for a person: an error's own description may quote the request.
ERRORS = {
    "invalid_target": "It asks for access to a different service.",
    "unsupported_response_type": "It asks for a kind of response that this service does not give.",
}


@dataclass(frozen=True)
class ErrorPage:
    """A page that says what is wrong with a client's request, with a link that returns OAuth's error to the client."""

    client_name: str
    host: str
    fault: str
    error: str
    address: str


@dataclass(frozen=True)
class ConsentPrompt:
    """What the consent page shows: who asks, for what, and the CSP source that its form may redirect to."""

    client_name: str
    host: str
    permissions: list[str]
    origin: str


def prompt(
    connection: Connection, issuer: str, parameters: dict[str, Any]
) -> ConsentPrompt | ErrorPage | OAuthResponse:
    """Returns the consent prompt, or how to report the error. Raises ClientRefused if no redirect is safe."""
    server, request = _server(connection, issuer), Request("GET", parameters)
    try:
        grant = server.get_consent_grant(request)
    except OAuth2Error as error:
        return _report(server, request, error)
    return ConsentPrompt(
        client_name=grant.client.name,
        host=clients.host_of(grant.client.id, grant.redirect_uri),
        permissions=[API.scopes[name] for name in request.scope.split()],
        origin=redirects.csp_source(grant.redirect_uri),
    )


def decide(
    connection: Connection, issuer: str, parameters: dict[str, Any], owner: Owner, *, allow: bool
) -> ErrorPage | OAuthResponse:
    """Returns the redirect to the client, with a code or with access_denied. Raises SignedOut and ClientRefused."""
    user = users.lock(connection, owner)
    server, request = _server(connection, issuer), Request("POST", parameters)
    try:
        grant = server.get_consent_grant(request)
    except OAuth2Error as error:
        return _report(server, request, error)
    response = server.create_authorization_response(request, user if allow else None, grant)
    assert isinstance(response, OAuthResponse)
    return response


def _server(connection: Connection, issuer: str) -> Server:
    server = Server(connection, issuer)
    server.register_grant(CodeGrant, [PKCE(required=True), ResourceIndicator()])
    return server


def _report(server: Server, request: Request, error: OAuth2Error) -> ErrorPage | OAuthResponse:
    """Returns a redirect with the error for clients that the operator registered, and a page with a link for others.

    Redirecting for anybody's client would be an open redirector (RFC 9700 section 4.11.2). Raises ClientRefused.
    """
    client = server.query_client(request.parameters.get("client_id", ""))
    if not error.redirect_uri or client is None:
        raise ClientRefused(FATAL_ERRORS.get(error.error, "The assistant's request is not complete.")) from None
    response = server.handle_error_response(request, error)
    assert isinstance(response, OAuthResponse)
    if client.is_trusted:
        return response
    return ErrorPage(
        client_name=client.name,
        host=clients.host_of(client.id, error.redirect_uri),
        fault=ERRORS.get(error.error, "A parameter that makes connecting safe is missing or wrong."),
        error=error.error,
        address=str(response.location),
    )
