"""The token endpoint (RFC 6749 section 3.2)."""

from typing import Any

from todo.oauth.grants import S256, CodeGrant, RefreshGrant, generate_tokens, save_tokens
from todo.oauth.server import Answer, Request, Server
from todo.storage.statements import Connection


class TokenServer(Server):
    """The server with its two grants. There is no implicit, password or client credentials grant."""

    def __init__(self, connection: Connection, issuer: str) -> None:
        super().__init__(connection, issuer)
        self.register_token_generator("default", generate_tokens)
        self.register_grant(CodeGrant, [S256(required=True)])
        self.register_grant(RefreshGrant)

    def save_token(self, token: dict[str, Any], request: Request) -> None:
        save_tokens(self, token, request)


def issue(
    connection: Connection,
    issuer: str,
    parameters: dict[str, Any],
    authorization: str | None,
    proven: str | None = None,
) -> Answer:
    """Returns tokens, or OAuth's error. `proven` is the client that an assertion has proven.

    It raises nothing for a wrong request: what a refusal writes, such as a family that ends, must stay written.
    """
    answer = TokenServer(connection, issuer).create_token_response(Request("POST", parameters, authorization, proven))
    assert isinstance(answer, Answer)
    return answer
