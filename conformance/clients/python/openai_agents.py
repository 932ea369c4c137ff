"""OpenAI Agents SDK: its MCP server class over streamable HTTP."""

from contextlib import asynccontextmanager

from agents.mcp import MCPServerStreamableHttp
from driver import JOB, run, told
from signin import provider


class Agents:
    def __init__(self, server):
        self.server = server

    async def tools(self):
        return True, [tool.name for tool in await self.server.list_tools()]

    async def call(self, name, arguments):
        return told(await self.server.call_tool(name, arguments))


@asynccontextmanager
async def connect():
    params = {"url": JOB["mcp"], "auth": provider(), "timeout": 30}
    async with MCPServerStreamableHttp(params=params, client_session_timeout_seconds=30) as server:
        yield Agents(server)


run(connect)
