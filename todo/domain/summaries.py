"""What a change did, in one sentence."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from todo.domain.entries import Entry
from todo.domain.kinds import KINDS
from todo.domain.records import Kind

Done = tuple[tuple[tuple[str, str], int], ...]  # how many records, by kind and action

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
COUNTED = [kind for kind in KINDS.values() if not kind.settings]
SET = {kind.name for kind in KINDS.values() if kind.settings}


def summary(done: Mapping[tuple[str, str], int], entries: Sequence[Entry]) -> str:
    """Returns the sentence for a change; `done` counts the records by kind and action.

    It quotes no text of a record, as that could be a prompt injection.
    """
    settings = [name for entry in entries if entry.key.kind in SET for name in entry.settings]
    return _sentence(tuple(done.items()), tuple(settings))


@lru_cache(maxsize=1000)
def _sentence(done: Done, settings: tuple[str, ...]) -> str:
    """Returns the sentence for what was done and for the settings that were set; few of them make up most changes."""
    parts = _parts(done, COUNTED[0], once=True)
    for kind in COUNTED[1:]:
        parts += _parts(done, kind)
    parts += [f"set the {name}" for name in settings]
    sentence = " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else parts[0]
    return f"{sentence[0].upper()}{sentence[1:]}."


def _parts(done: Done, wanted: Kind, *, once: bool = False) -> list[str]:
    """Returns what was done to the records of a kind. With `once`, only the first part names the kind."""
    parts: list[str] = []
    for (kind, action), count in done:
        if kind == wanted.name and count:
            noun = wanted.nouns[count != 1]
            parts.append(f"{PAST_TENSE[action]} {count}" + ("" if once and parts else f" {noun}"))
    return parts
