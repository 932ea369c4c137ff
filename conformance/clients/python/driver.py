"""A driver's side of conformance/test_clients.py: one JSON document per line, commands in and responses out.

argv[1] is the job as JSON. To have the person visit a page, a driver sends {"open": URL} and receives {"back": URL},
where the browser was redirected to.
"""

import asyncio
import json
import os
import sys
import traceback
from urllib.parse import parse_qs, urlsplit

JOB = json.loads(sys.argv[1])
_out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # keeps what libraries print out of the protocol


def _tell(**answer):
    print(json.dumps(answer, default=str), file=_out, flush=True)


def _hear():
    line = sys.stdin.readline()
    return json.loads(line) if line.strip() else None


def lead(address):
    """Has the person visit a page; returns the URL that their browser was redirected to."""
    _tell(open=str(address))
    return _hear()["back"]


def parameters(address):
    """Returns the query parameters of a URL."""
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


def told(result):
    """Returns whether an MCP result is a success, and its text. Works with both major versions of the SDK."""
    refused = result.is_error if hasattr(result, "is_error") else result.isError
    return not refused, "".join(getattr(part, "text", "") for part in result.content)


def run(connect):
    """Runs the client that the context manager `connect` yields, until the test sends no more commands.

    The client has `tools()` and `call(name, arguments)`, or `request(method, path, body)` and `revoke()`. Each returns
    whether it succeeded, and the text or the names of the tools.
    """
    asyncio.run(_run(connect))


async def _run(connect):
    try:
        async with connect() as client:
            _tell(ok=True, said="connected")
            while command := await asyncio.to_thread(_hear):
                _tell(**await _answer(client, **command))
    except BaseException:
        _tell(ok=False, said=traceback.format_exc())
        raise


async def _answer(client, do, **given):
    if do == "together":
        return {"all": await asyncio.gather(*(_answer(client, **command) for command in given["commands"]))}
    try:
        ok, said = await getattr(client, do)(**given)
    except Exception:
        ok, said = False, traceback.format_exc()
    return {"ok": ok, "said": said if isinstance(said, str) else json.dumps(said, default=str)}
