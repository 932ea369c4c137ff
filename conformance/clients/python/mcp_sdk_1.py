"""The official Python SDK: its 1.x session."""

from contextlib import asynccontextmanager

from driver import JOB, run, told
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from signin import provider


class Official:
    def __init__(self, session):
        self.session = session

    async def tools(self):
        return True, [tool.name for tool in (await self.session.list_tools()).tools]

    async def call(self, name, arguments):
        return told(await self.session.call_tool(name, arguments))


@asynccontextmanager
async def connect():
    async with (
        streamablehttp_client(JOB["mcp"], auth=provider()) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield Official(session)


run(connect)
