"""The authorization endpoint (RFC 6749 section 3.1): what is asked of the person, and what they decided."""

from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error

from todo.contract import API
from todo.domain import users
from todo.domain.users import Owner
from todo.errors import ClientRefused
from todo.oauth import clients, redirects
from todo.oauth.grants import S256, CodeGrant, ResourceIndicator
from todo.oauth.server import Answer, Request, Server
from todo.storage.statements import Connection

# Why there is nowhere to redirect to, by OAuth's name for it (RFC 6749 section 4.1.2.1).
REASONS = {
    "invalid_client": "This service does not know the assistant that sent you here.",
    "invalid_request": "The assistant wants you sent back to an address that is not registered for it.",
}

# What is wrong with a request that can go back, where the error's own words may quote it.
FAULTS = {
    "invalid_target": "It asks for access to another service than this one.",
    "unsupported_response_type": "It asks for an answer that this service does not give.",
}


@dataclass(frozen=True)
class WayBack:
    """What a page says of a wrong request, and where a link on it leads: to the client, with OAuth's error."""

    client_name: str
    host: str
    fault: str
    error: str
    address: str


@dataclass(frozen=True)
class Question:
    """What the consent page asks the person: who wants what, and where they are sent back to."""

    client_name: str
    host: str
    permissions: list[str]
    origin: str


def ask(connection: Connection, issuer: str, parameters: dict[str, Any]) -> Question | WayBack | Answer:
    """Returns the question, or how the error goes back to the client. Raises ClientRefused where it may not."""
    server, request = _server(connection, issuer), Request("GET", parameters)
    try:
        grant = server.get_consent_grant(request)
    except OAuth2Error as error:
        return _refused(server, request, error)
    return Question(
        client_name=grant.client.name,
        host=clients.host_of(grant.client.id, grant.redirect_uri),
        permissions=[API.scopes[name] for name in request.scope.split()],
        origin=redirects.origin(grant.redirect_uri),
    )


def decide(
    connection: Connection, issuer: str, parameters: dict[str, Any], owner: Owner, *, allow: bool
) -> WayBack | Answer:
    """Returns the way back to the client, with a code or with access_denied. Raises SignedOut and ClientRefused."""
    user = users.lock(connection, owner)
    server, request = _server(connection, issuer), Request("POST", parameters)
    try:
        grant = server.get_consent_grant(request)
    except OAuth2Error as error:
        return _refused(server, request, error)
    answer = server.create_authorization_response(request, user if allow else None, grant)
    assert isinstance(answer, Answer)
    return answer


def _server(connection: Connection, issuer: str) -> Server:
    server = Server(connection, issuer)
    server.register_grant(CodeGrant, [S256(required=True), ResourceIndicator()])
    return server


def _refused(server: Server, request: Request, error: OAuth2Error) -> WayBack | Answer:
    """Returns how the error of a request goes back: by itself only to clients that the operator knows.

    To others, or anybody could have people sent from here to a place of their own (RFC 9700 section 4.11.2).
    """
    client = server.query_client(request.parameters.get("client_id", ""))
    if not error.redirect_uri or client is None:
        raise ClientRefused(REASONS.get(error.error, "The request of the assistant is not complete.")) from None
    answer = server.handle_error_response(request, error)
    assert isinstance(answer, Answer)
    if client.is_trusted:
        return answer
    return WayBack(
        client_name=client.name,
        host=clients.host_of(client.id, error.redirect_uri),
        fault=FAULTS.get(error.error, "It has left out or mistaken what makes connecting safe."),
        error=error.error,
        address=str(answer.location),
    )
