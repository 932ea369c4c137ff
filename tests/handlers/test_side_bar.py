"""Lists and steps on the pages, as a person without script finds them."""

from collections.abc import Callable

import pytest
import time_machine
from bs4 import Tag
from starlette.testclient import TestClient

from tests.handlers.test_lists import CHATGPT, NOW, Assistant, follow, notice, page, parts, refused, said, shown
from tests.people import Person, soup
from tests.todo.web.test_drafts import form_in
from todo.contract import API

pytestmark = pytest.mark.slow_on_postgresql

NewBrowser = Callable[[], TestClient]


@pytest.fixture
def assistant(person: Person, new_browser: NewBrowser) -> Assistant:
    return Assistant(new_browser(), person.username)


def bar(page: Tag) -> list[str]:
    """Returns what the side bar says: each list with its counts."""
    return [said(link) for link in page.select("nav[aria-label=Lists] a")]


def archive(assistant: Assistant, name: str) -> None:
    path = f"/lists/{assistant.username}/{name}"
    assistant.http.patch(path, json={"archived": True}, headers=CHATGPT).raise_for_status()


def chosen(page: Tag) -> str:
    (link,) = page.select("nav[aria-label=Lists] a[aria-current=page]")
    return str(link.span.text)


class TestLists:
    def test_the_side_bar_counts_open_and_overdue(self, person: Person, assistant: Assistant) -> None:
        with time_machine.travel(NOW):
            assistant.add("Milk", list="Shopping", create_list=True)
            assistant.add("Late", list="Shopping", due="2026-11-21")
            assistant.add("Tax")
            assistant.add("Old", list="Attic", create_list=True)
            archive(assistant, "Attic")
            text = page(person)
            assert bar(text) == [
                "All 1 overdue · 3 open",
                "Inbox 1 open",
                "Shopping 1 overdue · 2 open",
                "Attic 1 open",
            ]
            assert [said(link) for link in text.select("nav details a")] == ["Attic 1 open"]
            assert chosen(text) == "All"
            assert parts(text) == {"overdue": ["Late"], "today": [], "undated": ["Tax", "Milk"]}

    def test_a_list_is_shown_alone_and_stays_while_one_works_in_it(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Milk", list="Shopping", create_list=True, tags=["dairy"])
        assistant.add("Milk the cow")
        text = page(person, "/list?list=SHOPPING")
        assert (said(text.h1), chosen(text), shown(text)) == ("Shopping", "Shopping", ["Milk"])
        assert shown(page(person, "/list?list=Inbox")) == ["Milk the cow"]
        assert shown(page(person, "/list?list=Shopping&q=milk&tag=dairy")) == ["Milk"]
        assert text.select_one("form[role=search] input[type=hidden][name=list]")["value"] == "Shopping"
        form = form_in(str(text), "/list")
        assert (form["list"], form["next"]) == ("Shopping", "/list?list=SHOPPING")
        text = follow(person, person.send("/list", **{**form, "csrf_token": person.csrf_token(), "todo": "Eggs"}))
        assert (notice(text), shown(text)) == ("You added “Eggs”.", ["Eggs", "Milk"])
        text = follow(person, person.send("/list/act", action="complete", id="1", next="/list?list=Shopping"))
        assert parts(text)["done"] == ["Milk"]

    def test_pages_of_a_list(self, person: Person, assistant: Assistant) -> None:
        assistant.add("0", list="A & B", create_list=True)
        actions = [{"action": "add", "todo": f"{number}", "list": "A & B"} for number in range(1, 40)]
        assistant.call("POST", "/changes", actions=actions)
        assistant.call("POST", "/changes", actions=[{**action, "todo": "More"} for action in actions[:20]])
        assistant.add("Elsewhere")
        text = page(person, "/list?list=A+%26+B&q=")
        found: list[str] = []
        for link in ("All 59: no date", "All 60: no date"):
            path = text.find("a", string=link)
        text = page(person, path["href"])
        while True:
            found += parts(text)["undated"]
            more = text.find("a", string="More")
            if not more:
                break
            text = page(person, more["href"])
        assert len(found) == 60
        assert "Elsewhere" not in found

    def test_a_list_that_is_not_there(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Milk")
        answer = person.browser.get("/list?list=Shoping")
        assert refused(answer, 404) == "There is no such list, or no longer."
        assert shown(soup(answer)) == ["Milk"]

    def test_it_is_named_where_all_are_shown(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Milk", list="Shopping", create_list=True)
        link = page(person).select_one("#todo-1 .marks a")
        assert (said(link), link["href"]) == ("in the list Shopping", "/list?list=Shopping")
        assert not page(person, "/list?list=Shopping").select("#todo-1 .marks")

    def test_create_rename_move_archive_restore_and_delete(self, person: Person, assistant: Assistant) -> None:
        text = follow(person, person.send("/lists", name=" Shopping "))
        assert (notice(text), chosen(text)) == ("You created the list “Shopping”.", "Shopping")
        follow(person, person.send("/lists", name="Attic"))
        text = follow(person, person.send("/lists", name="Garden"))
        assert bar(text) == ["All 0 open", "Inbox 0 open", "Shopping 0 open", "Attic 0 open", "Garden 0 open"]
        text = follow(person, person.send("/lists/edit", list="attic", archived="on"))
        assert (notice(text), chosen(text)) == ("You archived the list “Attic”.", "Attic")
        # The archived one between them is passed too.
        up = page(person, "/list?list=Garden").select_one("#list-up")["value"]
        text = follow(person, person.send("/lists/edit", list="Garden", position=up))
        assert notice(text) == "You moved the list “Garden”."
        assert bar(text)[2:] == ["Garden 0 open", "Shopping 0 open", "Attic 0 open"]
        assert not text.select("#list-up")
        down = text.select_one("#list-down")["value"]
        assert bar(follow(person, person.send("/lists/edit", list="Garden", position=down)))[2:4] == [
            "Shopping 0 open",
            "Garden 0 open",
        ]
        text = follow(person, person.send("/lists/edit", list="Attic", archived="off"))
        assert notice(text) == "You restored the list “Attic”."
        text = follow(person, person.send("/lists/rename", list="Shopping", name="Groceries"))
        assert (notice(text), chosen(text)) == ("You renamed the list “Groceries”.", "Groceries")
        undo = text.select_one("#undo-notice")["value"]
        follow(person, person.send("/history/undo", change_id=undo, next="/list"))
        assistant.add("Milk", list="Shopping")
        text = follow(person, person.send("/lists/delete", list="Shopping", move_to="Garden"))
        assert (chosen(text), shown(page(person, "/list?list=Garden"))) == ("All", ["Milk"])
        text = follow(person, person.send("/lists/delete", list="Garden"))
        assert (bar(text), shown(page(person, "/trash"))) == (["All 0 open", "Inbox 0 open", "Attic 0 open"], ["Milk"])
        undo = text.select_one("#undo-notice")["value"]
        assert shown(follow(person, person.send("/history/undo", change_id=undo, next="/list?list=Garden"))) == ["Milk"]

    @pytest.mark.parametrize(
        ("path", "fields", "status", "wrong"),
        [
            ("/lists", {"name": "Inbox"}, 409, "The inbox cannot be changed."),
            ("/lists/rename", {"list": "Shopping", "name": "Attic"}, 409, "Another list has this name."),
            ("/lists/rename", {"list": "Gone", "name": "Attic"}, 404, "There is no such list, or no longer."),
            ("/lists/delete", {"list": "Gone"}, 404, "There is no such list, or no longer."),
            ("/list", {"todo": "A", "list": "Gone"}, 404, "There is no such list, or no longer."),
        ],
    )
    def test_what_a_form_gets_wrong_is_said_and_kept(
        self, person: Person, path: str, fields: dict[str, str], status: int, wrong: str
    ) -> None:
        person.send("/lists", name="Shopping")
        person.send("/lists", name="Attic")
        answer = person.send(path, **fields, next="/list?list=Shopping")
        assert refused(answer, status) == wrong
        typed = {"/lists": "#new-list", "/lists/rename": "#list-name", "/list": "#todo"}
        if path == "/lists" or fields.get("list") == "Shopping":
            assert soup(answer).select_one(typed[path])["value"] == fields["name"]

    def test_bounds(self, person: Person, assistant: Assistant) -> None:
        longest = "x" * int(API.schema("ListName")["maxLength"])
        assert person.send("/lists", name=longest + "x").status_code == 400
        assert person.send("/lists", name="a/b").status_code == 400
        assert chosen(follow(person, person.send("/lists", name=longest))) == longest
        actions = [
            {"action": "add", "todo": "A", "list": f"{number:03}", "create_list": True}
            for number in range(API.limit("lists") - 1)
        ]
        for start in range(0, len(actions), 20):
            assistant.call("POST", "/changes", actions=actions[start : start + 20])
        assert len(bar(page(person))) == API.limit("lists") + 2
        assert "no more than 100 lists" in refused(person.send("/lists", name="One more"), 409)

    def test_a_to_do_can_stay_in_an_archived_list(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Milk", list="Attic", create_list=True)
        archive(assistant, "Attic")
        assert shown(page(person)) == []
        form = form_in(str(page(person, "/list?list=Attic&edit=1")), "/list/edit")
        assert form["list"] == ""
        sent = {**form, "csrf_token": person.csrf_token(), "todo": "Oat milk"}
        text = follow(person, person.send("/list/edit", **sent))
        assert shown(text) == ["Oat milk"]
        assert assistant.call("GET", "/1")["list"] == "Attic"

    def test_forms_put_to_dos_into_lists_also_new_ones(self, person: Person, assistant: Assistant) -> None:
        follow(person, person.send("/list", todo="A", new_list="New"))
        assert assistant.call("GET", "/1")["list"] == "New"
        form = form_in(str(page(person, "/list?edit=1")), "/list/edit")
        assert form["list"] == "New"
        follow(person, person.send("/list/edit", **{**form, "csrf_token": person.csrf_token(), "list": "Inbox"}))
        assert assistant.call("GET", "/1")["list"] == "Inbox"


class TestSteps:
    def test_add_and_edit(self, person: Person, assistant: Assistant) -> None:
        follow(person, person.send("/list", todo="Shop", steps="Eggs\r\n\r\n[x] Bread\r\n"))
        eggs_and_bread = [{"text": "Eggs", "done": False}, {"text": "Bread", "done": True}]
        assert assistant.call("GET", "/1")["steps"] == eggs_and_bread
        form = form_in(str(page(person, "/list?edit=1")), "/list/edit")
        assert form["steps"] == "[ ] Eggs\n[x] Bread"
        sent = {**form, "csrf_token": person.csrf_token()}
        assert person.send("/list/edit", **sent).headers["location"] == "/list"  # nothing changed
        follow(person, person.send("/list/edit", **{**sent, "steps": "[x] Eggs\n[x] Bread\nMilk"}))
        steps = assistant.call("GET", "/1")["steps"]
        assert [(step["text"], step["done"]) for step in steps] == [("Eggs", True), ("Bread", True), ("Milk", False)]
        sent["version"] = "2"
        follow(person, person.send("/list/edit", **{**sent, "steps": ""}))
        assert "steps" not in assistant.call("GET", "/1")

    def test_check_and_uncheck(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Shop", steps=["Eggs", "Bread", "eggs"])
        buttons = page(person).select(".steps button")
        assert [button["value"] for button in buttons] == ["1 1", "1 Bread", "1 3"]
        assert [button["aria-label"] for button in buttons] == ["Check: Eggs", "Check: Bread", "Check: eggs"]
        for step in ("1 Bread", "1 3"):
            text = follow(person, person.send("/list/step", action="check_steps", step=step, next="/list"))
        assert notice(text) == "You changed “Shop”."
        assert [button["form"] for button in text.select(".steps button")] == ["check", "uncheck", "uncheck"]
        text = follow(person, person.send("/list/step", action="uncheck_steps", step="1 Bread"))
        assert [step["done"] for step in assistant.call("GET", "/1")["steps"]] == [False, False, True]

    def test_many_are_folded_but_open_after_a_tick(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Shop", steps=["a", "b", "c", "d", "e", {"text": "f", "done": True}])
        details = page(person).select_one("#steps-1")
        assert said(details.summary) == "☑ 1/6 steps done: Shop"
        assert not details.has_attr("open")
        text = follow(person, person.send("/list/step", action="check_steps", step="1 a"))
        assert text.select_one("#steps-1").has_attr("open")

    def test_a_step_that_is_gone(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Shop", steps=["Eggs"])
        answer = person.send("/list/step", action="check_steps", step="1 Bread")
        assert refused(answer, 400) == "This step is not there any more."
        assert "no longer exists" in refused(person.send("/list/step", action="check_steps", step="2 Bread"), 404)

    def test_too_long_or_too_many_are_kept(self, person: Person) -> None:
        answer = person.send("/list", todo="A", steps="ok\n" + "x" * 201)
        assert refused(answer, 400) == "Step 2 must have at most 200 characters."
        answer = person.send("/list", todo="A", steps="x\n" * 51)
        assert refused(answer, 400) == "The steps must have at most 50 items."
        assert soup(answer).select_one("#steps").text.count("x") == 51


def rows(page: Tag) -> list[list[str]]:
    """Returns the rows of the newest change in the history, with what stands before and after."""
    return [
        [cell.get_text().strip() for cell in row.select("th, td")]
        for row in page.select_one(".change").select("tbody tr")
    ]


class TestHistory:
    def test_lists_and_steps_are_told_in_words(self, person: Person, assistant: Assistant) -> None:
        assistant.add("Shop", list="Shopping", create_list=True, steps=["Eggs", "Bread"])
        added = page(person, "/history").article
        captions = [said(caption) for caption in added.select("caption")]
        assert captions == ["Created the list Shopping", "Added Shop"]
        assert [said(cell) for cell in added.select("td")] == [
            "not there",
            "Shopping",
            "not there",
            "Shop List: Shopping Steps: Eggs Bread",
        ]
        assistant.call("PATCH", "/1", check_steps=["Bread"], list="Inbox")
        expected = [["List", "Shopping", "Inbox"], ["Steps", "Bread", "Bread (done)"]]
        assert rows(page(person, "/history")) == expected
        person.send("/lists/rename", list="Shopping", name="Groceries")
        text = page(person, "/history")
        assert said(text.select_one(".told")) == "renamed the list “Groceries”: was “Shopping”"
        assert rows(text) == [["Name", "Shopping", "Groceries"]]
        person.send("/lists/edit", list="Groceries", archived="on")
        assert rows(page(person, "/history")) == [["State", "in use", "archived"]]
        person.send("/lists/delete", list="Groceries")
        text = page(person, "/history")
        assert said(text.select_one(".told")) == "deleted the list “Groceries”"
        assert [said(cell) for cell in text.select_one(".change").select("td")] == [
            "Groceries State: archived",
            "not there",
        ]
        # What was in a list that is no more is still told by its name.
        told = [[said(cell) for cell in row.select("th, td")] for row in text.select("tr")]
        assert ["List", "Groceries", "Inbox"] in told

    def test_undo_and_its_preview_name_lists(self, person: Person, assistant: Assistant) -> None:
        person.send("/lists", name="Shopping")
        assistant.add("Shop", list="Shopping", steps=["Eggs"])
        preview = page(person, "/history/undo?who=assistant:ChatGPT&since_day=2020-01-01")
        assert "Shop List: Shopping Steps: Eggs" in said(preview.table)
        answer = person.send("/history/undo", change_id="1")
        assert answer.status_code == 409
        assert "“Shop”: Assistant “ChatGPT” (service key) added “Shop”" in said(soup(answer).main)
        person.send("/lists/edit", list="Shopping", archived="on")
        person.send("/lists/edit", list="Shopping", archived="off")
        answer = person.send("/history/undo", change_id="3")
        assert "The list “Shopping”: You restored the list “Shopping”" in said(soup(answer).main)

    def test_settings(self, person: Person) -> None:
        person.send("/account/time-zone", time_zone="Europe/Vienna", week_start="sunday")
        text = page(person, "/history")
        assert said(text.article.caption) == "Settings"
        assert ["First day of the week", "none", "Sunday"] in rows(text)
        options = page(person, "/account").select("#week_start option")
        assert [option["value"] for option in options if option.has_attr("selected")] == ["sunday"]


def test_the_first_day_of_the_week_is_the_regions_until_it_is_set(person: Person, assistant: Assistant) -> None:
    person.send("/account/time-zone", time_zone="America/New_York")
    first, *others = page(person, "/account").select("#week_start option")
    assert (first["value"], said(first)) == ("usual", "As usual there: Sunday")
    assert [option["value"] for option in others] == ["monday", "sunday", "saturday"]
    assert person.send("/account/time-zone", time_zone="America/New_York", week_start="never").status_code == 400
    person.send("/account/time-zone", time_zone="America/New_York", week_start="monday")
    assert assistant.http.get(f"/profiles/{person.username}", headers=CHATGPT).json()["week_start"] == "monday"


def test_a_shared_to_do_shows_its_steps_and_not_its_list(
    person: Person, assistant: Assistant, new_browser: NewBrowser
) -> None:
    assistant.add("Shop", list="Private", create_list=True, steps=["Eggs", {"text": "<b>Bread</b>", "done": True}])
    path = "/s/" + assistant.call("POST", "/1/share")["url"].rpartition("/")[2]
    text = soup(new_browser().get(path))
    assert [said(item) for item in text.select(".steps li")] == ["Eggs", "<b>Bread</b> (done)"]
    assert not text.select("form, button")
    assert "Private" not in str(text)
