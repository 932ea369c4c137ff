"""The rows of a table that another app has exported, within the limits of an import."""

import csv
import re
from collections.abc import Iterator

from todo.contract import SITE
from todo.errors import InvalidRequest

MAX_COLUMNS, MAX_ROWS = SITE.limit("foreign_columns"), SITE.limit("import_rows")

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def rows_of(text: str) -> Iterator[list[str]]:
    """Yields the rows. Raises InvalidRequest beyond the limits, and csv.Error."""
    lines = (line[0] for line in LINE.finditer(text))  # io.StringIO would take four bytes a character
    for number, row in enumerate(csv.reader(lines, strict=True), start=1):
        if number > MAX_ROWS:
            raise InvalidRequest.of("file", f"has more than {MAX_ROWS} rows")
        if len(row) > MAX_COLUMNS:
            raise InvalidRequest.of("file", f"has more than {MAX_COLUMNS} columns in row {number}")
        yield row


def cells(names: list[str], row: list[str]) -> dict[str, str]:
    """Returns the cells of a row by column; those beyond the header have no name."""
    return {name: cell for name, cell in zip(names, row, strict=False) if cell.strip()}
