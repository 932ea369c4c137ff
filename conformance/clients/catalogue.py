"""Third-party clients: their packages, drivers and abilities."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from conformance import node
from conformance.venvs import venv_with

HERE = Path(__file__).parent
PYTHON, JAVASCRIPT, MORE_JAVASCRIPT = HERE / "python", HERE / "js", HERE / "more-js"


@dataclass(frozen=True)
class Client:
    """A client in one version. `package` names its requirements file, or its key in package.json."""

    name: str
    package: str
    driver: str
    folder: Path
    mcp: bool = True  # else an OAuth library, which uses HTTP
    oauth: bool = True  # else it sends the service key
    registers: bool = True  # else it gets a client id and a secret
    revokes: bool = False  # else the person disconnects it
    argument: str = ""
    only_with_all: bool = False

    @property
    def pinned(self) -> str:
        """Returns the pinned requirement, in the form of its package registry."""
        if self.folder == PYTHON:
            return self.requirements.read_text(encoding="utf-8").splitlines()[0]
        package = json.loads((self.folder / "package.json").read_text(encoding="utf-8"))
        version = package["dependencies"][self.package]
        return version.removeprefix("npm:") if ":" in version else f"{self.package}@{version}"

    @property
    def requirements(self) -> Path:
        return PYTHON / f"{self.package}.txt"

    def command(self) -> list[str | Path]:
        """Returns the command that starts its driver, without arguments. Installs a Python client first."""
        program = (
            venv_with(self.requirements) / "bin" / "python"
            if self.folder == PYTHON
            else node.programs(self.folder) / "node"
        )
        return [program, self.folder / self.driver]

    def environ(self, home: Path) -> dict[str, str]:
        """Returns its driver's whole environment."""
        if self.folder == PYTHON:
            return {"PATH": os.defpath, "HOME": str(home), "NO_COLOR": "1"}
        return node.environ(home, self.folder)


def _python(name: str, package: str, driver: str, **more: bool | str) -> Client:
    return Client(name, package, driver, PYTHON, **more)


def _js(name: str, package: str, driver: str, **more: bool | str) -> Client:
    return Client(name, package, driver, JAVASCRIPT, **more)


def _more_js(name: str, package: str, driver: str, **more: bool | str) -> Client:
    return Client(name, package, driver, MORE_JAVASCRIPT, only_with_all=True, **more)


CLIENTS = [
    _js("TypeScript SDK 1.13", "sdk-1.13", "sdk.mjs", argument="sdk-1.13"),
    _js("TypeScript SDK 1.20", "sdk-1.20", "sdk.mjs", argument="sdk-1.20"),
    _js("TypeScript SDK 1.32", "sdk-1.32", "sdk.mjs", argument="sdk-1.32"),
    _js("TypeScript SDK 2", "@modelcontextprotocol/client", "sdk.mjs", argument="@modelcontextprotocol/client"),
    _js("mcp-remote", "mcp-remote", "remote.mjs"),
    _js("Vercel's AI SDK", "@ai-sdk/mcp", "ai.mjs"),
    _js("LangChain, JavaScript", "@langchain/mcp-adapters", "langchain.mjs"),
    _more_js("mcp-use, JavaScript", "mcp-use", "mcp-use.mjs"),
    _more_js("Mastra", "@mastra/mcp", "mastra.mjs", registers=False),
    _js("OpenAI Agents, JavaScript", "@openai/agents-core", "agents.mjs"),
    _python("Python SDK 1", "mcp-1", "mcp_sdk_1.py"),
    _python("Python SDK 2", "mcp-2", "mcp_sdk.py"),
    _python("fastmcp", "fastmcp", "fast.py"),
    _python("LangChain, Python", "langchain-mcp-adapters", "langchain_tools.py"),
    _python("OpenAI Agents, Python", "openai-agents", "openai_agents.py"),
    _python("Pydantic AI", "pydantic-ai-slim", "pydantic_agents.py"),
    _python("smolagents", "smolagents", "adapted.py", argument="smolagents"),
    _python("LlamaIndex", "llama-index-tools-mcp", "llama.py"),
    _python("Strands Agents", "strands-agents", "strands_agents.py"),
    _python("mcp-use, Python", "mcp-use", "used.py"),
    _python("Agno", "agno", "agno_tools.py", oauth=False),
    _python("Google ADK", "google-adk", "adk.py"),
    _python("CrewAI", "crewai-tools", "adapted.py", argument="crewai", only_with_all=True),
    _js("oauth4webapi", "oauth4webapi", "oauth4.mjs", mcp=False, revokes=True),
    _js("openid-client", "openid-client", "openid.mjs", mcp=False, revokes=True),
    _js("simple-oauth2", "simple-oauth2", "simple.mjs", mcp=False, registers=False, revokes=True),
    _js(
        "@badgateway/oauth2-client",
        "@badgateway/oauth2-client",
        "badgateway.mjs",
        mcp=False,
        registers=False,
        revokes=True,
    ),
    _python("Authlib", "authlib", "authlib_client.py", mcp=False, registers=False, revokes=True),
    _python("requests-oauthlib", "requests-oauthlib", "requests_client.py", mcp=False, registers=False),
]


def chosen() -> list[Client]:
    """Returns the clients to run: all with ALL=1, else those that install in reasonable time."""
    return [client for client in CLIENTS if os.environ.get("ALL") or not client.only_with_all]
