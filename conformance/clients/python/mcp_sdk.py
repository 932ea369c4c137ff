"""The official Python SDK: its 2.x client."""

from contextlib import asynccontextmanager

import httpx2
from driver import JOB, run, told
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from signin import provider


class Official:
    def __init__(self, client):
        self.client = client

    async def tools(self):
        return True, [tool.name for tool in (await self.client.list_tools()).tools]

    async def call(self, name, arguments):
        return told(await self.client.call_tool(name, arguments))


@asynccontextmanager
async def connect():
    async with (
        httpx2.AsyncClient(auth=provider(), timeout=30) as http,
        Client(streamable_http_client(JOB["mcp"], http_client=http)) as client,
    ):
        yield Official(client)


run(connect)
