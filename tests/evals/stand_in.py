"""A server in the place of a model's endpoint: it plays the good calls of the journeys, and proves no model."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from evals.answers import filled
from evals.journey import journeys
from tests.http_server import answering

KEY, NAME = "a-key", "stand-in"
JOURNEYS = {journey.says: journey for journey in journeys()}


@contextmanager
def stand_in(*, lazy: bool = False, busy: int = 0) -> Iterator[str]:
    """Yields its address. A lazy one only talks; a busy one refuses so many requests first."""
    refusals = [429] * busy

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = 200, {}
            if self.path != "/v1/chat/completions" or self.headers["Authorization"] != f"Bearer {KEY}":
                status = 401
            elif refusals:
                status = refusals.pop()
            else:
                message = {"role": "assistant", "content": "Done."} if lazy else next_message(body)
                answer = {"choices": [{"index": 0, "message": message}]}
            sent = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: Any) -> None: ...

    with answering(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        yield f"{url}/v1"


def next_message(body: dict[str, Any]) -> dict[str, Any]:
    """Returns the journey's next call, with ids from the answers so far; after the last, all that they told."""
    messages = body["messages"]
    assert body["model"] == NAME
    assert messages[0]["role"] == "system"
    offered = {tool["function"]["name"]: tool["function"]["parameters"] for tool in body["tools"]}
    journey = JOURNEYS[messages[1]["content"]]
    told = [message["content"] for message in messages if message["role"] == "tool"]
    if len(told) == len(journey.calls):
        return {"role": "assistant", "content": "\n".join(told)}
    call = journey.calls[len(told)]
    assert offered[call.tool]["type"] == "object"
    arguments = json.dumps(filled(call.arguments, [json.loads(text) for text in told]))
    function = {"name": call.tool, "arguments": arguments}
    calls = [{"id": f"call_{len(told)}", "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": calls}
