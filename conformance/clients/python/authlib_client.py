"""Authlib's OAuth client for HTTPX, which refreshes automatically."""

import asyncio
import json
from contextlib import asynccontextmanager

from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client
from driver import JOB, lead, run


class Http:
    def __init__(self, client, metadata):
        self.client = client
        self.metadata = metadata

    async def request(self, method, path, body):
        answer = await self.client.request(method, JOB["url"] + path, json=body)
        return answer.status_code < 400, answer.text

    async def revoke(self):
        token = self.client.token["refresh_token"]
        answer = await self.client.revoke_token(self.metadata["revocation_endpoint"], token=token)
        return answer.status_code == 200, answer.text


@asynccontextmanager
async def connect():
    async with AsyncOAuth2Client(
        JOB["client"]["id"],
        JOB["client"]["secret"],
        redirect_uri=JOB["redirect"],
        scope=JOB["scope"],
        code_challenge_method="S256",
        update_token=_keep,
    ) as client:
        answer = await client.request(
            "GET", JOB["url"] + "/.well-known/oauth-authorization-server", withhold_token=True
        )
        metadata = client.metadata = json.loads(answer.text)
        verifier = generate_token(48)
        address, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
        back = await asyncio.to_thread(lead, address)
        await client.fetch_token(
            metadata["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state
        )
        yield Http(client, metadata)


async def _keep(token, refresh_token=None, access_token=None):
    """Does nothing, but Authlib only refreshes with such a callback."""


run(connect)
