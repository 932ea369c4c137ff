"""The token endpoint (RFC 6749 section 3.2)."""

from typing import Any

from todo.oauth.grant_types import PKCE, CodeGrant, RefreshGrant, generate_tokens, save_tokens
from todo.oauth.server import OAuthResponse, Request, Server
from todo.storage.statements import Connection


class TokenServer(Server):
    """An authorization server with both grant types. Implicit, password and client credentials are not supported."""

    def __init__(self, connection: Connection, issuer: str) -> None:
        super().__init__(connection, issuer)
        self.register_token_generator("default", generate_tokens)
        self.register_grant(CodeGrant, [PKCE(required=True)])
        self.register_grant(RefreshGrant)

    def save_token(self, token: dict[str, Any], request: Request) -> None:
        save_tokens(self, token, request)


def issue(
    connection: Connection,
    issuer: str,
    parameters: dict[str, Any],
    authorization: str | None,
    asserted_client_id: str | None = None,
) -> OAuthResponse:
    """Returns tokens (RFC 6749 section 5.1) or an OAuth error (section 5.2). `asserted_client_id` is as in `Request`.

    Errors are returned, not raised: a refusal may itself write, such as ending a grant, and must be committed.
    """
    request = Request("POST", parameters, authorization, asserted_client_id)
    response = TokenServer(connection, issuer).create_token_response(request)
    assert isinstance(response, OAuthResponse)
    return response
