"""The revocation endpoint (RFC 7009)."""

from typing import Any

from authlib.oauth2.rfc7009 import RevocationEndpoint

import todo.accounts.grants
from todo.oauth.clients import Client
from todo.oauth.grants import CodeGrant
from todo.oauth.server import Answer, Request, Server
from todo.storage.statements import Connection


class Revocation(RevocationEndpoint):
    """Ends an access token, or with a refresh token the whole grant, as section 2.1 has it."""

    CLIENT_AUTH_METHODS = CodeGrant.TOKEN_ENDPOINT_AUTH_METHODS

    def check_params(self, request: Request, client: Client) -> None:
        """Takes any hint: one that is not known may be ignored (section 2.1)."""
        if "token" not in request.parameters:
            super().check_params(request, client)

    def query_token(self, token_string: str, token_type_hint: str | None) -> Any:  # noqa: ARG002
        """Returns the token with its client. One that nobody has given out needs no revoking (section 2.2)."""
        connection = self.server.connection
        row = self.server.lock(connection.token_by_hash, token_string)
        grant = row and connection.grant_by_id(user_id=row["user_id"], id=row["grant_id"])
        return Token({**row, "client_id": grant["client_id"]}) if grant else None

    def revoke_token(self, token: "Token", request: Request) -> None:  # noqa: ARG002
        connection = self.server.connection
        if token.row["kind"] == "refresh":
            todo.accounts.grants.end(connection, token.row["user_id"], token.row["grant_id"])
        else:
            connection.delete_token(hash=token.row["hash"])


class Token:
    """A stored token, as Authlib asks about it."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row

    def check_client(self, client: Client) -> bool:
        return bool(self.row["client_id"] == client.id)


def revoke(
    connection: Connection,
    issuer: str,
    parameters: dict[str, Any],
    authorization: str | None,
    proven: str | None = None,
) -> Answer:
    """Returns an empty answer once the token is no more, or OAuth's error. `proven` is as for tokens."""
    server = Server(connection, issuer)
    server.register_endpoint(Revocation)
    answer = server.create_endpoint_response("revocation", Request("POST", parameters, authorization, proven))
    assert isinstance(answer, Answer)
    return answer
