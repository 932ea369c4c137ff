"""Export to CSV, and import from CSV or JSON: our own files, and those of other apps (see imports)."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson

from todo.contract import API, SITE
from todo.contract.schemas import compile_schema, find_errors
from todo.domain import lists, quota, steps, users
from todo.domain.actions import FIELDS, perform
from todo.domain.changeset import Changeset
from todo.domain.imports import google_tasks
from todo.domain.imports.found import tasks_in
from todo.domain.imports.task import NOT_UNDERSTOOD, to_dos
from todo.domain.kinds.todos import MAX_TODOS
from todo.domain.list_names import names_of
from todo.domain.places import age_of
from todo.domain.todos import PRIORITIES, Folded, Todo, clean
from todo.domain.users import Owner
from todo.errors import MAX_FIELDS, FieldError, InvalidRequest, Refusal, StorageFull
from todo.storage.read_limits import exports
from todo.storage.statements import Connection

JSON = dict[str, Any]

COLUMNS = ("todo", "notes", "due", "priority", "tags", "repeat", "list", "steps", "status", "created_at")
MAX_COLUMNS, MAX_ROWS = SITE.limit("import_columns"), SITE.limit("import_rows")
MAX_VALUES = SITE.limit("import_values")
# A spreadsheet takes a cell that starts with one of these for a formula; a leading apostrophe makes it text, even
# before another apostrophe. Where it splits on something other than commas, a cell may start inside one of ours.
CELL_START, FORMULA_START = r"(?:^|(?<=[;\t\r\n]))", r"(?=[=+\-@\t\r'\uff1d\uff0b\uff0d\uff20])"
FORMULA = re.compile(CELL_START + FORMULA_START)
MADE_TEXT = re.compile(f"{CELL_START}'{FORMULA_START}")
BYTE_ORDER_MARK = "\ufeff"  # tells Excel that this is UTF-8
# A first line that tells Excel the delimiter. Without it, the first of SEPARATORS found in the header is used.
SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?\s*', re.IGNORECASE)
SEPARATORS = ";,\t"
SCHEMA = API.resolved_schema("NewTodo")
# Accepted spellings, in any case.
MEANINGS = {
    "priority": {name: name for name in PRIORITIES},
    "status": {"open": "open", "done": "done", "completed": "done", "complete": "done"},
}
_is_valid = compile_schema(SCHEMA)


@exports
def to_csv(connection: Connection, owner: Owner) -> str:
    """Returns every to-do outside the trash as CSV (RFC 4180), oldest first; moved ones keep their place."""
    user = users.find(connection, owner)
    file = io.StringIO()
    file.write(BYTE_ORDER_MARK)
    table = csv.writer(file, quoting=csv.QUOTE_ALL)
    table.writerow(COLUMNS)
    names = names_of(connection, user, [listed.id for listed in lists.all_of(connection, user)])
    for todo in sorted(map(Todo.from_row, connection.all_todos(user_id=user.id)), key=age_of):
        if todo.status != "deleted":
            shown = {"tags": ", ".join(map(_quoted, todo.tags)), "list": names[todo.list_id]}
            shown["steps"] = steps.as_lines(todo.steps)
            values = {**{name: getattr(todo, name) for name in COLUMNS if name not in shown}, **shown}
            table.writerow([_cell(values[name] or "") for name in COLUMNS])
    return file.getvalue()


def read_file(text: str, name: str = "") -> list[JSON]:
    """Returns the to-dos in a file, each with its status. Raises InvalidRequest, naming the to-dos at fault.

    A file is CSV with a header; JSON, which is an account export, a response of list_todos or an array of to-dos; or an
    export of another app, where `name`, the file's name, may be that of the list. Parsing stops at the limits, as a
    file costs its sender less than us.
    """
    text = text.removeprefix(BYTE_ORDER_MARK)
    found = _from_json(text) if text.lstrip()[:1] in ("{", "[") else _from_csv(text, name)
    if not found:
        raise InvalidRequest.of("file", "holds no to-dos")
    errors: list[FieldError] = []
    for number, todo in enumerate(found, start=1):
        fields = {name: value for name, value in todo.items() if name not in ("status", NOT_UNDERSTOOD)}
        if not _is_valid(fields):
            errors += [FieldError(f"to-do {number}: {e.field}", e.message) for e in find_errors(SCHEMA, fields)]
        if todo["status"] not in ("open", "done"):
            errors.append(FieldError(f"to-do {number}: status", "must be open or done"))
        if len(errors) >= MAX_FIELDS:
            break
    if errors:
        raise InvalidRequest(errors)
    return found


class Import(NamedTuple):
    """To-dos from a file, with everything that can be computed before the list is locked."""

    todos: list[JSON]
    folded: list[Folded]
    bytes: int  # the least that they take
    not_understood: int  # dates and repetitions that are only in the notes

    @classmethod
    def of(cls, found: list[JSON]) -> "Import":
        """Returns the to-dos prepared for `add_all`. Raises StorageFull if not even an empty list could hold them."""
        folded, size = [], 0
        for given in found:
            fields = {name: value for name, value in _fields(given).items() if name != "list"}
            todo = Todo(0, created_at="", updated_at="", **clean(fields))
            folded.append(Folded.of(todo))
            size += int(todo.to_row(folded[-1])["bytes"]) + quota.bytes_of(todo.to_log())
            if size > quota.MAX_BYTES:
                raise StorageFull
        return cls(found, folded, size, sum(given.get(NOT_UNDERSTOOD, 0) for given in found))

    @property
    def summary(self) -> str:
        """Returns what the import does, for the log."""
        dates = self.not_understood
        told = f" {_count(dates, 'date')} could not be read; look in the notes." if dates else ""
        return f"Imported {_count(len(self.todos), 'to-do')}.{told}"


def add_all(connection: Connection, owner: Owner, file: Import) -> int:
    """Adds all to-dos as one change, or none; returns its id. Raises InvalidRequest, QuotaExceeded and StorageFull."""
    found = file.todos
    changeset = Changeset(connection, owner)
    changeset.require_room(len(found), file.bytes)
    for number, (given, folded) in enumerate(zip(found, file.folded, strict=True), start=1):
        try:
            fields = _fields(given)
            list_id = lists.id_to_import(changeset, fields.pop("list", None))
            todo_id = perform(changeset, {"action": "add", **fields})
        except Refusal as refusal:
            raise refusal.at(f"to-do {number}") from None
        changeset.folded[todo_id] = folded
        todo = changeset.get(todo_id)
        if todo:
            done: JSON = {"status": "done", "done_at": changeset.now} if given["status"] == "done" else {}
            changeset.edit("add", todo._replace(list_id=list_id, **done))
    changeset.commit(summary=file.summary)
    return changeset.change_id


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _fields(given: JSON) -> JSON:
    return {name: value for name, value in given.items() if name in FIELDS}


def _from_json(text: str) -> list[JSON]:
    if text.count(",") + text.count("[") + text.count("{") > MAX_VALUES:
        raise InvalidRequest.of("file", f"holds more than {MAX_VALUES} values")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidRequest.of("file", "must be CSV, or JSON as the export has it") from None
    if google_tasks.is_file(value):
        return _take_all(to_dos(google_tasks.read(value)))
    listed = value.get("todos") if isinstance(value, dict) else value
    if not (isinstance(listed, list) and all(isinstance(todo, dict) for todo in listed)):
        raise InvalidRequest.of("file", "must hold a list of to-dos under the name todos")
    # To-dos in the trash are skipped; other fields of an export, such as ids, are ignored.
    return _take_all(_known(todo) for todo in listed if todo.get("status") != "deleted")


def _from_csv(text: str, name: str) -> list[JSON]:
    try:
        tasks = tasks_in(text, name)
        if tasks is not None:
            return _take_all(to_dos(tasks))
        file = io.StringIO(text, newline="")
        table = csv.reader(file, delimiter=_separator(file), strict=True)
        names = _names(next(table, []))
        rows = (_todo(names, row, number) for number, row in enumerate(table, start=1))
        return _take_all(filter(None, rows))
    except csv.Error:
        raise InvalidRequest.of("file", "must be CSV with a header, or JSON as the export has it") from None


def _separator(file: io.StringIO) -> str:
    """Returns the delimiter, and leaves the file at its header."""
    line = file.readline()
    if said := SEPARATOR_LINE.fullmatch(line):
        return said[1]
    file.seek(0)
    # Spreadsheets use semicolons in locales with a decimal comma.
    return next((separator for separator in SEPARATORS if separator in line), ",")


def _names(header: list[str]) -> list[str]:
    """Returns the column names in lower case. Raises InvalidRequest if they are not those of our files."""
    if len(header) > MAX_COLUMNS:
        raise InvalidRequest.of("file", f"has more than {MAX_COLUMNS} columns")
    names = [name.strip().lower() for name in header]
    named = [name for name in names if name]
    if "todo" not in named:
        raise InvalidRequest.of("file", "must have a column with the name todo")
    if not set(named) <= set(COLUMNS):
        raise InvalidRequest.of("file", f"has a column that is not known; known are {', '.join(COLUMNS)}")
    if len(set(named)) < len(named):
        raise InvalidRequest.of("file", "must not have the same column twice")
    return names


def _todo(names: list[str], row: list[str], number: int) -> JSON | None:
    """Returns the to-do in a row, or None for an empty row. Raises InvalidRequest."""
    if number > MAX_ROWS:
        raise InvalidRequest.of("file", f"has more than {MAX_ROWS} rows")
    if len(row) > len(names):
        raise InvalidRequest.of("file", f"has more cells in row {number} than columns in its first line")
    cells = {name: _text(cell) for name, cell in zip(names, row, strict=False) if name and cell.strip()}
    listed = {name: read(cells[name]) for name, read in LISTED.items() if name in cells}
    return _known({**cells, **listed}) if cells else None


def _take_all(found: Iterator[JSON]) -> list[JSON]:
    """Returns the items as a list. Raises InvalidRequest for more than MAX_TODOS."""
    taken: list[JSON] = []
    for item in found:
        if len(taken) == MAX_TODOS:
            raise InvalidRequest.of("file", f"holds more than {MAX_TODOS} to-dos")
        taken.append(item)
    return taken


def _tags(cell: str) -> list[str]:
    """Returns the tags in a cell. The cell is a line of CSV itself, as a tag may contain a comma."""
    (tags,) = csv.reader([cell.replace("\n", " ").replace("\r", " ")], skipinitialspace=True)
    return [tag.strip() for tag in tags if tag.strip()]


# The columns whose cells hold several values.
LISTED: dict[str, Callable[[str], list[Any]]] = {"tags": _tags, "steps": steps.from_lines}


def _quoted(tag: str) -> str:
    return '"' + tag.replace('"', '""') + '"' if "," in tag or '"' in tag else tag


def _known(given: JSON) -> JSON:
    known = {"status": "open", **given}
    return {name: _meant(name, value) for name, value in known.items() if name in FIELDS or name == "status"}


def _meant(name: str, value: Any) -> Any:
    """Returns the contract's spelling of a value, or the value itself if there is none."""
    return MEANINGS[name].get(value.strip().lower(), value) if name in MEANINGS and isinstance(value, str) else value


def _cell(value: str) -> str:
    return FORMULA.sub("'", value)


def _text(cell: str) -> str:
    return MADE_TEXT.sub("", cell)
