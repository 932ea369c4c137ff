"""The named SQL statements of this folder, as aiosql loads them: one text for SQLite and PostgreSQL."""

from pathlib import Path
from typing import Any

import aiosql

FOLDER = Path(__file__).parent

# Each list exists twice, since a list of one status can walk an index that a list of several cannot.
STATUS_CONDITIONS = {"one": "status = :status", "all": "status <> 'deleted'"}


def load(adapter: str) -> Any:
    """Returns the statements for the driver that aiosql knows as `adapter`, each a method that takes a connection."""
    lists = (FOLDER / "todo_lists.sql").read_text(encoding="utf-8")
    filters = (FOLDER / "todo_filters.sql").read_text(encoding="utf-8").strip()
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in ("users.sql", "todos.sql", "changes.sql")]
    for which, condition in STATUS_CONDITIONS.items():
        texts.append(lists.replace("{which}", which).replace("{status}", condition).replace("{filters}", filters))
    return aiosql.from_str("\n".join(texts), adapter, mandatory_parameters=False)
