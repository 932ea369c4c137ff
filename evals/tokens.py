"""How many tokens a text costs a model, by the encoding o200k, whose table a package brings."""

from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import bpe_openai


def count(text: str) -> int:
    """Returns the number of tokens of a text."""
    return len(_encoding().encode_ordinary(text))


def count_call(tool: str, arguments: Any) -> int:
    """Returns the tokens that a model writes to call a tool: its name, and the arguments as compact JSON."""
    return count(tool) + count(orjson.dumps(arguments).decode())


@cache
def _encoding() -> "bpe_openai.Encoding":
    import bpe_openai  # which reads its tables for a second

    return bpe_openai.get_encoding("o200k_base")
