"""Plays all journeys, makes all mistakes, and prints what they cost."""

import argparse
import sys
import tempfile
from functools import partial

from evals import costs, tables, todoist
from evals.journey import Journey, journeys
from evals.mistakes import Mistake, Result, Twins, make, mistakes
from evals.output import quiet
from evals.play import Played, play
from evals.service import Service, serving

EACH = 300  # people of each kind, more than there are journeys or mistakes


def main() -> int:
    """Returns the exit status: 1 if anything is not right, or a journey got dearer."""
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__)
    parser.add_argument("--update", action="store_true", help="record what is new or got cheaper in costs.json")
    parser.add_argument("--each", action="store_true", help="print each journey, too")
    options = parser.parse_args()
    with quiet() as output, tempfile.TemporaryDirectory() as folder:
        with serving(f"sqlite:///{folder}/todo.db", people("journey", "mistake", "twin")) as service:
            played, made = play_all(service), make_all(service)
        theirs = todoist.costs()
        shown = [tables.each(played, theirs)] if options.each else []
        print(*shown, tables.groups(played, theirs), tables.mistakes(made), sep="\n\n", file=output)
        if options.update:
            costs.lower({journey.name: one for journey, one in played if not one.problems})
        print("", tables.short(journeys(), costs.read(), theirs), sep="\n", file=output)
        faults = [*tables.faults(played, made), *costs.faults(played)]
        print("", *faults, sep="\n", file=output)
    return 1 if faults else 0


def people(*kinds: str) -> list[str]:
    return [f"{kind}{number}" for kind in kinds for number in range(EACH)]


def play_all(service: Service) -> list[tuple[Journey, Played]]:
    """Returns what became of each journey, each in the list of another person."""
    return [
        (journey, service.use(f"journey{number}", partial(play, journey))) for number, journey in enumerate(journeys())
    ]


def make_all(service: Service) -> list[tuple[Mistake, Result]]:
    """Returns what became of each mistake, each in the list of another person."""
    twins = Twins(service, people("twin"))
    return [(each, make(service, each, f"mistake{number}", twins)) for number, each in enumerate(mistakes())]


if __name__ == "__main__":
    sys.exit(main())
