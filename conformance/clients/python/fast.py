"""FastMCP's client."""

from contextlib import asynccontextmanager

from driver import JOB, run, told
from fastmcp import Client
from signin import provider


class Fast:
    def __init__(self, client):
        self.client = client

    async def tools(self):
        return True, [tool.name for tool in await self.client.list_tools()]

    async def call(self, name, arguments):
        return told(await self.client.call_tool_mcp(name, arguments))


@asynccontextmanager
async def connect():
    async with Client(JOB["mcp"], auth=provider()) as client:
        yield Fast(client)


run(connect)
