"""What is kept of a benchmark: the machine, and of each figure the median, the least and the most of all rounds."""

import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.wrk import Figures

RESULTS = Path(__file__).parent / "results"
DIGITS = 4  # that are significant


def spread(values: Iterable[float]) -> dict[str, float]:
    """Returns {"median", "min", "max"}."""
    given = list(values)
    return {"median": statistics.median(given), "min": min(given), "max": max(given)}


def spreads(runs: Iterable[Figures]) -> dict[str, Any]:
    """Returns the spread of each figure over some runs; errors are not among them, as results with any are not kept."""
    given = [asdict(run) for run in runs]
    return {name: spread(each[name] for each in given) for name in given[0] if name != "errors"}


def write(name: str, machine: Mapping[str, Any], about: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes results/<name>.json: the date, the machine, what else is known about the run, and a row a line."""
    head = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine, **about}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(as_text(head, rows), encoding="utf-8")


def as_text(head: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> str:
    """Returns JSON: each member of the head a line, then `rows`, each of them a line too."""
    lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    table = ",\n".join(f"  {json.dumps(rounded(row))}" for row in rows)
    return "{\n" + ",\n".join([*lines, f' "rows": [\n{table}\n ]']) + "\n}\n"


def rounded(value: Any) -> Any:
    """Returns the value with every float in it cut to its significant digits."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {name: rounded(each) for name, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value
