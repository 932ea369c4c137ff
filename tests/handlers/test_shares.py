"""Shared to-dos: the operations that make a link, the page behind it, and its picture."""

import re
from io import BytesIO

import httpx
import pytest
import time_machine
from PIL import Image

from tests.handlers.test_todos import add
from tests.people import Person, soup
from todo.contract import product
from todo.web import fonts, picture


@pytest.fixture
def shared(client: httpx.Client, name: str) -> httpx.URL:
    add(client, name, "Book the train", due="2026-11-27T18:00", notes="window seat")
    add(client, name, "a secret of mine")
    return httpx.URL(client.post(f"/todos/{name}/1/share").json()["url"])


def tags(page: httpx.Response) -> dict[str, str]:
    """Returns the page's Open Graph tags."""
    return {tag["property"]: tag["content"] for tag in soup(page).select("meta[property^='og:']")}


def test_url_stands_on_the_to_do_wherever_it_is_shown(client: httpx.Client, name: str, shared: httpx.URL) -> None:
    assert re.fullmatch(r"http://localhost:8000/s/[A-Za-z0-9_-]{33}", str(shared))  # an id and 128 bits
    assert client.get(f"/todos/{name}/1").json()["url"] == shared
    assert client.get(f"/todos/{name}").json()["todos"][0]["url"] == shared
    assert "url" not in client.get(f"/todos/{name}/2").json()
    (change, *_) = client.get(f"/todos/{name}/changes").json()["changes"]
    assert change["summary"] == "Shared 1 to-do."
    assert change["todos"][0]["after"] == {"url": shared}
    again = client.post(f"/todos/{name}/1/share").json()
    assert (again["url"], again["version"]) == (shared, 2)


def test_a_text_that_looks_like_an_address_stays_as_it_is(client: httpx.Client, name: str) -> None:
    text = '"url":"/s/x"'
    add(client, name, text, notes=text)
    todo = client.get(f"/todos/{name}").json()["todos"][0]
    assert (todo["todo"], todo["notes"]) == (text, text)


def test_an_export_has_the_whole_address_too(person: Person, client: httpx.Client) -> None:
    add(client, person.username, "A")
    url = client.post(f"/todos/{person.username}/1/share").json()["url"]
    exported = person.browser.get("/account/export").json()
    assert exported["todos"][0]["url"] == url
    assert exported["changes"][-1]["entries"][0]["after"] == {"url": url}


def test_page_shows_that_to_do_alone(anonymous: httpx.Client, name: str, shared: httpx.URL) -> None:
    page = anonymous.get(shared.path)
    assert page.status_code == 200
    assert "window seat" in page.text
    assert "Friday 27 November 2026, 18:00" in page.text
    assert "secret" not in page.text
    assert name not in page.text
    assert page.headers["x-robots-tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in page.text
    assert "set-cookie" not in page.headers
    told = tags(page)
    assert told["og:site_name"] == product.TITLE
    assert told["og:title"] == "Book the train"
    assert told["og:description"] == "Due Friday 27 November 2026, 18:00."
    assert told["og:image:alt"] == "To do: Book the train. Due Friday 27 November 2026, 18:00."
    assert soup(page).title.text == f"Book the train - {product.TITLE}"
    assert soup(page).time.attrs == {"datetime": "2026-11-27T18:00"}
    assert told["og:url"] == str(shared)


def test_picture_is_drawn_and_named_after_what_is_drawn(client: httpx.Client, name: str, shared: httpx.URL) -> None:
    address = httpx.URL(tags(client.get(shared.path))["og:image"])
    answer = client.get(address.path)
    assert answer.headers["content-type"] == "image/png"
    assert "max-age=86400" in answer.headers["cache-control"]
    assert Image.open(BytesIO(answer.content)).size == (1200, 630)
    client.post(f"/todos/{name}/1/complete")
    other = httpx.URL(tags(client.get(shared.path))["og:image"])
    assert other != address
    assert client.get(address.path).status_code == 404
    assert client.get(other.path).content != answer.content


@pytest.mark.parametrize("way", ["unshare", "delete", "never"])
def test_what_is_not_shared_is_404_with_generic_tags(
    client: httpx.Client, name: str, shared: httpx.URL, way: str
) -> None:
    image = httpx.URL(tags(client.get(shared.path))["og:image"]).path
    if way == "unshare":
        assert "url" not in client.delete(f"/todos/{name}/1/share").json()
    if way == "delete":
        client.delete(f"/todos/{name}/1")
    page = client.get("/s/never" if way == "never" else shared.path)
    assert page.status_code == 404
    assert tags(page)["og:title"] == product.TITLE
    assert tags(page)["og:image"] == "http://localhost:8000/logo.png"
    assert "train" not in page.text
    assert client.get(image).status_code == (200 if way == "never" else 404)


def test_a_link_ends_after_its_last_day(client: httpx.Client, name: str) -> None:
    with time_machine.travel("2026-11-22T12:00:00Z") as clock:
        add(client, name, "A")
        refused = client.post(f"/todos/{name}/1/share", json={"url_until": "2026-11-21"})
        (error,) = refused.json()["errors"]
        assert error["field"] == "url_until"
        assert error["message"].startswith("must not be in the past; the earliest is today, ")
        told = client.post(f"/todos/{name}/1/share", json={"url_until": "2026-11-23"}).json()
        path = httpx.URL(told["url"]).path
        assert told["url_until"] == "2026-11-23"
        clock.move_to("2026-11-23T23:59:00Z")
        assert client.get(path).status_code == 200
        clock.move_to("2026-11-24T00:00:00Z")
        assert client.get(path).status_code == 404
        assert "url_until" not in client.post(f"/todos/{name}/1/share", json={"url_until": None}).json()
        assert client.get(path).status_code == 200


def test_the_next_of_a_series_is_not_shared(client: httpx.Client, name: str) -> None:
    add(client, name, "A", due="2199-11-27", repeat="FREQ=WEEKLY")
    client.post(f"/todos/{name}/1/share")
    client.post(f"/todos/{name}/1/complete")
    assert "url" not in client.get(f"/todos/{name}/2").json()


class TestDrawing:
    @pytest.mark.parametrize(
        ("text", "drawn"),
        [
            ("Ärger über Łódź", "Ärger über Łódź"),
            ("Купить молоко", "Купить молоко"),
            ("Buy milk 😀🥛", "Buy milk 😀🥛"),
            ("買い物", "買い物"),
            ("장보기", "장보기"),
            ("קנה חלב", "קנה חלב"),
            ("شراء الحليب", "شراء الحليب"),
            ("दूध खरीदो", "दूध खरीदो"),
            ("ซื้อนม", "ซื้อนม"),
            ("Buy \ue000 milk", "Buy milk"),  # a character of nobody's
            ("ꆈꌠ", picture.FALLBACK),  # Yi
            ("\ue000" * 500, picture.FALLBACK),
        ],
    )
    def test_only_what_a_font_has_is_drawn(self, text: str, drawn: str) -> None:
        assert picture.drawable(text) == drawn

    @pytest.mark.parametrize(
        "text",
        ["W" * 500, "many words " * 45, "a", "<b>", "買" * 500, "שלום " * 100, "ก" * 500, "👩\u200d👩\u200d👧" * 90],
    )
    def test_any_text_fits(self, text: str) -> None:
        size, lines = picture.fit(text)
        assert 1 <= len(lines) <= picture.MAX_LINES
        assert all(picture._width(line, picture.BOLD, size) <= picture.WIDTH for line in lines)
        assert Image.open(BytesIO(picture.draw(text, "", done=True))).size == picture.SIZE

    @pytest.mark.parametrize(
        ("line", "seen"),
        [
            ("Buy 牛乳 now", ["Buy ", "牛乳 ", "now"]),
            ("Buy חלב now", ["Buy", " ", "חלב", " ", "now"]),
            ("קנה Milk מחר", ["מחר", " ", "Milk", " ", "קנה"]),
            ("שעה 18:00", ["18:00", " ", "שעה"]),
        ],
    )
    def test_words_stand_in_the_order_in_which_they_are_read(self, line: str, seen: list[str]) -> None:
        assert [piece.text for piece in picture._as_seen(line, fonts.is_right_to_left(line))] == seen

    def test_each_font_of_a_script_is_there(self) -> None:
        for name in {*fonts.SCRIPTS.values(), *fonts.OTHERS}:
            assert fonts.font(name, picture.BOLD, 40).getlength("1") > 0

    def test_has_the_logo(self) -> None:
        drawn = Image.open(BytesIO(picture.draw("A", "", done=False)))
        right, bottom = picture.SIZE[0] - picture.MARGIN, picture.SIZE[1] - 60
        assert len(drawn.crop((right - 72, bottom - 72, right, bottom)).getcolors(10_000) or ()) > 10
