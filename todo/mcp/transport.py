"""MCP over HTTP without sessions: one JSON-RPC message in, one response out, in both eras of the protocol.

The SDK's own entry starts tasks and streams for each message of the older era, whose versions begin with `initialize`,
and copies each answer several times in the newer. That costs more than the rest of a call, so this calls the SDK's
kernel directly, and applies the SDK's own rules for messages.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

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
from todo.http.asgi_scope import BODY, TEMPLATE, log_as
from todo.http.json_body import parse_json
from todo.http.responses import JSONResponse

JSON = dict[str, Any]

Work = Callable[[], Awaitable[JSON]]
CallOf = Callable[[Mapping[str, Any]], Work]
Count = Callable[[int], Awaitable[None]]
CALL = "tools/call"
COMPLETE = {"resultType": "complete"}
VERSION = MCP_PROTOCOL_VERSION_HEADER
# The only version that has batches. Each answer is bounded, and so is their total.
BATCHED = "2025-03-26"
MAX_BATCH = API.limit("batch_messages")
NOT_STORED = {"Cache-Control": "no-store"}
ROUTING = (VERSION, MCP_METHOD_HEADER, MCP_NAME_HEADER)


class Message(NamedTuple):
    """A message that has been read: the work that answers it, or why it is refused; a notification has neither."""

    status: int = 200  # of the HTTP response, unless the work fails
    id: RequestId | None = None
    refusal: MCPError | None = None
    work: Work | None = None
    is_call: bool = False  # whether it calls an operation, which charges it
    is_newer: bool = False


class Transport:
    """Answers messages: tool calls by the work that `call_of` returns for their parameters, all others by the SDK.

    `call_of` raises MCPError for parameters that call no operation.
    """

    def __init__(self, server: Server[Any], call_of: CallOf) -> None:
        self._server = server
        self._call_of = call_of

    async def answer(self, scope: Scope, headers: Mapping[str, str], count: Count) -> Response:
        """Returns the response to a message or a batch; notifications get an empty 202.

        `count` charges a number of messages that call no operation, and may raise RateLimited. It is called before
        anything is done, so that a refused batch has no effect.
        """
        if not _takes_json(headers.get("accept", "")):
            await count(1)
            return Response(status_code=406, headers=NOT_STORED)
        try:
            message = self._read_body(scope, headers)
        except MCPError as error:
            await count(1)
            return _json(_refusal(error), 400)
        if isinstance(message, list):
            return await self._answer_batch(scope, message, count)
        if not message.is_call:
            await count(1)
        reply, status = await self._reply(message)
        return _json(reply, status) if reply else Response(status_code=202, headers=NOT_STORED)

    async def _answer_batch(self, scope: Scope, messages: list[Message], count: Count) -> Response:
        """Returns the responses to a batch, run in order (MCP 2025-03-26, JSON-RPC 2.0 section 6)."""
        if uncounted := sum(not message.is_call for message in messages):
            await count(uncounted)
        replies = []
        for message in messages:
            reply, status = await self._reply(message)
            if not message.is_call:
                log_as(scope, scope[TEMPLATE], status)
            replies += [reply] if reply else []
        return _json(replies) if replies else Response(status_code=202, headers=NOT_STORED)

    def _read_body(self, scope: Scope, headers: Mapping[str, str]) -> Message | list[Message]:
        """Returns the message in the body, or those of a batch. Raises MCPError if it is neither."""
        try:
            body = parse_json(scope[BODY])
        except InvalidRequest as refusal:
            (error,) = refusal.members["errors"]
            raise MCPError(PARSE_ERROR, f"The body {error['message']}.") from None
        # A client's `initialize` comes before a version is agreed, so it has no version header.
        version = headers.get(VERSION, DEFAULT_NEGOTIATED_VERSION)
        if not isinstance(body, list) or version != BATCHED:
            return self._read(scope, headers, body, version)
        if not 0 < len(body) <= MAX_BATCH:
            raise MCPError(INVALID_REQUEST, f"A batch must hold 1 to {MAX_BATCH} messages.")
        return [self._read_of_batch(message) for message in body]

    def _read_of_batch(self, message: Any) -> Message:
        if isinstance(message, dict) and message.get("method") == "initialize":
            return Message(400, message.get("id"), MCPError(INVALID_REQUEST, "initialize must stand alone."))
        return self._read({}, {}, message, BATCHED)

    def _read(self, scope: Scope, headers: Mapping[str, str], message: Any, version: str) -> Message:
        is_newer = version not in HANDSHAKE_PROTOCOL_VERSIONS
        try:
            if isinstance(message, dict) and _is_notification(message, version, is_newer=is_newer):
                return Message(202)
            if not _is_request(message):
                JSONRPCRequest.model_validate(message)
        except ValidationError:
            return Message(400, refusal=MCPError(INVALID_REQUEST, "The body must be one JSON-RPC message."))
        except MCPError as error:
            return Message(400, refusal=error)
        request_id, method, params = message["id"], message["method"], message.get("params")
        is_call = method == CALL
        try:
            if is_call:
                if is_newer and not _is_consistent(scope, headers, message, version):
                    _sender(scope, headers, message)
                work = self._call_of(params or {})
            else:
                sender = _sender(scope, headers, message) if is_newer else (version, None, None)
                work = partial(self._ask_kernel, request_id, method, params, sender)
        except MCPError as error:
            return Message(_status_of(error, is_newer=is_newer), request_id, error)
        return Message(200, request_id, None, work, is_call, is_newer)

    async def _reply(self, message: Message) -> tuple[JSON | None, int]:
        """Returns the reply to a message, None for a notification, and the HTTP status."""
        if message.refusal:
            return _refusal(message.refusal, message.id), message.status
        if not message.work:
            return None, message.status
        try:
            result = await message.work()
        except Exception as error:
            told = MCPError.from_error_data(modern_error_data(error))
            return _refusal(told, message.id), _status_of(told, is_newer=message.is_newer)
        if message.is_call and message.is_newer:
            result |= _stamp(self._server, result)
        return {"jsonrpc": "2.0", "id": message.id, "result": result}, message.status

    async def _ask_kernel(
        self, request_id: RequestId, method: str, params: JSON | None, sender: tuple[str, Any, Any]
    ) -> JSON:
        connection, exchange = Connection.from_envelope(*sender), Exchange(request_id)
        return await serve_one(self._server, exchange, method, params, connection=connection, lifespan_state={})


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
    # In the newer era, servers send no requests, so there is nothing to answer.
    return "method" not in message and not is_newer


def _is_request(message: Any) -> bool:
    """A fast check that a message is a request; if it is False, the SDK's model decides."""
    return (
        isinstance(message, dict)
        and message.get("jsonrpc") == "2.0"
        and type(message.get("id")) in (int, str)
        and isinstance(message.get("method"), str)
        and isinstance(message.get("params", {}), dict)
    )


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
        and len(headers) == len(scope["headers"])  # no header is repeated
    )


def _sender(scope: Scope, headers: Mapping[str, str], message: JSON) -> tuple[str, Any, Any]:
    """Returns the version, client and capabilities in a message of the newer era.

    Raises MCPError if they are missing or contradict the headers.
    """
    if len(headers) < len(scope["headers"]):  # a header is repeated
        twice = find_duplicated_routing_header((name.decode("latin-1"), "") for name, _ in scope["headers"])
        if twice is not None:
            raise MCPError(HEADER_MISMATCH, f"The header {twice} must come only once.")
    # RFC 9110 section 5.5: white space around a value is not part of it, but the server does not remove it.
    route = classify_inbound_request(
        message, headers={name: headers[name].strip() for name in ROUTING if name in headers}
    )
    if isinstance(route, InboundLadderRejection):
        raise MCPError(route.code, route.message, route.data)
    return route.protocol_version, route.client_info, route.client_capabilities


def _status_of(error: MCPError, *, is_newer: bool) -> int:
    return ERROR_CODE_HTTP_STATUS.get(error.code, 200) if is_newer else 200


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
