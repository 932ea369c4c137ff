"""One exchange of MCP over HTTP, without a session: a JSON-RPC message in, its answer out, in both of its eras.

The SDK's own entry starts tasks and streams for each message of the older era, whose versions begin with `initialize`,
and copies each answer several times in the newer. That costs more than all else that a call needs, so this asks the
SDK's kernel directly, by the SDK's own rules for what a message must be.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import orjson
from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.server.runner import modern_error_data, serve_one
from mcp.server.streamable_http import check_accept_headers
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    InboundLadderRejection,
    classify_inbound_request,
    find_duplicated_routing_header,
    unsupported_protocol_version_rejection,
)
from mcp.shared.transport_context import TransportContext
from mcp_types import (
    DEFAULT_NEGOTIATED_VERSION,
    HEADER_MISMATCH,
    INVALID_REQUEST,
    PARSE_ERROR,
    JSONRPCNotification,
    JSONRPCRequest,
    RequestId,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from todo.errors import InvalidRequest
from todo.guard import BODY
from todo.validation import parse_json

JSON = dict[str, Any]

VERSION = "mcp-protocol-version"


async def answer(server: Server[Any], request: Request) -> Response:
    """Returns the answer to the message in a request: an empty 202 to one that is no question."""
    has_json, _ = check_accept_headers(request)
    if not has_json:
        return Response(status_code=406)
    try:
        message = parse_json(request.scope[BODY])
    except InvalidRequest as refusal:
        (error,) = refusal.members["errors"]
        return _refusal(MCPError(PARSE_ERROR, f"The body {error['message']}."), status=400)
    # The first message of a client that begins with `initialize` names no version yet.
    version = request.headers.get(VERSION, DEFAULT_NEGOTIATED_VERSION)
    is_newer = version not in HANDSHAKE_PROTOCOL_VERSIONS
    try:
        if isinstance(message, dict) and _is_no_question(message, version, is_newer=is_newer):
            return Response(status_code=202)
        question = JSONRPCRequest.model_validate(message)
    except ValidationError:
        return _refusal(MCPError(INVALID_REQUEST, "The body must be one JSON-RPC message."), status=400)
    except MCPError as error:
        return _refusal(error, status=400)
    try:
        connection = _envelope(request, message) if is_newer else Connection.from_envelope(version, None, None)
        result = await serve_one(
            server, Exchange(question.id), question.method, question.params, connection=connection, lifespan_state={}
        )
    except Exception as error:
        told = MCPError.from_error_data(modern_error_data(error))
        return _refusal(told, question.id, ERROR_CODE_HTTP_STATUS.get(told.code, 200) if is_newer else 200)
    return _json({"jsonrpc": "2.0", "id": question.id, "result": result})


def _is_no_question(message: JSON, version: str, *, is_newer: bool) -> bool:
    """Whether nobody waits for an answer. Raises MCPError for a version that nobody speaks, and ValidationError."""
    if "id" not in message:
        JSONRPCNotification.model_validate(message)
        unspoken = unsupported_protocol_version_rejection(version) if is_newer else None
        if unspoken:
            raise MCPError(unspoken.code, unspoken.message, unspoken.data)
        return True
    # In the newer era a server asks nothing, so there is nothing to answer.
    return "method" not in message and not is_newer


def _envelope(request: Request, message: JSON) -> Connection:
    """Returns what a message of the newer era says of its sender. Raises MCPError where its headers say otherwise."""
    twice = find_duplicated_routing_header(request.headers.items())
    if twice is not None:
        raise MCPError(HEADER_MISMATCH, f"The header {twice} must come only once.")
    # RFC 9110 section 5.5: white space around a value is no part of it, and the server leaves it there.
    headers = {name: value.strip() for name, value in request.headers.items()}
    route = classify_inbound_request(message, headers=headers)
    if isinstance(route, InboundLadderRejection):
        raise MCPError(route.code, route.message, route.data)
    return Connection.from_envelope(route.protocol_version, route.client_info, route.client_capabilities)


def _refusal(error: MCPError, question: RequestId | None = None, status: int = 200) -> Response:
    told = error.error.model_dump(mode="json", exclude_none=True)
    return _json({"jsonrpc": "2.0", "id": question, "error": told}, status)


def _json(value: JSON, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


ONE_ANSWER = TransportContext(kind="streamable-http", can_send_request=False)


@dataclass
class Exchange:
    """What the kernel knows of the one message. The server has nothing to send but the answer."""

    request_id: RequestId
    transport: TransportContext = ONE_ANSWER
    message_metadata: None = None
    can_send_request: bool = False
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)

    async def send_raw_request(self, method: str, params: Any, opts: CallOptions | None = None) -> JSON:  # noqa: ARG002
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None: ...

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None: ...
