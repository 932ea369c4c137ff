"""LlamaIndex: its basic MCP client."""

from contextlib import asynccontextmanager

from driver import JOB, run, told
from llama_index.tools.mcp import BasicMCPClient
from signin import provider


class Llama:
    def __init__(self, client):
        self.client = client

    async def tools(self):
        return True, [tool.name for tool in (await self.client.list_tools()).tools]

    async def call(self, name, arguments):
        return told(await self.client.call_tool(name, arguments))


@asynccontextmanager
async def connect():
    client = BasicMCPClient(JOB["mcp"], auth=provider())
    await client.list_tools()
    yield Llama(client)


run(connect)
