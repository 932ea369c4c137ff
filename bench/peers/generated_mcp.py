"""The tools of the same contract, generated: each call becomes a request to the service over HTTP.

It checks no token and keeps nothing, and like ours answers with JSON and without sessions.
"""

import os

import httpx2
from fastmcp import FastMCP

from todo.contract import API

key = {"Authorization": f"Bearer {os.environ['SERVICE_AUTH_KEY']}"}
client = httpx2.AsyncClient(base_url=os.environ["BENCH_SERVICE"], headers=key, trust_env=False)
app = FastMCP.from_openapi(API.document, client, name="todo").http_app(
    path="/mcp", stateless_http=True, json_response=True
)
