"""What the words of a refusal tell to do. The table is general: it knows no tool and no mistake."""

import difflib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from dateutil import parser as dates

from evals.patient import WHOLE, NoCure, Patient

DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2})?")
INVISIBLE = re.compile(r"[\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
LOOKED_UP = r"(?:Call|call|see|by) (list_todos|list_changes|get_profile)\b(?: with (\w+)=(\w+))?"
KNOWN = r"known fields are ([\w, -]+)"


def supply(patient: Patient, field: str, _: re.Match[str]) -> None:
    if field == WHOLE:
        patient.arguments |= {**patient.meaning.call.arguments, **patient.arguments}
    elif not patient.drop_if_not_meant(field):
        patient.set(field, patient.meant(field))


def supply_another(patient: Patient, field: str, found: re.Match[str]) -> None:
    """It needs another field, beside it."""
    other = f"{field.rpartition('.')[0]}.{found[1]}".strip(".")
    patient.set(other, patient.meant(other))


def supply_one_of(patient: Patient, field: str, found: re.Match[str]) -> None:
    """Another field would do as well: those of the fields named that were meant."""
    at = field.rpartition(".")[0]
    fields = [f"{at}.{name.strip()}".strip(".") for name in (field.rpartition(".")[2], *found[1].split(","))]
    meant = [each for each in fields if patient.means(each)]
    if not meant:
        raise NoCure(f"{field}: none of {fields} was meant")
    for each in meant:
        patient.set(each, patient.meant(each))


def choose_field(patient: Patient, field: str, found: re.Match[str]) -> None:
    """One of two fields: the one that was meant."""
    beside = f"{field.rpartition('.')[0]}.{found[1]}".strip(".")
    patient.drop(beside if patient.means(field) else field)


def unless(patient: Patient, field: str, found: re.Match[str]) -> None:
    """A value is right if another field has a certain one, which was meant."""
    if patient.meant(found[1]) != found[2]:
        raise NoCure(f"{field}: {found[1]} was not meant to be {found[2]}")
    patient.set(found[1], found[2])


def rename(patient: Patient, field: str, found: re.Match[str]) -> None:
    """Did you mean: of a field its name, of a value the value."""
    said = found[1].strip("\"'")
    whole, _, name = field.rpartition(".")
    if found.re.pattern == KNOWN:
        known = [each.strip() for each in found[1].split(",")]
        said = next(iter(difflib.get_close_matches(_plain(name), known, 1, 0.7)), "")
    value = patient.drop(field)
    if said:
        patient.set(f"{whole}.{said}".strip("."), value)


def replace(patient: Patient, field: str, found: re.Match[str]) -> None:
    patient.set(field, found[1].strip("\"'"))


def choose(patient: Patient, field: str, found: re.Match[str]) -> None:
    """One of the words: the one that was nearly sent, else the one that was meant."""
    words = [word.strip().strip("\"'") for word in re.split(r",|\bor\b", found[1]) if word.strip()]
    near = difflib.get_close_matches(_plain(str(patient.get(field))), words, 1, 0.8)
    value = near[0] if near else patient.meant(field)
    if value not in words:
        raise NoCure(f"{field}: {value} is none of {words}")
    patient.set(field, value)


def wrap(patient: Patient, field: str, _: re.Match[str]) -> None:
    value = patient.get(field)
    if isinstance(value, str) and value.startswith("["):
        patient.set(field, json.loads(value))
    else:
        patient.set(field, [part.strip() for part in value.split(",")] if isinstance(value, str) else [value])


def unwrap(patient: Patient, field: str, found: re.Match[str]) -> None:
    """One value: the only one that was sent, or a call for each of them where the refusal says so."""
    value = patient.get(field)
    if isinstance(value, list) and len(value) == 1:
        patient.set(field, value[0])
    elif isinstance(value, list) and found[1]:
        patient.repeat = field
    else:
        raise NoCure(f"{field}: {value} is not one value")


def to_text(patient: Patient, field: str, _: re.Match[str]) -> None:
    value = patient.get(field)
    patient.set(field, str(value) if isinstance(value, int | float) else patient.meant(field))


def to_number(patient: Patient, field: str, _: re.Match[str]) -> None:
    digits = re.fullmatch(r"\D*(\d+)(?:\.0+)?", str(patient.get(field)))
    patient.set(field, int(digits[1]) if digits else patient.meant(field))


def to_boolean(patient: Patient, field: str, _: re.Match[str]) -> None:
    patient.set(field, str(patient.get(field)).casefold() in ("true", "yes", "1", "1.0"))


def bound(patient: Patient, field: str, found: re.Match[str]) -> None:
    patient.set(field, int(found[1]))


def shorten(patient: Patient, field: str, found: re.Match[str]) -> None:
    patient.set(field, patient.get(field)[: int(found[1])])


def divide(patient: Patient, field: str, found: re.Match[str]) -> None:
    if field in patient.arguments:
        patient.split = field, int(found[1])
    else:
        patient.set(field, patient.get(field)[: int(found[1])])


def reform(patient: Patient, field: str, found: re.Match[str]) -> None:
    """As in an example: a date is written as the example is; anything else is meant, if it looks like the example."""
    example = found[1].strip().strip("\"'").rstrip(".")
    value = patient.get(field)
    if DATE.fullmatch(example) and isinstance(value, str) and (date := _date(value)):
        patient.set(field, date)
        return
    if patient.drop_if_not_meant(field):
        return
    value = patient.meant(field)
    if not _looks_like(value, example):
        raise NoCure(f"{field}: {value} does not look like {example}")
    patient.set(field, value)


def reform_object(patient: Patient, field: str, found: re.Match[str]) -> None:
    """An object as in an example: what is meant, if it has a field that the example has."""
    example, value = json.loads(found[1]), patient.meant(field)
    if not isinstance(value, dict) or value.keys().isdisjoint(example):
        raise NoCure(f"{field}: {value} does not look like {example}")
    patient.set(field, value)


def clean(patient: Patient, field: str, _: re.Match[str]) -> None:
    patient.set(field, INVISIBLE.sub("", patient.get(field)))


def leave_out(patient: Patient, field: str, _: re.Match[str]) -> None:
    patient.drop(field)


def present_version(patient: Patient, field: str, _: re.Match[str]) -> None:
    patient.set(field or "if_version", patient.problem["current_version"])


def send(patient: Patient, field: str, found: re.Match[str]) -> None:
    """Send this: true."""
    at = field.rpartition(".")[0]
    patient.set(f"{at}.{found[1]}".strip("."), found[2] == "true" if found[2] in ("true", "false") else int(found[2]))


def choose_list(patient: Patient, field: str, _: re.Match[str]) -> None:
    """One of the lists that there are, if one was meant; else a new one."""
    name = patient.meant(field)
    if name in patient.problem["lists"]:
        patient.set(field, name)
    else:
        patient.set(f"{field.rpartition('.')[0]}.create_list".strip("."), True)


def choose_tool(patient: Patient, _: str, found: re.Match[str]) -> None:
    """There is no such tool; of those there are, the one that was meant."""
    tools = [name.strip() for name in found[1].split(",")]
    if patient.meaning.call.tool not in tools:
        raise NoCure(f"{patient.tool}: {tools} has not the one that was meant")
    patient.tool = patient.meaning.call.tool


def use_tool(patient: Patient, field: str, found: re.Match[str]) -> None:
    """Another tool is for this: it takes what is left of the arguments."""
    patient.drop(field)
    patient.tool = found[1]


def new_request_id(patient: Patient, _: str, __: re.Match[str]) -> None:
    patient.set("request_id", "another-one")


async def look_up(patient: Patient, field: str, found: re.Match[str]) -> None:
    """Call that tool and see: the id is that of the to-do, or of the change, that was meant."""
    tool, name, value = found[1], found[2], found[3]
    answer = await patient.ask(tool, {name: value} if name else {})
    field = field or next((each for each in ("todo_id", "change_id", "id") if each in patient.arguments), "")
    if tool == "list_changes":
        known = [change["id"] for change in answer["changes"]]
        ids = [each for each in known if each == patient.meant(field)]
    else:
        about = patient.meaning.texts[int(patient.meant(field))]
        ids = [todo["id"] for todo in answer.get("todos", []) if todo["todo"] == about]
    if not ids:
        raise NoCure(f"{field}: {tool} does not tell it")
    patient.set(field, type(patient.meant(field))(ids[0]))


# The first that matches is applied, so what says more stands before what says less.
REMEDIES: list[tuple[str, Callable[[Patient, str, re.Match[str]], Awaitable[None] | None]]] = [
    (r"[Uu]se (complete_todo|reopen_todo|delete_todo|change_todos)\b(?! takes)", use_tool),
    (r"must be one of lists", choose_list),
    (r"[Ss]end (\w+): (true|false|\d+)", send),
    (r"(?:not (?:a )?known|unknown).*[Dd]id you mean ([\w.]+)", rename),
    (KNOWN, rename),
    (r"[Dd]id you mean (\"[^\"]+\"|[^?;,.]+)", replace),
    (r"no such tool; there are ([\w, ]+)", choose_tool),
    (r"unless another field is given: ([\w, ]+)", supply_one_of),
    (r"is required", supply),
    (r"\bneeds (\w+)", supply_another),
    (r"one value(?:.*(once for each))?", unwrap),
    (r"must be next_cursor", leave_out),
    (r"must be one of ([\w, -]+)", choose),
    (r"must be a list", wrap),
    (r"must be text", to_text),
    (r"must be a (?:whole )?number", to_number),
    (r"must be true or false", to_boolean),
    (r"must be an object, such as (\{.*?\})(?:$|[.;, (])", reform_object),
    (r"must not be empty", supply),
    (r"unless (\w+) is (\w+)", unless),
    (r"cannot come with (\w+)\b.*send one of the two", choose_field),
    (r"(?:must have the form of this example|such as|for example|[Ll]ike):? (\"[^\"]+\"|[^,; ]+)", reform),
    (r"current_version", present_version),
    (r"(list_todos|list_changes) shows()()", look_up),
    (r"must be at (?:most|least) (\d+)", bound),
    (r"must have at most (\d+) characters", shorten),
    (r"must have at most (\d+) items", divide),
    (r"must not hold invisible", clean),
    (r"does not apply", leave_out),
    (r"new request_id", new_request_id),
    (LOOKED_UP, look_up),
]


def _plain(name: str) -> str:
    """Returns a name as the contract writes its own: dueDate as due_date."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").strip("_ ").casefold()


def _date(text: str) -> str | None:
    """Returns a full date, and a time if it has one, as the contract writes them."""
    if not re.search(r"\d{4}", text):
        return None
    try:
        found = dates.parse(text, ignoretz=True, dayfirst="." in text)
    except (ValueError, OverflowError):
        return None
    has_time = ":" in text or re.search(r"\d[T ]\d", text)
    return f"{found:%Y-%m-%dT%H:%M}" if has_time else f"{found:%Y-%m-%d}"


def _looks_like(value: Any, example: str) -> bool:
    return isinstance(value, str) and (bool(DATE.fullmatch(value)) == bool(DATE.fullmatch(example)))
