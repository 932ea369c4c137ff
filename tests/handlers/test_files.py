"""To-dos as files: out as CSV and JSON, and in again."""

import csv
import io
import tracemalloc

import httpx
import pytest

from tests.handlers.test_lists import follow, notice, refused
from tests.people import Person
from todo.contract import API, product
from todo.domain import import_export
from todo.domain.import_export import read_file
from todo.errors import InvalidRequest

pytestmark = pytest.mark.slow_on_postgresql

TODOS = [
    {"todo": "Buy milk, and bread", "notes": 'two\nlines, "quoted"', "due": "2026-11-27T18:00", "priority": "high"},
    {"todo": "=HYPERLINK(1)", "tags": ["+a", "b c"], "due": "2026-11-28", "repeat": "FREQ=DAILY"},
    {"todo": "'=quoted", "notes": "@x"},
    {"todo": "-1"},
    {"todo": "Ünïcödé 😀"},
    {
        "todo": "Shopping",
        "steps": [
            {"text": text, "done": done}
            for text, done in (
                ("Eggs, 6", False),
                ("[x] -1", True),
                ("- [ ] =2", False),
                ('"a";=b', True),
                ("[x]", False),
            )
        ],
    },
    {"todo": "pay;=1+1", "notes": "pay;=1+1;\t-1\n=2\r\n'@a;'b", "tags": ["a, b", '5" "x"', "'c", "=d;=e"]},
    {
        "todo": "\uff1d1",
        "priority": "low",
        "list": '=Trip, "1"',
        "create_list": True,
        "repeat": "FREQ=WEEKLY;BYDAY=FR",
        "due": "2026-11-27",
    },
]
KEPT = ("todo", "notes", "due", "priority", "tags", "repeat", "list", "steps", "status")


@pytest.fixture
def filled(person: Person, client: httpx.Client) -> Person:
    for todo in TODOS:
        assert client.post(f"/todos/{person.username}", json=todo).status_code == 201
    client.post(f"/todos/{person.username}", json={"todo": "done"})
    client.post(f"/todos/{person.username}/{len(TODOS) + 1}/complete")
    client.post(f"/todos/{person.username}", json={"todo": "deleted"})
    client.delete(f"/todos/{person.username}/{len(TODOS) + 2}")
    return person


def send(person: Person, file: bytes | str, name: str = "todo.csv") -> httpx.Response:
    data = file.encode() if isinstance(file, str) else file
    return person.browser.post(
        "/account/import", data={"csrf_token": person.csrf_token()}, files={"file": (name, data, "text/csv")}
    )


def kept(person: Person, client: httpx.Client) -> list[dict[str, object]]:
    page = client.get(f"/todos/{person.username}", params={"status": "all", "limit": 100}).json()
    return [{name: todo[name] for name in KEPT if name in todo} for todo in page["todos"]]


def test_csv_holds_every_to_do_and_no_formula(filled: Person) -> None:
    answer = filled.browser.get("/account/todos.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{product.NAME}.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["todo", "notes", "due", "priority", "tags", "repeat", "list", "steps", "status", "created_at"]
    assert len(rows) == 1 + len(TODOS) + 1
    # A spreadsheet may separate by something else, and knows quotation marks only where a cell of its own begins.
    for separator in ",;\t":
        cells = [cell for row in csv.reader(answer.text.splitlines(), delimiter=separator) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))]
    assert answer.text.startswith('\ufeff"todo","notes",')


@pytest.mark.parametrize("path", ["/account/todos.csv", "/account/export"])
def test_what_goes_out_comes_in_as_it_was(filled: Person, client: httpx.Client, path: str) -> None:
    before = kept(filled, client)
    text = follow(filled, send(filled, filled.browser.get(path).content))
    assert notice(text) == f"You imported {len(before)} to-dos."
    assert kept(filled, client) == before + before
    (change, *_) = client.get(f"/todos/{filled.username}/changes").json()["changes"]
    filled.send("/history/undo", change_id=str(change["id"]))
    assert kept(filled, client) == before


@pytest.mark.parametrize(
    "file",
    [
        "\ufefftodo\r\nA\r\n\r\n",
        "Todo;Due\nA;2026-11-27\n",
        " TODO ,due,\nA,,x\n",
        "todo,\tdue\nA,\n",
        '[{"todo": "A", "id": 7}]',
    ],
)
def test_what_others_write_is_read(person: Person, client: httpx.Client, file: str) -> None:
    assert send(person, file).status_code == 303
    assert [todo["todo"] for todo in kept(person, client)] == ["A"]


@pytest.mark.parametrize(
    "file",
    [
        "todo;notes;priority;status\r\nCafé – 5 €;a,b;High;Done\r\n".encode("cp1252"),  # Excel's CSV in Europe
        'todo,notes,priority,status\r\nCafé – 5 €,"a,b",HIGH,completed\r\n'.encode("cp1252"),
        "todo\tnotes\tpriority\tstatus\r\nCafé – 5 €\ta,b\tHigh\tDone\r\n".encode("utf-16"),  # its "Unicode text"
        b"\xfe\xff" + "todo\tnotes\tpriority\tstatus\rCafé – 5 €\ta,b\thigh\tdone\r".encode("utf-16-be"),
        "todo\tnotes\tpriority\tstatus\nCafé – 5 €\ta,b\thigh\tComplete\n".encode(),
        "\ufeffsep=;\r\ntodo;notes;priority;status\r\nCafé – 5 €;a,b; High ;DONE\r\n".encode(),
        'sep=,\ntodo,notes,priority,status\nCafé – 5 €,"a,b",high,done\n'.encode(),
        '"Sep=\t"\r\ntodo\tnotes\tpriority\tstatus\r\nCafé – 5 €\ta,b\thigh\tdone\r\n'.encode("cp1252"),
        "sep=|\r\ntodo|notes|priority|status\r\nCafé – 5 €|a,b|high|done\r\n".encode(),
        '[{"todo": "Café – 5 €", "notes": "a,b", "priority": "High", "status": "Completed"}]'.encode(),
    ],
)
def test_what_spreadsheets_write_is_read(person: Person, client: httpx.Client, file: bytes) -> None:
    assert send(person, file).status_code == 303
    expected = {"todo": "Café – 5 €", "notes": "a,b", "priority": "high", "tags": [], "status": "done"}
    assert [{"tags": [], **todo} for todo in kept(person, client)] == [expected]


def test_steps_are_lines(person: Person, client: httpx.Client) -> None:
    lines = "- [x] Eggs\r\n* [ ] Milk\n \nFlour\n[X]Salt\n  [ ] Tea \n-1 [x]"
    assert send(person, f'todo,steps\nA,"{lines}\n[x] "\n').status_code == 400
    assert send(person, f'todo,steps\nA,"{lines}"\nB, \n').status_code == 303
    expected = [("Eggs", True), ("Milk", False), ("Flour", False), ("Salt", True), ("Tea", False), ("-1 [x]", False)]
    assert [todo.get("steps") for todo in kept(person, client)] == [
        [{"text": text, "done": done} for text, done in expected],
        None,
    ]


def test_other_values_mean_what_they_say(person: Person, client: httpx.Client) -> None:
    assert send(person, "todo,priority,status\nA,None,Open\nB,MEDIUM,open\nHigh,Low,OPEN\n").status_code == 303
    told = [(todo["todo"], todo.get("priority", "none"), todo["status"]) for todo in kept(person, client)]
    assert sorted(told) == [("A", "none", "open"), ("B", "medium", "open"), ("High", "low", "open")]


@pytest.mark.parametrize(
    ("file", "wrong"),
    [
        ("", "file must have a column with the name todo"),
        ("todo\n", "file holds no to-dos"),
        ("name\nA\n", "file must have a column with the name todo"),
        ("todo,due\nA,2026-11-27\nB,tomorrow\n", "to-do 2: due must have the form of this example"),
        ("todo,repeat\nA,FREQ=DAILY\n", "to-do 1.repeat needs due"),
        ("todo,status\nA,gone\n", "to-do 1: status must be open or done"),
        ("todo,status\nA,Deleted\n", "to-do 1: status must be open or done"),
        ("todo,priority\nA,Urgent\n", "to-do 1: priority must be one of"),
        ("todo,steps\nA," + "x" * 201 + "\n", "to-do 1: steps.0.text must have at most 200 characters"),
        ('[{"todo": "A", "steps": ["a", 5]}]', "to-do 1: steps.1 must be text or an object"),
        ('todo,steps\nA,"' + "a\n" * 51 + '"\n', "to-do 1: steps must have at most 50 items"),
        ("sep=;\n", "file must have a column with the name todo"),
        ("sep=x\ntodoxdue\nAx\n", "file must have a column with the name todo"),
        ("sep=;;\ntodo\nA\n", "file must have a column with the name todo"),
        ("todo" + "\t" * 20 + "\nA\n", "file has more than 20 columns"),
        ("todo\tdue\nA\nB\t2026-11-27\tc\n", "file has more cells in row 2 than columns in its first line"),
        ("sep=\t\ntodo\tdue\n" + "\t\n" * 20_001, "file has more than 20000 rows"),
        ('todo\n"A', "file must be CSV"),
        ("{", "file must be CSV, or JSON"),
        ('{"todos": 1}', "file must hold a list of to-dos"),
        ('[{"todo": 1}]', "to-do 1: todo must be text"),
        ('[{"todo": "A", "status": {}}]', "to-do 1: status must be open or done"),
        ('[{"notes": "A"}]', "to-do 1: todo is required"),
        ("todo,<b>x\nA,x\n", "file has a column that is not known; known are todo, notes, due, priority, tags, repeat"),
        ("todo,todo\nA,x\n", "file must not have the same column twice"),
        ("todo" + "," * 20 + "\nA\n", "file has more than 20 columns"),
        ("todo,due\nA\nB,2026-11-27,c\n", "file has more cells in row 2 than columns in its first line"),
        ("todo,due\n" + ",\n" * 20_001, "file has more than 20000 rows"),
        ('{"todos": [' + "0," * 1_000_000 + "0]}", "file holds more than 1000000 values"),
        ("todo\n" + "A\n" * (API.limit("todos") + 1), "file holds more than 10000 to-dos"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_added(
    person: Person, client: httpx.Client, file: str, wrong: str
) -> None:
    assert wrong in refused(send(person, file), 400)
    assert kept(person, client) == []


@pytest.mark.parametrize(
    "file", [b"\xff\xfe\x00", b"todo\n\x00\n", b"PK\x03\x04\xe9", b"todo\n\xe9\x01\n", "todo\n\0".encode("utf-16")]
)
def test_what_is_no_text_is_refused(person: Person, file: bytes) -> None:
    assert send(person, file).status_code == 400


def test_a_full_list_takes_all_or_none(person: Person, client: httpx.Client) -> None:
    most = API.limit("todos")
    assert send(person, "todo\n" + "A\n" * most).status_code == 303
    assert "The list is full" in refused(send(person, "todo\nB\n"), 409)
    assert client.get(f"/todos/{person.username}").json()["total"] == most


@pytest.mark.parametrize("path", ["/account/todos.csv", "/account/export"])
def test_what_goes_out_of_an_archived_list_comes_in(filled: Person, client: httpx.Client, path: str) -> None:
    add = {"todo": "packed", "list": "Old", "create_list": True}
    client.post(f"/todos/{filled.username}", json=add).raise_for_status()
    client.patch(f"/lists/{filled.username}/Old", json={"archived": True}).raise_for_status()
    assert send(filled, filled.browser.get(path).content).status_code == 303
    page = client.get(f"/todos/{filled.username}", params={"list": "Old"}).json()
    assert [todo["todo"] for todo in page["todos"]] == ["packed", "packed"]


def test_a_form_without_a_file_is_refused(person: Person) -> None:
    answer = person.browser.post(
        "/account/import",
        content=b"--x\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code == 400
    answer = person.browser.post("/account/import", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 400
    too_much = b"x" * (16 * 1024 * 1024 + 1)
    assert send(person, too_much).status_code == 413


@pytest.mark.parametrize(
    "file",
    [
        ",".join(f"c{number}" for number in range(4000)) + "\n" + ",\n" * 2000,
        "todo," + ",".join(f"c{number}" for number in range(4000)) + "\n" + "a\n" * 2000,
        "todo,due\n" + ",\n" * 1_000_000,
        "todo,due\n" + "a,\n" * 1_000_000,
        "todo\n" + "," * 2_000_000,
        "todo,steps\n" + ('a,"' + "a\n" * 60_000 + '"\n') * 100,
        "sep=|\ntodo\n" + "|" * 2_000_000,
        "todo\tdue\n" + "a\t\n" * 1_000_000,
        "[" + "[]," * 1_000_000 + "[]]",
        '[{"todo": 1' + "".join(f',"{number}":1' for number in range(300_000)) + "}]",
        '{"todos": [' + "{}," * 400_000 + "{}]}",
    ],
    ids=[
        "4000 columns",
        "4000 columns and todo",
        "empty rows",
        "rows",
        "cells",
        "steps",
        "bars",
        "tabs",
        "lists",
        "names",
        "objects",
    ],
)
def test_a_file_takes_memory_in_proportion(file: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InvalidRequest):
            read_file(file)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_a_file_in_the_place_of_a_field_is_refused(person: Person) -> None:
    token = person.csrf_token()
    files = {"csrf_token": ("t.txt", token, "text/plain"), "file": ("f.csv", "todo\nBuy milk\n", "text/csv")}
    assert person.browser.post("/account/import", files=files).status_code == 403
    fields = {"csrf_token": token, "file": "todo\nBuy milk\n"}
    answer = person.browser.post("/account/import", files={name: (None, text) for name, text in fields.items()})
    assert answer.status_code == 400


@pytest.mark.parametrize("limit", ["todo.domain.kinds.todos.MAX_TODOS", "todo.domain.quota.MAX_BYTES"])
def test_what_is_too_much_is_refused_before_any_of_it_is_done(
    filled: Person, client: httpx.Client, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    begun: list[str] = []
    perform = import_export.perform
    monkeypatch.setattr(
        import_export, "perform", lambda draft, action: begun.append(action["todo"]) or perform(draft, action)
    )
    before = kept(filled, client)
    monkeypatch.setattr(limit, len(TODOS) + 10 if "TODOS" in limit else 30_000)
    file = "todo,notes\n" + f"a,{'㍿' * 100}\n" * 20
    assert send(filled, file).status_code == 409
    assert begun == []
    assert kept(filled, client) == before
    monkeypatch.undo()
    assert send(filled, file).status_code == 303
