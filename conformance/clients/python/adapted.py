"""Tools that mcpadapt makes for synchronous frameworks, called from threads: smolagents and CrewAI."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager

from driver import JOB, run
from signin import provider

SERVER = {"url": JOB["mcp"], "transport": "streamable-http", "auth": provider()}


class Adapted:
    def __init__(self, by_name):
        self.by_name = by_name

    async def tools(self):
        return True, list(self.by_name)

    async def call(self, name, arguments):
        # After a failed sign-in the framework's thread blocks forever.
        said = await asyncio.wait_for(asyncio.to_thread(self.by_name[name], **arguments), 20)
        return not _is_problem(said), said


def _is_problem(said):
    """Whether the text is an error: these frameworks pass on nothing else."""
    try:
        return "code" in json.loads(said) and "status" in json.loads(said)
    except (TypeError, ValueError):
        return True


def smolagents():
    from smolagents import MCPClient

    client = MCPClient(SERVER, structured_output=False)
    return {tool.name: tool.forward for tool in client.get_tools()}, client.disconnect


def crewai():
    from crewai_tools import MCPServerAdapter

    adapter = MCPServerAdapter(SERVER)
    return {tool.name: tool.run for tool in adapter.tools}, adapter.stop


@asynccontextmanager
async def connect():
    by_name, stop = await asyncio.to_thread(globals()[sys.argv[2]])
    try:
        yield Adapted(by_name)
    finally:
        await asyncio.to_thread(stop)


run(connect)
