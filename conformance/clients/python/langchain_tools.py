"""LangChain's adapters: each tool as a LangChain tool, called as an agent calls it."""

from contextlib import asynccontextmanager
from itertools import count

from driver import JOB, run
from langchain_mcp_adapters.client import MultiServerMCPClient
from signin import provider

_numbers = count(1)


class LangChain:
    def __init__(self, tools):
        self.by_name = {tool.name: tool for tool in tools}

    async def tools(self):
        return True, list(self.by_name)

    async def call(self, name, arguments):
        used = {"type": "tool_call", "name": name, "args": arguments, "id": f"use-{next(_numbers)}"}
        message = await self.by_name[name].ainvoke(used)
        return message.status == "success", _text(message.content)


def _text(content):
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


@asynccontextmanager
async def connect():
    server = {"transport": "streamable_http", "url": JOB["mcp"], "auth": provider()}
    yield LangChain(await MultiServerMCPClient({"todos": server}).get_tools())


run(connect)
