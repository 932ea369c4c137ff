"""The journeys by a real model at any OpenAI-compatible endpoint, scored by what holds at the end."""

import argparse
import os
import ssl
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import anyio
import httpx
import orjson

from evals.journey import Journey, journeys
from evals.output import quiet, table
from evals.play import Played, prepare
from evals.service import Assistant, Refused, serving
from evals.state import state_of

JSON = dict[str, Any]

SETTINGS = {"url": "BASE_URL", "key": "API_KEY", "name": "MODEL"}
PREFIXES = ("EVAL_", "OPENAI_")
SKIPPED = (
    "SKIPPED evals LIVE=1: set EVAL_BASE_URL (such as https://api.openai.com/v1), EVAL_API_KEY and EVAL_MODEL, or the "
    "same with OPENAI_ in front, to let a model play the journeys."
)
TURNS = 8  # how often a model may answer before it must be done
ATTEMPTS, PAUSE = 4, 5.0  # where the endpoint is busy; seconds
TIMEOUT = 120.0
# Hosts tell their models the date; the server's own instructions follow.
DATE = "It is Wednesday, 2026-11-25."


class EndpointRefused(Exception):
    """The model's endpoint does not answer; the message says why."""


@dataclass(frozen=True)
class Model:
    """A model, and the endpoint where it is asked."""

    url: str
    key: str = field(repr=False)
    name: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Model | None":
        """Returns the model that the environment names, or None if it does not name one in full."""
        found = {
            name: next((environ[prefix + variable] for prefix in PREFIXES if environ.get(prefix + variable)), "")
            for name, variable in SETTINGS.items()
        }
        return cls(**found) if all(found.values()) else None

    async def answer(self, http: httpx.AsyncClient, messages: list[JSON], tools: list[JSON]) -> JSON:
        """Returns the model's next message. Raises EndpointRefused."""
        body = {"model": self.name, "messages": messages, "tools": tools}
        for attempt in range(1, ATTEMPTS + 1):
            response = await http.post(f"{self.url.rstrip('/')}/chat/completions", json=body)
            if response.is_success:
                return dict(response.json()["choices"][0]["message"])
            if response.status_code != 429 and response.status_code < 500:
                break
            await anyio.sleep(PAUSE * attempt)
        raise EndpointRefused(f"The endpoint answered {response.status_code}: {response.text[:500]}")


@dataclass
class Talk(Played):
    """A journey as a model played it."""

    refused: int = 0


async def talk(model: Model, journey: Journey, assistant: Assistant) -> Talk:
    """Returns what became of a journey in the hands of the model."""
    said = Talk()
    before = await prepare(assistant, journey.start)
    system = f"{DATE}\n\n{assistant.client.instructions or ''}"
    messages: list[JSON] = [{"role": "system", "content": system}, {"role": "user", "content": journey.says}]
    tools = [_function(tool) for tool in assistant.tools.values()]
    headers = {"Authorization": f"Bearer {model.key}"}
    async with httpx.AsyncClient(headers=headers, timeout=TIMEOUT, verify=_trusted()) as http:
        for _ in range(TURNS):
            message = await model.answer(http, messages, tools)
            messages.append(message)
            if not message.get("tool_calls"):
                break
            for call in message["tool_calls"]:
                text = await _call(assistant, call["function"], said)
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
        else:
            said.problems.append(f"it is not done after {TURNS} turns")
    said.judge(journey, before, await state_of(assistant), str(messages[-1].get("content") or ""))
    return said


@cache
def _trusted() -> ssl.SSLContext:
    """Returns whom TLS trusts; to read it takes longer than a call."""
    return httpx.create_ssl_context()


def _function(tool: JSON) -> JSON:
    """Returns a tool as chat completions take it."""
    described = {"name": tool["name"], "description": tool["description"], "parameters": tool["inputSchema"]}
    return {"type": "function", "function": described}


async def _call(assistant: Assistant, function: JSON, said: Talk) -> str:
    """Returns the text of the answer, or of the refusal, from which a model can mend its call."""
    try:
        arguments = orjson.loads(function["arguments"] or "{}")
        text = await assistant.call(function["name"], arguments)
    except orjson.JSONDecodeError:
        arguments, text = {}, "The arguments are not JSON."
        said.refused += 1
    except Refused as refused:
        text = orjson.dumps(refused.problem).decode()
        said.refused += 1
    said.count(function["name"], arguments, text)
    return text


def main(arguments: list[str] | None = None) -> int:
    """Prints what a model made of the journeys. Returns the exit status, 1 if the endpoint refuses."""
    parser = argparse.ArgumentParser(prog="python -m evals.live", description=__doc__)
    parser.add_argument("--only", default="", help="journeys whose group or name has this in it")
    options = parser.parse_args(arguments)
    model = Model.from_env(os.environ)
    if model is None:
        print(SKIPPED)
        return 0
    chosen = [each for each in journeys() if options.only in f"{each.group} {each.name}"]
    people = {journey.name: f"live{number}" for number, journey in enumerate(chosen)}
    with (
        quiet() as output,
        tempfile.TemporaryDirectory() as folder,
        serving(f"sqlite:///{folder}/todo.db", people.values()) as service,
    ):
        try:
            talks = [(each, service.use(people[each.name], partial(talk, model, each))) for each in chosen]
        except EndpointRefused as refusal:
            print(refusal, file=output)
            return 1
        print(f"{model.name}\n", report(talks), sep="\n", file=output)
    return 0


def report(talks: list[tuple[Journey, Talk]]) -> str:
    """Returns a row for each journey, and one for all."""
    rows = [(each.says, *_numbers(said), "; ".join(said.problems) or "right") for each, said in talks]
    right = sum(not said.problems for _, said in talks)
    total = [sum(column) for column in zip(*(_numbers(said) for _, said in talks), strict=True)]
    rows.append(("**all**", *total, f"{right} of {len(talks)} right"))
    return table(("the person says", "calls", "refused", "tokens written", "tokens read", "outcome"), rows)


def _numbers(said: Talk) -> tuple[int, int, int, int]:
    return said.calls, said.refused, said.tokens_in, said.tokens_out


if __name__ == "__main__":
    sys.exit(main())
