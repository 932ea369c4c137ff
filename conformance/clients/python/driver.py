"""What a driver says to conformance/test_clients.py: one JSON document a line, a command in and its answer out.

A driver is told its job in argv[1]. When it must lead a person to a page it says {"open": address}, and is told
{"back": address}: where the person's browser was sent.
"""

import asyncio
import json
import os
import sys
import traceback
from urllib.parse import parse_qs, urlsplit

JOB = json.loads(sys.argv[1])
_out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what a library prints is not for the test


def _tell(**answer):
    print(json.dumps(answer, default=str), file=_out, flush=True)


def _hear():
    line = sys.stdin.readline()
    return json.loads(line) if line.strip() else None


def lead(address):
    """Leads the person to a page; returns the address that their browser came back to."""
    _tell(open=str(address))
    return _hear()["back"]


def parameters(address):
    """Returns the parameters of an address."""
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


def told(result):
    """Returns what an MCP result says: whether it is no refusal, and its text. Both generations of the SDK."""
    refused = result.is_error if hasattr(result, "is_error") else result.isError
    return not refused, "".join(getattr(part, "text", "") for part in result.content)


def run(connect):
    """Runs the client that the context manager `connect` yields, until the test has no more commands.

    The client has `tools()`, which returns names, and `call(name, arguments)`, which returns whether it is no refusal
    and what was said; or `request(method, path, body)` and `revoke()`.
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
