"""README's figures of evals/ are the recorded ones."""

import re

from dev.processes import ROOT
from evals import costs, tables, todoist
from evals.journey import journeys
from evals.mistakes import mistakes

HEADING = "## How well assistants do\n"
README = (ROOT / "README.md").read_text("utf-8")
SECTION = README.partition(HEADING)[2].partition("\n## ")[0]
THEIRS = todoist.costs()


def test_its_table_is_of_the_recorded_costs() -> None:
    lines = [line for line in SECTION.splitlines() if line.startswith("|")]
    assert "\n".join(lines) == tables.short(journeys(), costs.read(), THEIRS)
    assert len(lines) <= 12


def test_its_numbers_are_those_of_the_files() -> None:
    text = " ".join(line for line in SECTION.splitlines() if not line.startswith("|"))
    figures = [
        re.findall(rf"\b(\d+) {words}", text)
        for words in ("things that people say", "of the 60 are left out", "wrong calls that models make")
    ]
    assert figures == [[str(number)] for number in (len(journeys()), 60 - len(THEIRS), len(mistakes()))]


def test_most_of_the_difference_is_the_one_that_it_names() -> None:
    recorded = costs.read()
    saved = {name: cost.tokens_in - recorded[name]["tokens_in"] for name, cost in THEIRS.items()}
    assert saved["from today to tomorrow"] > sum(saved.values()) / 2
