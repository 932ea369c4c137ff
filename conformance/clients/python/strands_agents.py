"""Strands Agents: its MCP client, which runs its connection in a thread."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count

from driver import JOB, run
from signin import provider
from strands.tools.mcp import MCPClient

_numbers = count(1)


class Strands:
    def __init__(self, client):
        self.client = client

    async def tools(self):
        return True, [tool.tool_name for tool in await asyncio.to_thread(self.client.list_tools_sync)]

    async def call(self, name, arguments):
        result = await self.client.call_tool_async(f"use-{next(_numbers)}", name, arguments)
        return result["status"] == "success", "".join(part.get("text", "") for part in result["content"])


@asynccontextmanager
async def connect():
    client = MCPClient(url=JOB["mcp"], auth_provider=provider())
    await asyncio.to_thread(client.__enter__)
    try:
        yield Strands(client)
    finally:
        await asyncio.to_thread(client.__exit__, None, None, None)


run(connect)
