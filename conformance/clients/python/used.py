"""mcp-use for Python: a client session, with the SDK's OAuth provider."""

from contextlib import asynccontextmanager

from driver import JOB, run, told
from mcp_use import MCPClient
from signin import provider


class Used:
    def __init__(self, session):
        self.session = session

    async def tools(self):
        return True, [tool.name for tool in await self.session.list_tools()]

    async def call(self, name, arguments):
        return told(await self.session.call_tool(name, arguments))


@asynccontextmanager
async def connect():
    client = MCPClient({"mcpServers": {"todos": {"url": JOB["mcp"], "auth": provider()}}})
    yield Used(await client.create_session("todos"))
    await client.close_all_sessions()


run(connect)
