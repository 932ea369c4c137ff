"""The plugin tutorial's app: to-dos in memory, one key, no validation."""

import json
import os
from collections import defaultdict

from quart import Quart, Response, request
from quart_cors import cors

EXPECTED = f"Bearer {os.environ['SERVICE_AUTH_KEY']}"

app = cors(Quart(__name__), allow_origin="https://chatgpt.com")
lists: dict[str, list[str]] = defaultdict(list)


def check_key() -> None:
    """Raises AssertionError, and so a 500, unless the request carries the key."""
    assert request.headers.get("Authorization") == EXPECTED


@app.get("/todos/<string:username>")
async def get_todos(username: str) -> Response:
    check_key()
    return Response(json.dumps(lists[username]), mimetype="application/json")


@app.post("/todos/<string:username>")
async def add_todo(username: str) -> Response:
    check_key()
    body = await request.get_json(force=True)
    lists[username].append(body["todo"])
    return Response("OK")


@app.delete("/todos/<string:username>")
async def delete_todo(username: str) -> Response:
    check_key()
    body = await request.get_json(force=True)
    if 0 <= body["todo_idx"] < len(lists[username]):
        lists[username].pop(body["todo_idx"])
    return Response("OK")


if __name__ == "__main__":
    # Without the debugger and the reloader, which would slow it down.
    app.run(host=os.environ["HOST"], port=int(os.environ["PORT"]), use_reloader=False)
