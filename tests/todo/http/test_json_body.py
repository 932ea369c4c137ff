"""JSON bodies: what the fast parser alone would let pass."""

import pytest

from todo.errors import InvalidRequest
from todo.http.json_body import MAX_NESTED, parse_json

MANY = b", ".join([b'{"a": "b: c"}'] * MAX_NESTED)


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidRequest) as error:
        parse_json(data)
    return str(error.value.members["errors"][0]["message"])


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 1}',
        b'{"b": {"a": 1, "a": 1}}',
        b'[{"a": 1, "a": 1}]',
        b'{"a": "b: c", "a": 1}',
        b'{"a": 1, "a": "\\u003a"}',
        b'{"a": 1, "a": "\\u003A"}',
        b'{"\\u003a": 1, ":": 1}',
        b'{"a": 1, "a": {}, "b": "{"}',
        b"[" + MANY + b', {"a": 1, "a": 1}]',
    ],
)
def test_the_same_key_twice(data: bytes) -> None:
    assert refusal(data) == "must not have the same key twice"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": "b: c"}', {"a": "b: c"}),
        (b'{"a": "{:"}', {"a": "{:"}),
        (b'{"a": "\\u003a"}', {"a": ":"}),
        (b'":"', ":"),
        (b'[1, "a:"]', [1, "a:"]),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (b"[" + MANY + b"]", [{"a": "b: c"}] * MAX_NESTED),
    ],
)
def test_colons_in_text_are_no_keys(data: bytes, value: object) -> None:
    assert parse_json(data) == value


def test_a_number_with_many_digits_beside_a_colon_in_text() -> None:
    assert parse_json(b'{"a": "b: c", "n": ' + b"9" * 300 + b"}")["n"] == float("9" * 300)
    assert refusal(b'{"a": "b: c", "a": ' + b"9" * 300 + b"}") == "must not have the same key twice"


@pytest.mark.parametrize("data", [b'{"a": NaN}', b'{"a": "\\ud800"}', b'{"a": "\xff"}', b"\xef\xbb\xbf{}", b""])
def test_only_json_in_utf8(data: bytes) -> None:
    assert refusal(data) == "must be JSON in UTF-8"


@pytest.mark.parametrize(("start", "end"), [(b"[", b"]"), (b'{"a": ', b"}")])
@pytest.mark.parametrize("inner", [b"1", b'":"'])
def test_nesting(start: bytes, end: bytes, inner: bytes) -> None:
    assert parse_json(start * MAX_NESTED + inner + end * MAX_NESTED)
    deep = MAX_NESTED + 1
    assert refusal(start * deep + inner + end * deep) == "must not be nested so deeply"
