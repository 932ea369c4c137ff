"""Authlib's authorization server on our storage, within one transaction."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from todo.accounts import tokens
from todo.oauth import clients
from todo.oauth.clients import Client
from todo.oauth.metadata import resources_of
from todo.storage.statements import Connection

JSON = dict[str, Any]


# Where Authlib only repeats what was sent.
DESCRIPTIONS = {
    "unsupported_response_type": "response_type must be code.",
    "unsupported_grant_type": "grant_type must be authorization_code or refresh_token.",
}


class InvalidTarget(OAuth2Error):
    """The resource is none of this service, or not the one that was allowed (RFC 8707 section 2)."""

    error = "invalid_target"
    description = "The resource is not one that these tokens can be for."


@dataclass
class Answer:
    """What to answer, whatever the framework."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def location(self) -> str | None:
        return self.headers.get("Location")


class Request(OAuth2Request):
    """A request, whether its parameters came in a query, a form or JSON.

    `proven` is the id of the client that has proven itself by an assertion.
    """

    def __init__(
        self, method: str, parameters: JSON, authorization: str | None = None, proven: str | None = None
    ) -> None:
        # Authlib refuses addresses without TLS; ours ends at the platform's router, and which it was says nothing.
        super().__init__(method, "https://localhost/", headers={"Authorization": _well_formed(authorization)})
        self.parameters = {name: value for name, value in parameters.items() if isinstance(value, str) and value}
        self.payload = BasicOAuth2Payload(self.parameters)
        self.proven = proven

    @property
    def args(self) -> JSON:
        return self.parameters

    @property
    def form(self) -> JSON:
        return self.parameters


def _well_formed(authorization: str | None) -> str:
    """Returns the header, or nothing where it is none that can be read: Authlib would stumble over it."""
    try:
        scheme, value = (authorization or "").split(" ")
        base64.b64decode(value, validate=True).decode()
    except ValueError:
        return ""
    return f"{scheme} {value}"


def _proven_client(query_client: Callable[[str], Client | None], request: Request) -> Client | None:
    return query_client(request.proven) if request.proven else None


class Server(AuthorizationServer):
    """The server for one unit of work: all that it reads and writes is one transaction, and so is what it decides."""

    def __init__(self, connection: Connection, issuer: str) -> None:
        super().__init__()
        self.connection = connection
        self.issuer = issuer
        self.register_client_auth_method("private_key_jwt", _proven_client)

    def query_client(self, client_id: str) -> Client | None:
        return clients.find(self.connection, client_id)

    def lock(self, find: Callable[..., Any], secret: str) -> Any:
        """Returns the row of a code or a token, with its user locked; None where there is none, or is no more.

        Users are locked first everywhere, so it is found once to know whose it is, and once more to see what it is now.
        """
        which = {"hash": tokens.digest(secret)}
        row = find(**which)
        return row and self.connection.lock_user_by_id(user_id=row["user_id"]) and find(**which)

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def handle_error_response(self, request: Request, error: OAuth2Error) -> Any:
        """Returns the answer for an error, with a description in place of those that are none."""
        error.description = DESCRIPTIONS.get(error.error, error.description)
        return super().handle_error_response(request, error)

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """Returns the answer, with `iss` where it leads back to a client (RFC 9207 section 2)."""
        answer = Answer(status, body, dict(headers))
        if answer.location:
            answer.headers["Location"] = add_params_to_uri(answer.location, [("iss", self.issuer)])
        return answer

    def resource(self, parameters: JSON) -> str:
        """Returns which resource a request is about, the service itself where it names none. Raises InvalidTarget."""
        named = parameters.get("resource", self.issuer).removesuffix("/")
        if named not in resources_of(self.issuer):
            raise InvalidTarget
        return str(named)
