"""The tables that `make evals` prints: in Markdown, as README.md has them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from evals.costs import Costs
from evals.journey import Journey
from evals.mistakes import Mistake, Outcome, Result
from evals.output import table
from evals.play import Played
from evals.todoist import Cost

Row = tuple[Journey, Played]

SIDES = ("calls here", "calls with Todoist's", "written here", "written with Todoist's")


def groups(played: Sequence[Row], theirs: dict[str, Cost]) -> str:
    """Returns a row for each group of journeys; Todoist's numbers are for the journeys that it has, beside ours."""
    rows = [_group(name, [row for row in played if row[0].group == name], theirs) for name in _groups(played)]
    rows.append(_group("**all**", played, theirs))
    return table(("journeys", "how many", "calls", "tokens written", "tokens read", "compared", *SIDES), rows)


def each(played: Sequence[Row], theirs: dict[str, Cost]) -> str:
    """Returns a row for each journey."""
    rows = []
    for journey, one in played:
        other = theirs.get(journey.name)
        their = (other.calls, other.tokens_in) if other else ("", "")
        rows.append((journey.says, one.calls, one.tokens_in, one.tokens_out, *their))
    return table(("the person says", "calls", "written", "read", "Todoist's calls", "Todoist's written"), rows)


def short(journeys: Iterable[Journey], costs: Costs, theirs: dict[str, Cost]) -> str:
    """Returns the README's table, by the recorded costs: the quoted sentences, and all journeys that Todoist's have."""
    known = [journey for journey in journeys if journey.name in theirs]
    rows = [(f'"{each.says}"', *_beside([each], costs, theirs)) for each in known if each.quoted]
    rows.append((f"all {len(known)} that can be compared", *_beside(known, costs, theirs)))
    return table(("the person says", "calls", "written", "read", "Todoist's calls", "Todoist's written"), rows)


def _beside(journeys: Iterable[Journey], costs: Costs, theirs: dict[str, Cost]) -> list[int]:
    each = [(*costs[one.name].values(), theirs[one.name].calls, theirs[one.name].tokens_in) for one in journeys]
    return [sum(column) for column in zip(*each, strict=True)]


def mistakes(made: Iterable[tuple[Mistake, Result]]) -> str:
    """Returns a row for each group of mistakes."""
    found: dict[str, Counter[Outcome]] = {}
    for mistake, result in made:
        found.setdefault(mistake.group, Counter())[result.outcome] += 1
        found.setdefault("**all**", Counter())[result.outcome] += 1
    found["**all**"] = found.pop("**all**")
    rows = [(name, counts.total(), *(counts[outcome] for outcome in Outcome)) for name, counts in found.items()]
    return table(("mistakes", "how many", *Outcome), rows)


def faults(played: Iterable[Row], made: Iterable[tuple[Mistake, Result]]) -> Iterator[str]:
    """Yields a line for each journey and each mistake that is not right."""
    for journey, one in played:
        yield from (f"{journey.name}: {problem}" for problem in one.problems[:1])
    for mistake, result in made:
        if not result.outcome.is_right:
            yield f"{result.outcome}: {mistake.name}: {result.why}"


def _groups(played: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(journey.group for journey, _ in played))


def _group(name: str, played: Sequence[Row], theirs: dict[str, Cost]) -> tuple[object, ...]:
    both = [(one, theirs[journey.name]) for journey, one in played if journey.name in theirs and not one.problems]
    return (
        name,
        len(played),
        sum(one.calls for _, one in played),
        sum(one.tokens_in for _, one in played),
        sum(one.tokens_out for _, one in played),
        len(both),
        sum(ours.calls for ours, _ in both),
        sum(their.calls for _, their in both),
        sum(ours.tokens_in for ours, _ in both),
        sum(their.tokens_in for _, their in both),
    )
