"""The OAuth provider of the Python MCP SDK, 1.x or 2.x, which most agent frameworks accept as `auth`."""

import asyncio

from driver import JOB, lead, parameters
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import OAuthClientMetadata

try:
    from mcp.client.auth import AuthorizationCodeResult
except ImportError:  # 1.x

    def AuthorizationCodeResult(code, state, iss):
        return code, state


class Storage:
    def __init__(self):
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


def provider():
    """Returns the SDK's OAuth provider, with the test's person in place of a browser."""
    backs = []

    async def open_page(address):
        backs.append(await asyncio.to_thread(lead, address))

    async def come_back():
        back = parameters(backs.pop())
        return AuthorizationCodeResult(code=back.get("code", ""), state=back.get("state"), iss=back.get("iss"))

    metadata = OAuthClientMetadata(client_name=JOB["name"], redirect_uris=[JOB["redirect"]])
    return OAuthClientProvider(JOB["mcp"], metadata, Storage(), open_page, come_back)
