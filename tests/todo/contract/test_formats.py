"""Text that hides nothing, and text that only looks as if it did."""

import httpx
import pytest

from todo.contract.formats import is_visible

NEEDED = {
    "Persian with a non-joiner": "می‌خواهم",
    "Devanagari with a joiner": "क्‍ष",
    "Malayalam with a joiner at the end": "അവന്‍",
    "a family": "👨‍👩‍👧‍👦",
    "a heart on fire": "❤️‍🔥",
    "skin": "👩🏽‍💻",
    "a keycap": "1️⃣ and #️⃣",
    "a sign as an emoji": "©️",
    "a pirate flag": "🏴‍☠️",
    "the flag of England": "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "a flag of two letters": "🇩🇪",
    "an ideograph's variant": "葛󠄀",
    "a Mongolian variant": "ᠠ᠋",
    "Hebrew": "לקנות חלב",
    "Japanese": "牛乳を買う　明日",
    "accents made of two": "Cafe\u0301",
}
HIDDEN = {
    "zero-width space": "Buy\u200bmilk",
    "word joiner": "Buy\u2060milk",
    "byte order mark": "\ufeffBuy milk",
    "soft hyphen": "Buy\u00admilk",
    "right-to-left override": "Buy \u202ekilm",
    "left-to-right embedding": "\u202aBuy\u202c milk",
    "isolate": "\u2066Buy\u2069 milk",
    "right-to-left mark": "\u200fBuy milk",
    "Arabic letter mark": "\u061cBuy milk",
    "joiner between Latin letters": "Buy\u200dmilk",
    "two joiners": "👩‍\u200d💻",
    "joiner at the start": "\u200cمی",
    "selector after a Latin letter": "b\ufe01uy",
    "many selectors": "😀" + "\ufe01\ufe02\ufe03",
    "letters as tags": "Buy milk\U000e0041\U000e0042",
    "a flag that never ends": "🏴\U000e0067\U000e0062",
    "a long flag": "🏴" + "\U000e0067" * 30 + "\U000e007f",
    "Hangul filler": "\u3164",
    "interlinear annotation": "\ufff9Buy\ufffa milk\ufffb",
    "a control of Latin-1": "Buy\u0085milk",
    "escape": "Buy\x1b[2Kmilk",
    "line separator": "Buy\u2028milk",
    "deprecated format character": "Buy\u206amilk",
    "invisible times": "2\u20622",
    "a musical format character": "\U0001d173Buy milk",
}


@pytest.mark.parametrize("text", NEEDED.values(), ids=NEEDED)
def test_what_scripts_and_emoji_need(client: httpx.Client, name: str, text: str) -> None:
    assert is_visible(text)
    answer = client.post(f"/todos/{name}", json={"todo": text, "notes": f"{text}\n\t{text}", "tags": [text]})
    assert answer.json()["todo"] == text
    assert client.get(f"/todos/{name}", params={"q": text}).json()["total"] == 1


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_what_hides(client: httpx.Client, name: str, text: str) -> None:
    assert not is_visible(text)
    for body, field in (
        ({"todo": text}, "todo"),
        ({"todo": "a", "notes": text}, "notes"),
        ({"todo": "a", "tags": [text]}, "tags.0"),
    ):
        answer = client.post(f"/todos/{name}", json=body)
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert error["field"] == field
        # A control character breaks the pattern first.
        assert error["message"].startswith(("must not hold invisible characters", "must have the form of this example"))
    for query in ({"q": text}, {"tag": text}):
        assert client.get(f"/todos/{name}", params=query).status_code == 400
    assert client.get(f"/todos/{name}/search", params={"query": text}).status_code == 400


def test_a_long_text_is_looked_at_in_no_time() -> None:
    assert not is_visible("葛\U000e0100\u200d" * 100_000 + "\u200b")
