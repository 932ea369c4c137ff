"""FastMCP's generated server for the same contract: each call becomes an HTTP request to the service.

It checks no token and stores nothing. Like ours it is stateless and responds with JSON.
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
