"""What the programs print: Markdown tables, without the service's access log in between."""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

STDOUT = 1


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a Markdown table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *("--:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


@contextlib.contextmanager
def quiet() -> Iterator[TextIO]:
    """Yields what writes to standard output, from which all else is kept meanwhile."""
    sys.stdout.flush()
    with os.fdopen(os.dup(STDOUT), "w") as output, Path(os.devnull).open("wb") as nowhere:
        own = os.dup(STDOUT)
        os.dup2(nowhere.fileno(), STDOUT)
        try:
            yield output
        finally:
            os.dup2(own, STDOUT)
            os.close(own)
