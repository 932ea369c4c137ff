"""No text can make a pattern slow: each takes time in proportion to the text, and none is tried on one too long."""

import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

import todo
from tests.contract.test_spec import CONTRACTS, walk
from todo.contract import API
from todo.contract.schemas import FORMATS, compile_schema, find_errors

JSON = dict[str, Any]

MAX_SECONDS = 0.05
LONG = 20_000  # characters; quadratic time is over a second then, linear time a few milliseconds
# What a text may end in, so that a pattern fails at the very end.
ENDINGS = ("", "\x01", " ", "\n", "é", "\u200d")
STRETCHED = " a0-_/:;,.=@?%#\t\u00a0é\u200d\ufe0f😀"


def strings() -> Iterator[tuple[str, JSON]]:
    """Yields every text of both contracts that has a pattern or a format, with its place."""
    for contract in CONTRACTS:
        for place, schema in walk(contract.document):
            if isinstance(schema.get("pattern"), str) or schema.get("format") in FORMATS:
                yield f"{contract.name}/{'/'.join(place)}", schema


def expressions() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yields every regular expression that a module of ours keeps."""
    for module in pkgutil.walk_packages(todo.__path__, "todo."):
        if module.name != "todo.cli":
            kept = vars(importlib.import_module(module.name))
            for name, value in kept.items():
                for expression in value.values() if isinstance(value, dict) else [value]:
                    if isinstance(expression, re.Pattern):
                        yield f"{module.name}.{name}", expression


STRINGS = dict(strings())
PATTERNS = {schema["pattern"]: schema["example"] for schema in STRINGS.values() if "pattern" in schema}
EXPRESSIONS = {f"{name} {expression.pattern!r}": expression for name, expression in expressions()}


def adversaries(pattern: str, example: str, length: int) -> Iterator[str]:
    """Yields texts of this length that match as far as their end, or nearly so."""
    stretched = {*STRETCHED, *(sign for sign in pattern if sign.isascii()), *example}
    starts = {"", example, example[: len(example) // 2], *(example[: at + 1] for at in range(min(len(example), 12)))}
    for start in starts:
        for sign in stretched if start in ("", example) else {example[len(start) - 1], " ", "a", "0"}:
            for end in ENDINGS:
                yield (start + sign * length)[: max(0, length - len(end))] + end
    for end in ENDINGS:
        yield (example * (length // max(1, len(example)) + 1))[: length - len(end)] + end


def slowest(check: Callable[[str], Any], texts: Iterable[str]) -> tuple[float, str]:
    """Returns the longest time of a check, and what took it; one that took long is tried again, as others run too."""
    found = (0.0, "")
    for text in texts:
        seconds = min(_time(check, text) for _ in range(3)) if _time(check, text) > MAX_SECONDS / 2 else 0.0
        found = max(found, (seconds, repr(text[:20] + "..." + text[-3:])))
        if seconds > MAX_SECONDS:
            break
    return found


def _time(check: Callable[[str], Any], text: str) -> float:
    start = time.perf_counter()
    check(text)
    return time.perf_counter() - start


@pytest.mark.parametrize("schema", STRINGS.values(), ids=STRINGS)
def test_what_has_a_pattern_has_a_length(schema: JSON) -> None:
    assert schema["maxLength"]


@pytest.mark.parametrize("times", [1, 10])
@pytest.mark.parametrize("schema", STRINGS.values(), ids=STRINGS)
def test_values_of_the_contract_are_checked_quickly(schema: JSON, times: int) -> None:
    length = min(schema["maxLength"] * times, LONG)
    is_valid = compile_schema(schema)
    texts = list(adversaries(schema.get("pattern", ""), str(schema["example"]), length))[:: 1 + length // 2000]
    for check in (is_valid, lambda text: find_errors(schema, text)):
        seconds, text = slowest(check, texts)
        assert seconds < MAX_SECONDS, text


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_are_linear(pattern: str) -> None:
    whole = re.compile(re.sub(r"\$$", r"\\Z", pattern))
    seconds, text = slowest(whole.search, adversaries(pattern, str(PATTERNS[pattern]), LONG))
    assert seconds < MAX_SECONDS, text


@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_linear(name: str) -> None:
    seconds, text = slowest(FORMATS[name], adversaries("😀\u200d\ufe0f#🏴", "1️⃣ 👩🏽‍💻 葛󠄀 🏴󠁧󠁢󠁥󠁮󠁧󠁿", LONG))
    assert seconds < MAX_SECONDS, text


EXAMPLES = {
    "todo.oauth.redirects.LOOPBACK_URI": "http://localhost:8000/a?b",
    "todo.oauth.fetching.DOT_SEGMENTS": "/a/%2e./.",
}
# Those that are not for a whole text.
USED = {
    "todo.accounts.bearer._NOT_IN_NAMES": "search",
    "todo.domain.import_export.FORMULA": "findall",
    "todo.domain.import_export.MADE_TEXT": "findall",
    "todo.oauth.fetching.DOT_SEGMENTS": "search",
    "todo.contract.formats.HAS_HIDDEN": "search",
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_are_linear(name: str) -> None:
    expression = EXPRESSIONS[name]
    is_bytes = isinstance(expression.pattern, bytes)
    written = expression.pattern.decode() if is_bytes else expression.pattern
    texts = adversaries(written, EXAMPLES.get(name.split(" ")[0], "a"), LONG)
    use = getattr(expression, USED.get(name.split(" ")[0], "fullmatch"))
    seconds, text = slowest(lambda text: use(text.encode() if is_bytes else text), texts)
    assert seconds < MAX_SECONDS, text


def test_expressions_were_found() -> None:
    assert {name.split(" ")[0] for name in EXPRESSIONS} >= {
        *EXAMPLES,
        "todo.contract.formats.VISIBLE",
        "todo.mcp.endpoint.HINT",
    }


def test_what_is_too_long_is_told_once_and_not_looked_into() -> None:
    (error,) = find_errors(API.resolved_schema("Words"), "a" * 30_000 + "\x01")
    assert error.message.startswith("must have at most 200 characters")
    (error,) = find_errors(API.resolved_schema("Tags"), ["\x01"] * 30_000)
    assert error.message == "must have at most 20 items"
