"""The revocation endpoint (RFC 7009)."""

from typing import Any

from authlib.oauth2.rfc7009 import RevocationEndpoint

import todo.accounts.grants
from todo.oauth.clients import Client
from todo.oauth.grant_types import CodeGrant
from todo.oauth.server import OAuthResponse, Request, Server
from todo.storage.statements import Connection


class Revocation(RevocationEndpoint):
    """Revokes an access token alone, or a refresh token with its whole grant (RFC 7009 section 2.1)."""

    CLIENT_AUTH_METHODS = CodeGrant.TOKEN_ENDPOINT_AUTH_METHODS

    def check_params(self, request: Request, client: Client) -> None:
        """Ignores token_type_hint, as section 2.1 allows."""
        if "token" not in request.parameters:
            super().check_params(request, client)

    def query_token(self, token_string: str, token_type_hint: str | None) -> Any:  # noqa: ARG002
        """Returns the token with its client, or None: revoking an unknown token succeeds (section 2.2)."""
        connection = self.server.connection
        row = self.server.lock(connection.token_by_hash, token_string)
        grant = row and connection.grant_by_id(user_id=row["user_id"], id=row["grant_id"])
        return StoredToken({**row, "client_id": grant["client_id"]}) if grant else None

    def revoke_token(self, token: "StoredToken", request: Request) -> None:  # noqa: ARG002
        connection = self.server.connection
        if token.row["kind"] == "refresh":
            todo.accounts.grants.end(connection, token.row["user_id"], token.row["grant_id"])
        else:
            connection.delete_token(user_id=token.row["user_id"], hash=token.row["hash"])


class StoredToken:
    """A row of `tokens`, with the interface that Authlib expects of a token."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row

    def check_client(self, client: Client) -> bool:
        return bool(self.row["client_id"] == client.id)


def revoke(
    connection: Connection,
    issuer: str,
    parameters: dict[str, Any],
    authorization: str | None,
    asserted_client_id: str | None = None,
) -> OAuthResponse:
    """Returns an empty 200 once the token is revoked, or an OAuth error. `asserted_client_id` is as in `Request`."""
    server = Server(connection, issuer)
    server.register_endpoint(Revocation)
    request = Request("POST", parameters, authorization, asserted_client_id)
    response = server.create_endpoint_response("revocation", request)
    assert isinstance(response, OAuthResponse)
    return response
