"""Files of Todoist, TickTick and Google Tasks as they are: what becomes of each part, and that nothing is lost."""

import json
import re
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.handlers.test_files import send
from tests.handlers.test_lists import follow, notice, refused
from tests.people import Person
from todo.contract import API
from todo.contract.schemas import compile_schema
from todo.domain.import_export import read_file
from todo.domain.imports.task import NOT_UNDERSTOOD
from todo.errors import InvalidRequest

pytestmark = pytest.mark.slow_on_postgresql

FIXTURES = Path(__file__).parents[1] / "fixtures" / "imports"
TODOIST, TICKTICK, GOOGLE = "todoist.csv", "ticktick.csv", "Tasks.json"
TODOIST_HEAD = "TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE\n"
TICKTICK_HEAD = (
    '"Date: 2026-11-25+0000"\n"Version: 7.1"\n"Folder Name","List Name","Title","Content","taskId","parentId"\n'
)

JSON = dict[str, Any]


def text_of(name: str) -> str:
    return (FIXTURES / name).read_text(encoding="utf-8-sig")


def read(text: str, name: str = "") -> list[JSON]:
    return [{key: value for key, value in todo.items() if key != NOT_UNDERSTOOD} for todo in read_file(text, name)]


def kept(person: Person, client: httpx.Client) -> dict[str, JSON]:
    """Returns the to-dos of a list by their text."""
    page = client.get(f"/todos/{person.username}", params={"status": "all", "limit": 100}).json()
    return {todo["todo"]: todo for todo in page["todos"]}


class TestOverHTTP:
    def test_todoist(self, person: Person, client: httpx.Client) -> None:
        text = follow(person, send(person, text_of(TODOIST), "Garden [2203306141].csv"))
        assert notice(text) == "You imported 3 to-dos. 1 date could not be read; look in the notes."
        todos = kept(person, client)
        assert set(todos) == {"Paint the fence", "Water the plants", "Call the plumber"}
        assert {todo["list"] for todo in todos.values()} == {"Garden"}
        fence = todos["Paint the fence"]
        assert (fence["due"], fence["priority"], fence["tags"]) == ("2026-12-24", "high", ["garden", "weekend"])
        assert [step["text"] for step in fence["steps"]] == ["Buy paint", "Borrow a ladder"]
        for said in ("and sand it first", "Buy paint: due 2026-12-20", "From Max", "The shop closes at six"):
            assert said in fence["notes"]
        plants = todos["Water the plants"]
        assert "due" not in plants
        for said in ("Date: every Friday", "Section: Indoors", "Responsible: Max (7654321)"):
            assert said in plants["notes"]
        plumber = todos["Call the plumber"]
        assert (plumber["due"], plumber["priority"]) == ("2026-12-01T09:30", "medium")
        assert "Duration: 30 minute" in plumber["notes"]
        assert "Deadline: 2026-12-15" in plumber["notes"]

    def test_ticktick(self, person: Person, client: httpx.Client) -> None:
        client.patch(f"/profiles/{person.username}", json={"time_zone": "Europe/Vienna"}).raise_for_status()
        text = follow(person, send(person, text_of(TICKTICK), "backup.csv"))
        assert notice(text) == "You imported 4 to-dos. 1 date could not be read; look in the notes."
        todos = kept(person, client)
        fence, dinner, stand_up, habit = (
            todos[name] for name in ("Paint the fence", "Dinner", "Stand-up", "Old habit")
        )
        assert (fence["due"], fence["list"], fence["priority"]) == ("2026-12-24", "Garden", "high")
        assert fence["tags"] == ["outside", "weekend"]
        assert fence["steps"] == [{"text": "Buy paint", "done": True}]
        assert dinner["notes"] == "At eight"
        assert dinner["steps"] == [{"text": "Rice", "done": False}, {"text": "Salt", "done": True}]
        assert dinner.get("list", "Inbox") == "Inbox"
        assert (stand_up["due"], stand_up["list"]) == ("2026-12-01T09:45", "Work-Team")
        assert stand_up["repeat"] == "FREQ=WEEKLY;INTERVAL=1;BYDAY=TU"
        assert "Section: Routine" in stand_up["notes"]
        assert (habit["status"], habit["priority"]) == ("done", "low")
        assert "ERULE:NAME=CUSTOM;BYDATE=20261201,20261207" in habit["notes"]

    def test_google_tasks(self, person: Person, client: httpx.Client) -> None:
        text = follow(person, send(person, text_of(GOOGLE), "Tasks.json"))
        assert notice(text) == "You imported 3 to-dos. 1 date could not be read; look in the notes."
        todos = kept(person, client)
        fence, letter, book = (todos[name] for name in ("Paint the fence", "Answer the letter", "A long book"))
        assert (fence["due"], fence["list"], fence["notes"]) == ("2026-12-24", "My Tasks", "White, two coats")
        assert fence["steps"] == [{"text": "Buy paint", "done": True}]
        assert (letter["due"], letter["notes"]) == ("2026-12-02", "Link: https://mail.example.com/1")
        assert (book["list"], book["notes"]) == ("Reading", "Date: some day")

    @pytest.mark.parametrize("name", [TODOIST, TICKTICK, GOOGLE])
    def test_one_undo_takes_it_all_back(self, person: Person, client: httpx.Client, name: str) -> None:
        assert send(person, text_of(name), name).status_code == 303
        (change, *_) = client.get(f"/todos/{person.username}/changes").json()["changes"]
        person.send("/history/undo", change_id=str(change["id"]))
        assert kept(person, client) == {}

    def test_what_is_too_much_is_refused_as_ever(self, person: Person, client: httpx.Client) -> None:
        for file, wrong in (
            (TODOIST_HEAD + "section,A,,,,,,,,\n" * 20_000, "file has more than 20000 rows"),
            (TODOIST_HEAD + "task,A" + "," * 40 + "\n", "file has more than 40 columns in row 2"),
            (TODOIST_HEAD + "task,A,,4,1,,,,,\n" * 10_001, "file holds more than 10000 to-dos"),
            (TODOIST_HEAD + 'task,"A', "file must be CSV"),
            (TODOIST_HEAD, "file holds no to-dos"),
            (TICKTICK_HEAD, "file holds no to-dos"),
            ('{"items": []}', "file holds no to-dos"),
            ('{"items": [{"title": "A", "items": [' + "{}," * 20_001 + "{}]}]}", "file holds more than 20000 tasks"),
            ('{"items": [1]}', "file must hold a list of to-dos"),
        ):
            assert wrong in refused(send(person, file), 400), wrong
        assert kept(person, client) == {}


@pytest.mark.parametrize(
    ("written", "due"),
    [
        ("2026-12-24", "2026-12-24"),
        ("2026-12-24 18:00", "2026-12-24T18:00"),
        ("2026-12-24T18:00:00", "2026-12-24T18:00"),
        ("2026-02-30", None),
        ("24 Dec", None),
        ("jeden Freitag", None),
    ],
)
def test_a_date_that_is_not_understood_is_in_the_notes(written: str, due: str | None) -> None:
    (todo,) = read_file(f"{TODOIST_HEAD}task,A,,4,1,,,{written},de,\n")
    assert todo.get("due") == due
    assert todo.get(NOT_UNDERSTOOD, 0) == (due is None)
    assert todo.get("notes") == (f"Date: {written}" if due is None else None)


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("Home [2203306141].csv", "Home"),
        ("C:\\files\\Home.csv", "Home"),
        ("a/b.v2.csv", "b.v2"),
        ("Inbox [1].csv", None),
        ("", None),
        ("x" * 80 + ".csv", "x" * 49 + "…"),
    ],
)
def test_a_todoist_file_is_a_list_of_its_name(file_name: str, name: str | None) -> None:
    (todo,) = read(f"{TODOIST_HEAD}task,A,,4,1,,,,,\n", file_name)
    assert todo.get("list") == name
    assert ("List: " + "x" * 80 in todo.get("notes", "")) == (len(file_name) > 70)


class TestNothingIsLost:
    def test_texts_of_any_length(self) -> None:
        words = [f"w{number}" for number in range(3000)]
        row = [" ".join(words), " ".join(reversed(words)), *("t" * 60 for _ in range(2))]
        tags = ",".join(f"tag{number}" for number in range(30))
        head = '"Folder Name","List Name","Title","Content","Tags"\n'
        file = head + f'"","{row[2]}","{row[0]}","{row[1]}","{tags}"\n'
        todos = read(file)
        assert len(todos) > 1  # more notes than one can hold
        told = "".join(todo["todo"] + todo["notes"] for todo in todos)
        assert all(re.search(rf"{word}\b", told.replace("\n", " ")) for word in words[1:2990:7])
        assert sum(len(todo["notes"]) for todo in todos) >= 2 * len(row[0])
        assert len(todos[0]["tags"]) == 20
        assert "Tags: tag20, tag21" in told

    def test_more_steps_than_fit_become_to_dos(self) -> None:
        rows = "".join(f"task,Step {number},,4,2,,,,,\n" for number in range(120))
        first, *others = read(f"{TODOIST_HEAD}task,A,,4,1,,,,,\n{rows}", "Home.csv")
        assert len(first["steps"]) == 50
        assert [todo["todo"] for todo in others] == [f"Step {number}" for number in range(50, 120)]
        assert {todo["list"] for todo in others} == {"Home"}

    def test_a_chain_and_a_circle_of_parents(self) -> None:
        chain = "".join(f'"","L","T{number}","","{number}","{number - 1}"\n' for number in range(1, 3000))
        circle = '"","L","X","","x","y"\n"","L","Y","","y","x"\n"","L","Z","","z","z"\n"","L","W","","",""\n'
        todos = read(TICKTICK_HEAD + chain + circle)
        texts = [text for todo in todos for text in (todo["todo"], *(step["text"] for step in todo.get("steps", ())))]
        assert sorted(texts) == sorted([f"T{number}" for number in range(1, 3000)] + ["X", "Y", "Z", "W"])

    def test_hidden_characters_and_line_breaks_do_not_stop_a_file(self) -> None:
        value = {"items": [{"title": "a/b\u200b", "items": [{"title": "Buy\u202e\nmilk\0", "notes": "x\u2028\0y"}]}]}
        (todo,) = read(json.dumps(value))
        assert (todo["todo"], todo["notes"], todo["list"]) == ("Buy milk", "x y", "a-b")

    def test_what_has_no_title(self) -> None:
        items = [{"notes": "only notes"}, {"title": " "}, {"title": 5, "due": "2026-12-24T00:00:00Z"}]
        todos = read(json.dumps({"items": [{"title": "", "items": items}]}))
        assert [(todo["todo"], todo.get("due"), todo.get("list")) for todo in todos] == [
            ("Untitled", None, None),
            ("Untitled", "2026-12-24", None),
        ]


def test_whatever_is_read_is_as_the_contract_has_it() -> None:
    is_valid = compile_schema(API.resolved_schema("NewTodo"))
    for name in (TODOIST, TICKTICK, GOOGLE):
        for todo in read(text_of(name), name):
            assert is_valid({key: value for key, value in todo.items() if key != "status"})


@pytest.mark.parametrize(
    "file",
    [
        TODOIST_HEAD + "task,A," + "," * 2_000_000,
        TODOIST_HEAD + "task,A,,4,2,,,,,\n" * 1_000_000,
        TODOIST_HEAD + ("task," + "@a " * 40_000 + ",,4,1,,,,,\n") * 100,
        TICKTICK_HEAD + ('"","L","T","' + "▫" * 100_000 + '","",""\n') * 100,
        '{"items": [{"title": "A", "items": [' + "{}," * 400_000 + "{}]}]}",
    ],
    ids=["cells", "rows", "tags", "items", "tasks"],
)
def test_a_file_takes_memory_in_proportion(file: str) -> None:
    tracemalloc.start()
    try:
        with suppress(InvalidRequest):
            read_file(file)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()
