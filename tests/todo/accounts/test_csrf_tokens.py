"""CSRF tokens: masked anew for each page, and accepted from pages of the same session alone."""

from todo.accounts.sessions import Session
from todo.contract import SITE
from todo.contract.schemas import compile_schema

SESSION = Session("a secret")
TOKEN = SESSION.new_csrf_token()


def test_every_page_has_another_token_and_all_are_accepted() -> None:
    given = {SESSION.new_csrf_token() for _ in range(50)}
    assert len(given) == 50
    assert all(map(SESSION.accepts, given))
    assert all(map(compile_schema(SITE.schema("CsrfToken")), given))


def test_no_part_of_a_token_stands_in_another() -> None:
    digits = zip(*(SESSION.new_csrf_token() for _ in range(200)), strict=True)
    assert all(len(set(column)) > 4 for column in digits)  # as random digits have it


def test_another_session_s_token_is_not_accepted() -> None:
    assert not Session("another secret").accepts(TOKEN)


def test_anything_else_is_not_accepted() -> None:
    changed = TOKEN[:-2] + ("00" if TOKEN[-2:] != "00" else "01")
    cut = ["", "00", TOKEN[:32], TOKEN[32:], TOKEN[:-2], TOKEN + "00", TOKEN[32:] + "é" * 32]
    for token in (*cut, changed, "0" * 32, "0" * 64, "x" * 64, " " * 64, SESSION.secret):
        assert not SESSION.accepts(token), token
