"""MCP over HTTP without sessions: one JSON-RPC message in, one response out, in both eras of the protocol.

The SDK's own entry starts tasks and streams for each message of the older era, whose versions begin with `initialize`,
and copies each answer several times in the newer. That costs more than all else that a call needs, so this asks the
SDK's kernel directly, by the SDK's own rules for what a message must be.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any, cast

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
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    InboundLadderRejection,
    classify_inbound_request,
    find_duplicated_routing_header,
    unsupported_protocol_version_rejection,
)
from mcp.shared.transport_context import TransportContext
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    DEFAULT_NEGOTIATED_VERSION,
    HEADER_MISMATCH,
    INVALID_REQUEST,
    PARSE_ERROR,
    PROTOCOL_VERSION_META_KEY,
    SERVER_INFO_META_KEY,
    JSONRPCNotification,
    JSONRPCRequest,
    RequestId,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from todo.contract import API
from todo.errors import InvalidRequest
from todo.http.asgi_scope import BODY
from todo.http.json_body import parse_json
from todo.http.responses import JSONResponse

JSON = dict[str, Any]

CallTool = Callable[[Mapping[str, Any]], Awaitable[JSON]]
Count = Callable[[], Awaitable[None]]
CALL = "tools/call"
COMPLETE = {"resultType": "complete"}
VERSION = MCP_PROTOCOL_VERSION_HEADER
# The one version that has batches. Each answer is bounded, and so are all together.
BATCHED = "2025-03-26"
MAX_BATCH = API.limit("batch_messages")
NOT_STORED = {"Cache-Control": "no-store"}
ROUTING = (VERSION, MCP_METHOD_HEADER, MCP_NAME_HEADER)


async def answer(
    server: Server[Any], call_tool: CallTool, count: Count, scope: Scope, headers: Mapping[str, str]
) -> Response:
    """Returns the response to a message or a batch; notifications get an empty 202.

    `count` charges messages other than tool calls and may raise RateLimited; operations charge tool calls.
    """
    if not _takes_json(headers.get("accept", "")):
        return Response(status_code=406, headers=NOT_STORED)
    try:
        message = parse_json(scope[BODY])
    except InvalidRequest as refusal:
        (error,) = refusal.members["errors"]
        return _json(_refusal(MCPError(PARSE_ERROR, f"The body {error['message']}.")), 400)
    # The first message of a client that begins with `initialize` names no version yet.
    version = headers.get(VERSION, DEFAULT_NEGOTIATED_VERSION)
    if not (isinstance(message, dict) and message.get("method") == CALL):
        await count()
    if isinstance(message, list) and version == BATCHED:
        return await _answer_batch(server, call_tool, message)
    reply, status = await _reply(server, call_tool, scope, headers, message, version)
    return _json(reply, status) if reply else Response(status_code=202, headers=NOT_STORED)


async def _answer_batch(server: Server[Any], call_tool: CallTool, messages: list[Any]) -> Response:
    """Returns the responses to a batch, run in order (MCP 2025-03-26, JSON-RPC 2.0 section 6)."""
    if not 0 < len(messages) <= MAX_BATCH:
        return _json(_refusal(MCPError(INVALID_REQUEST, f"A batch must hold 1 to {MAX_BATCH} messages.")), 400)
    replies = []
    for message in messages:
        if isinstance(message, dict) and message.get("method") == "initialize":
            replies.append(_refusal(MCPError(INVALID_REQUEST, "initialize must stand alone."), message.get("id")))
            continue
        reply, _ = await _reply(server, call_tool, {}, {}, message, BATCHED)
        replies += [reply] if reply else []
    return _json(replies) if replies else Response(status_code=202, headers=NOT_STORED)


async def _reply(
    server: Server[Any], call_tool: CallTool, scope: Scope, headers: Mapping[str, str], message: Any, version: str
) -> tuple[JSON | None, int]:
    """Returns the reply to a message, None for a notification, and the HTTP status.

    Tool calls go straight to `call_tool`; the SDK's kernel handles all other methods.
    """
    is_newer = version not in HANDSHAKE_PROTOCOL_VERSIONS
    try:
        if isinstance(message, dict) and _is_notification(message, version, is_newer=is_newer):
            return None, 202
        request = JSONRPCRequest.model_validate(message)
    except ValidationError:
        return _refusal(MCPError(INVALID_REQUEST, "The body must be one JSON-RPC message.")), 400
    except MCPError as error:
        return _refusal(error), 400
    try:
        if request.method == CALL:
            if is_newer and not _is_consistent(scope, headers, message, version):
                _sender(scope, headers, message)
            result = await call_tool(request.params or {})
            result |= _stamp(server, result) if is_newer else {}
        else:
            sender = _sender(scope, headers, message) if is_newer else (version, None, None)
            connection, exchange = Connection.from_envelope(*sender), Exchange(request.id)
            result = await serve_one(
                server, exchange, request.method, request.params, connection=connection, lifespan_state={}
            )
    except Exception as error:
        told = MCPError.from_error_data(modern_error_data(error))
        return _refusal(told, request.id), ERROR_CODE_HTTP_STATUS.get(told.code, 200) if is_newer else 200
    return {"jsonrpc": "2.0", "id": request.id, "result": result}, 200


@lru_cache(maxsize=64)
def _takes_json(accept: str) -> bool:
    """Whether the client accepts JSON, by the SDK's rule for Accept."""
    has_json, _ = check_accept_headers(cast(Request, SimpleNamespace(headers={"accept": accept})))
    return has_json


def _stamp(server: Server[Any], result: JSON) -> JSON:
    """Returns the members that the newer era requires in each result."""
    return {**COMPLETE, "_meta": {SERVER_INFO_META_KEY: _server_info(server), **result.get("_meta", {})}}


@cache
def _server_info(server: Server[Any]) -> JSON:
    return server.server_info_stamp


def _is_notification(message: JSON, version: str, *, is_newer: bool) -> bool:
    """Whether the message expects no reply. Raises MCPError for an unsupported version, and ValidationError."""
    if "id" not in message:
        JSONRPCNotification.model_validate(message)
        unspoken = unsupported_protocol_version_rejection(version) if is_newer else None
        if unspoken:
            raise MCPError(unspoken.code, unspoken.message, unspoken.data)
        return True
    # In the newer era a server asks nothing, so there is nothing to answer.
    return "method" not in message and not is_newer


def _is_consistent(scope: Scope, headers: Mapping[str, str], message: JSON, version: str) -> bool:
    """A fast check that a call's headers match its body; if it is False, the SDK's rules decide."""
    params = message.get("params") or {}
    meta = params.get("_meta")
    return (
        isinstance(meta, dict)
        and meta.get(PROTOCOL_VERSION_META_KEY) == version
        and CLIENT_CAPABILITIES_META_KEY in meta
        and version in MODERN_PROTOCOL_VERSIONS
        and headers.get(MCP_METHOD_HEADER) == CALL
        and headers.get(MCP_NAME_HEADER) == params.get("name")
        and len(headers) == len(scope["headers"])  # none came twice
    )


def _sender(scope: Scope, headers: Mapping[str, str], message: JSON) -> tuple[str, Any, Any]:
    """Returns the version, client and capabilities in a message of the newer era.

    Raises MCPError if they are missing or contradict the headers.
    """
    if len(headers) < len(scope["headers"]):  # one of them came twice
        twice = find_duplicated_routing_header((name.decode("latin-1"), "") for name, _ in scope["headers"])
        if twice is not None:
            raise MCPError(HEADER_MISMATCH, f"The header {twice} must come only once.")
    # RFC 9110 section 5.5: white space around a value is no part of it, and the server leaves it there.
    route = classify_inbound_request(
        message, headers={name: headers[name].strip() for name in ROUTING if name in headers}
    )
    if isinstance(route, InboundLadderRejection):
        raise MCPError(route.code, route.message, route.data)
    return route.protocol_version, route.client_info, route.client_capabilities


def _refusal(error: MCPError, request: RequestId | None = None) -> JSON:
    told = error.error.model_dump(mode="json", exclude_none=True)
    return {"jsonrpc": "2.0", "id": request, "error": told}


def _json(value: JSON | list[JSON], status: int = 200) -> Response:
    return JSONResponse(orjson.dumps(value), status)


ONE_ANSWER = TransportContext(kind="streamable-http", can_send_request=False)


@dataclass
class Exchange:
    """The kernel's view of a single message, to which the server sends nothing but the reply."""

    request_id: RequestId
    transport: TransportContext = ONE_ANSWER
    message_metadata: None = None
    can_send_request: bool = False
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)

    async def send_raw_request(self, method: str, params: Any, opts: CallOptions | None = None) -> JSON:  # noqa: ARG002
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None: ...

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None: ...
