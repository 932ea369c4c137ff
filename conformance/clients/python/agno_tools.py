"""Agno: its MCP toolkit, which sends a header and does not support OAuth."""

from contextlib import asynccontextmanager

from agno.tools.mcp import MCPTools
from driver import JOB, run


class Agno:
    def __init__(self, toolkit):
        self.functions = toolkit.functions

    async def tools(self):
        return True, list(self.functions)

    async def call(self, name, arguments):
        said = (await self.functions[name].entrypoint(**arguments)).content
        return not said.startswith("Error"), said


@asynccontextmanager
async def connect():
    async with MCPTools(
        transport="streamable-http", url=JOB["mcp"], headers={"Authorization": f"Bearer {JOB['key']}"}
    ) as toolkit:
        yield Agno(toolkit)


run(connect)
