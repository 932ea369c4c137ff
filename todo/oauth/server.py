"""Authlib's authorization server on our storage, one instance per transaction."""

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


# For errors where Authlib's own description only repeats the request.
DESCRIPTIONS = {
    "unsupported_response_type": "response_type must be code.",
    "unsupported_grant_type": "grant_type must be authorization_code or refresh_token.",
}


class InvalidTarget(OAuth2Error):
    """The resource is not this service's, or not the one that was granted (RFC 8707 section 2)."""

    error = "invalid_target"
    description = "Tokens cannot be issued for this resource."


@dataclass
class OAuthResponse:
    """A response, independent of the web framework."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def location(self) -> str | None:
        return self.headers.get("Location")


class Request(OAuth2Request):
    """A request, whether its parameters came in a query, a form or JSON.

    `asserted_client_id` is the client authenticated by an assertion, if any (`assertions.verify`).
    """

    def __init__(
        self, method: str, parameters: JSON, authorization: str | None = None, asserted_client_id: str | None = None
    ) -> None:
        # Authlib refuses plain HTTP, but TLS ends at the platform's router, so every request arrives that way.
        super().__init__(method, "https://localhost/", headers={"Authorization": _valid_basic(authorization)})
        self.parameters = {name: value for name, value in parameters.items() if isinstance(value, str) and value}
        self.payload = BasicOAuth2Payload(self.parameters)
        self.asserted_client_id = asserted_client_id

    @property
    def args(self) -> JSON:
        return self.parameters

    @property
    def form(self) -> JSON:
        return self.parameters


def _valid_basic(authorization: str | None) -> str:
    """Returns the header, or "" if it does not decode as Basic credentials, on which Authlib would raise ValueError."""
    try:
        scheme, value = (authorization or "").split(" ")
        base64.b64decode(value, validate=True).decode()
    except ValueError:
        return ""
    return f"{scheme} {value}"


def _authenticate_by_assertion(query_client: Callable[[str], Client | None], request: Request) -> Client | None:
    return query_client(request.asserted_client_id) if request.asserted_client_id else None


class Server(AuthorizationServer):
    """The authorization server for one request: whatever it reads and writes is one transaction."""

    def __init__(self, connection: Connection, issuer: str) -> None:
        super().__init__()
        self.connection = connection
        self.issuer = issuer
        self.register_client_auth_method("private_key_jwt", _authenticate_by_assertion)

    def query_client(self, client_id: str) -> Client | None:
        return clients.find(self.connection, client_id)

    def lock(self, find: Callable[..., Any], secret: str) -> Any:
        """Returns the row of a code or a token, with its user locked, or None.

        Users are always locked first. It is read before that too, so that nobody locks a user by a forged secret.
        """
        key = tokens.key_of(secret)
        if key is None or not find(**key):
            return None
        return self.connection.lock_user_by_id(user_id=key["user_id"]) and find(**key)

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Does nothing: there are no listeners."""

    def handle_error_response(self, request: Request, error: OAuth2Error) -> Any:
        """Returns the error response, with a better description where Authlib's says nothing."""
        error.description = DESCRIPTIONS.get(error.error, error.description)
        return super().handle_error_response(request, error)

    def handle_response(self, status: int, body: Any, headers: Any) -> OAuthResponse:
        """Returns the response, with `iss` added to a redirect (RFC 9207 section 2)."""
        response = OAuthResponse(status, body, dict(headers))
        if response.location:
            response.headers["Location"] = add_params_to_uri(response.location, [("iss", self.issuer)])
        return response

    def resource(self, parameters: JSON) -> str:
        """Returns the URL of the resource requested (RFC 8707), by default the service's. Raises InvalidTarget."""
        named = parameters.get("resource", self.issuer).removesuffix("/")
        if named not in resources_of(self.issuer):
            raise InvalidTarget
        return str(named)
