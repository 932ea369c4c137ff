"""Google ADK: its MCP toolset, with numbers as floats, as Gemini sends them."""

from contextlib import asynccontextmanager
from types import SimpleNamespace

from driver import JOB, run
from google.adk.agents import Agent
from google.adk.agents.invocation_context import InvocationContext
from google.adk.sessions import InMemorySessionService
from google.adk.tools.mcp_tool import McpToolset, StreamableHTTPConnectionParams
from google.adk.tools.mcp_tool.mcp_session_manager import create_mcp_http_client
from google.adk.tools.tool_context import ToolContext
from signin import provider

signin = provider()


def http_client(**options):
    return create_mcp_http_client(**{**options, "auth": signin})


class Adk:
    def __init__(self, tools, context):
        self.by_name = {tool.name: tool for tool in tools}
        self.context = context

    async def tools(self):
        return True, list(self.by_name)

    async def call(self, name, arguments):
        result = await self.by_name[name].run_async(args=_as_floats(arguments), tool_context=ToolContext(self.context))
        if "content" not in result:
            return False, result
        return not (result.get("isError") or result.get("is_error")), result["content"][0]["text"]


def _as_floats(value):
    if isinstance(value, dict):
        return {name: _as_floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@asynccontextmanager
async def connect():
    toolset = McpToolset(
        connection_params=StreamableHTTPConnectionParams(url=JOB["mcp"], timeout=30, httpx_client_factory=http_client)
    )
    sessions = InMemorySessionService()
    session = await sessions.create_session(app_name="story", user_id="somebody")
    context = InvocationContext(
        session_service=sessions, invocation_id="1", agent=Agent(name="story", model="none"), session=session
    )
    try:
        yield Adk(await toolset.get_tools(SimpleNamespace(state={})), context)
    finally:
        await toolset.close()


run(connect)
