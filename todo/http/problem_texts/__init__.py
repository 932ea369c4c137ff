"""The texts of problem documents. Each module in this folder has those of an area, as PROBLEMS."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """The fixed members of a problem document, one row of a table."""

    status: int
    code: str
    title: str
    detail: str
    hint: str
