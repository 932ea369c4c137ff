"""Folding: what search compares is bounded, whatever the text."""

import sys
import unicodedata

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo.domain.folding import ACCENTS, MAX_FOLDED, fold, fold_for_search

EXPANDING = "\ufdfa\ufdfb\u3316\u33af\u321d\u2057\u0390\u1f80\u0345\u0301\u0308 aß"
TEXTS = st.lists(st.one_of(st.sampled_from(EXPANDING), st.characters(codec="utf-8"))).map("".join)


def test_no_character_becomes_many() -> None:
    every = (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)
    assert max(len(fold(character)) for character in every) == MAX_FOLDED


@given(TEXTS)
def test_no_text_becomes_long(text: str) -> None:
    assert len(fold(text)) <= MAX_FOLDED * len(text)


@given(TEXTS)
def test_what_is_folded_stays_so(text: str) -> None:
    assert len(fold(fold(text))) <= MAX_FOLDED * len(text)


def test_what_stays_as_it_is_is_found(client: httpx.Client, name: str) -> None:
    for text in ("\ufdfa", "x\ufdfb y", "Straße ㌖"):
        client.post(f"/todos/{name}", json={"todo": text, "notes": "\ufdfa" * 3999, "tags": [text]})
    for query in ("\ufdfa", "\ufdfb Y", "STRASSE キロメートル"):
        assert client.get(f"/todos/{name}", params={"q": query}).json()["total"] >= 1
    for tag in ("\ufdfa", "X\ufdfb Y", "strasse ㌖"):
        assert client.get(f"/todos/{name}", params={"tag": tag}).json()["total"] == 1


@pytest.mark.parametrize(("text", "folded"), [("  A\tb\n", "a b"), ("ＡÉ　ß", "aé ss"), ("\x1ca\x1f", "a")])
def test_folded(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(TEXTS)
def test_search_text_is_short_and_without_accents(text: str) -> None:
    folded = fold_for_search(text)
    assert len(folded) <= MAX_FOLDED * len(text)
    assert not ACCENTS.search(unicodedata.normalize("NFD", folded))
    assert folded == " ".join(folded.split())


@given(TEXTS)
def test_composed_and_decomposed_texts_find_each_other(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert fold_for_search(composed) == fold_for_search(decomposed)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Steuererklärung", "steuererklarung"),
        ("İstanbul", "istanbul"),
        ("ΆΛΦΑ", "αλφα"),
        ("한국", "한국"),
        ("が", "が"),
    ],
)
def test_folded_for_search(text: str, folded: str) -> None:
    assert fold_for_search(text) == folded
