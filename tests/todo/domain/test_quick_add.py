"""Quick add: a table of what people write, and what nothing that they write may do."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from todo.domain.quick_add import read

JSON = dict[str, Any]

NOW = datetime(2026, 11, 25, 10, 0)  # a Wednesday
LISTS = ["Inbox", "Shopping", "House work", "House"]
TABLE = yaml.safe_load((Path(__file__).parents[2] / "fixtures/quick_add.yaml").read_text())
ROWS = [
    (group["language"], group.get("week_start", "monday"), {"say": row, "text": row} if isinstance(row, str) else row)
    for group in TABLE
    for row in group["rows"]
]


def test_table_is_large() -> None:
    assert len(ROWS) >= 200
    assert len([row for _, _, row in ROWS if row["say"] == row["text"]]) >= 60


@pytest.mark.parametrize(("language", "week_start", "row"), ROWS, ids=[f"{row[0]}: {row[2]['say']}" for row in ROWS])
def test_table(language: str, week_start: str, row: JSON) -> None:
    reading = read(row["say"], NOW, week_start, LISTS, language=language)
    fields = {name: value for name, value in reading.fields.items() if name != "create_list"}
    assert {"say": row["say"], "text": reading.text, **fields} == row
