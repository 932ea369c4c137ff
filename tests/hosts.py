"""Hosts that speak MCP, for tests over HTTP: one message at a time, in either era of the protocol."""

import json
from itertools import count
from typing import Any

import httpx
import orjson

OLDER, NEWER = "2025-11-25", "2026-07-28"
ERAS = ("2025-06-18", OLDER, NEWER)
CLIENT = {"name": "A-host", "version": "1.0"}

_numbers = count(1)


def envelope(version: str) -> dict[str, Any]:
    """Returns what each message of the newer era says of itself."""
    prefix = "io.modelcontextprotocol"
    return {f"{prefix}/protocolVersion": version, f"{prefix}/clientCapabilities": {}, f"{prefix}/clientInfo": CLIENT}


def send(
    client: httpx.Client, method: str, params: dict[str, Any] | None = None, era: str = OLDER, **headers: str
) -> httpx.Response:
    """Returns the answer to one message."""
    params = dict(params or {})
    sent = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": era}
    if era == NEWER:
        params["_meta"] = {**envelope(era), **params.get("_meta", {})}
        sent |= {"Mcp-Method": method, **({"Mcp-Name": params["name"]} if method == "tools/call" else {})}
    message = {"jsonrpc": "2.0", "id": next(_numbers), "method": method, "params": params}
    return client.post(
        "/mcp", content=json.dumps(message), headers={**sent, "Content-Type": "application/json", **headers}
    )


def tools(client: httpx.Client, era: str = OLDER, **headers: str) -> list[dict[str, Any]]:
    """Returns the tools that a host sees."""
    return list(send(client, "tools/list", era=era, **headers).json()["result"]["tools"])


def call(client: httpx.Client, name: str, era: str = OLDER, /, **arguments: Any) -> dict[str, Any]:
    """Returns the result of a call."""
    answer = send(client, "tools/call", {"name": name, "arguments": arguments}, era)
    return dict(answer.json()["result"])


def done(client: httpx.Client, name: str, era: str = OLDER, /, **arguments: Any) -> Any:
    """Returns what a call that is not refused answers; its text is the same."""
    result = call(client, name, era, **arguments)
    assert not result["isError"], result
    (content,) = result["content"]
    assert orjson.loads(content["text"]) == result["structuredContent"]
    return result["structuredContent"]


def refused(client: httpx.Client, name: str, era: str = OLDER, **arguments: Any) -> Any:
    """Returns the problem that a call is refused with."""
    result = call(client, name, era, **arguments)
    assert result["isError"], result
    assert "structuredContent" not in result
    return orjson.loads(result["content"][0]["text"])
