"""What a change did, in one sentence."""

from collections import Counter
from collections.abc import Sequence

from todo.domain.entries import Entry, set_in_profile
from todo.domain.records import KINDS, LIST, PROFILE_KEY, TODO

PAST_TENSE = {
    "add": "added",
    "update": "changed",
    "complete": "completed",
    "reopen": "reopened",
    "delete": "deleted",
    "restore": "restored",
    "share": "shared",
    "unshare": "unshared",
    "archive": "archived",
}


def summary(done: Counter[tuple[str, str]], entries: Sequence[Entry]) -> str:
    """Returns the sentence for a change; `done` counts the records by kind and action.

    It quotes no text of a to-do or a list, as that could be a prompt injection.
    """
    parts = [*_parts(done, TODO, once=True), *_parts(done, LIST)]
    for entry in entries:
        if entry.key == PROFILE_KEY:
            parts += [f"set the {name}" for name in set_in_profile(entry)]
    sentence = " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else parts[0]
    return f"{sentence[0].upper()}{sentence[1:]}."


def _parts(done: Counter[tuple[str, str]], wanted: str, *, once: bool = False) -> list[str]:
    """Returns what was done to the records of a kind. With `once`, the first part alone names the kind."""
    parts: list[str] = []
    for (kind, action), count in done.items():
        if kind == wanted and count:
            noun = KINDS[kind].counted[count != 1]
            parts.append(f"{PAST_TENSE[action]} {count}" + ("" if once and parts else f" {noun}"))
    return parts
