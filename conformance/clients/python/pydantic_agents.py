"""Pydantic AI: its MCP toolset, which asks the model to retry on an error."""

from contextlib import asynccontextmanager

from driver import JOB, run
from pydantic_ai.exceptions import ModelRetry
from pydantic_ai.mcp import MCPToolset
from signin import provider


class Pydantic:
    def __init__(self, toolset):
        self.toolset = toolset

    async def tools(self):
        return True, [tool.name for tool in await self.toolset.list_tools()]

    async def call(self, name, arguments):
        try:
            return True, await self.toolset.direct_call_tool(name, arguments)
        except ModelRetry as refusal:
            return False, str(refusal)


@asynccontextmanager
async def connect():
    async with MCPToolset(JOB["mcp"], auth=provider()) as toolset:
        yield Pydantic(toolset)


run(connect)
