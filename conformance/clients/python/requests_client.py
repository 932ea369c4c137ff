"""requests-oauthlib, which refreshes automatically, called from threads."""

import asyncio
import os
from contextlib import asynccontextmanager

from driver import JOB, lead, run
from requests_oauthlib import OAuth2Session

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # it refuses plain HTTP even on loopback


class Http:
    def __init__(self, session):
        self.session = session

    async def request(self, method, path, body):
        answer = await asyncio.to_thread(self.session.request, method, JOB["url"] + path, json=body)
        return answer.status_code < 400, answer.text


@asynccontextmanager
async def connect():
    known = {"client_id": JOB["client"]["id"], "client_secret": JOB["client"]["secret"]}
    session = OAuth2Session(
        known["client_id"],
        redirect_uri=JOB["redirect"],
        scope=JOB["scope"].split(),
        pkce="S256",
        auto_refresh_url=JOB["url"] + "/oauth/token",
        auto_refresh_kwargs=known,
        token_updater=lambda token: None,
    )
    address, _ = session.authorization_url(JOB["url"] + "/oauth/authorize")
    session.fetch_token(
        JOB["url"] + "/oauth/token",
        authorization_response=lead(address),
        client_secret=known["client_secret"],
        include_client_id=True,
    )
    yield Http(session)


run(connect)
