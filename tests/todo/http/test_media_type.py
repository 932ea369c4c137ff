"""Which bodies are read, by their Content-Type."""

import pytest

from todo.errors import UnsupportedMediaType
from todo.http.media_type import JSON, UPLOAD, media_type_of

FORM = "application/x-www-form-urlencoded"


def of(header: str, *accepted: str) -> str:
    return media_type_of({b"content-type": header.encode("latin-1")}, list(accepted), b"{}")


@pytest.mark.parametrize(
    "header",
    [
        "application/json",
        "APPLICATION/JSON",
        " application/json ",
        "application/json;",
        "application/json; charset=utf-8",
        'application/json ;CHARSET="UTF-8"',
        "application/json;charset=utf8",
    ],
)
def test_json_however_it_is_written(header: str) -> None:
    assert of(header, JSON) == of(header, FORM, JSON) == JSON


@pytest.mark.parametrize(
    "header",
    [
        "",
        "text/plain",
        FORM,
        "application/json, text/plain",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json; charset=utf-8; version=1",
        "application/jsonx",
        "application/json\x00",
    ],
)
def test_what_is_refused(header: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        of(header, JSON)


@pytest.mark.parametrize(
    "header",
    ["multipart/form-data; boundary=a:b", 'Multipart/Form-Data;boundary="a b"', "multipart/form-data; boundary=x"],
)
def test_an_upload_keeps_its_header(header: str) -> None:
    assert of(header, UPLOAD) == header


@pytest.mark.parametrize(
    "header",
    [
        'multipart/form-data; boundary="a;b"',
        "multipart/form-data; boundary=" + "a" * 71,
        "multipart/form-data; boundary=a; charset=utf-8",
        "multipart/mixed; boundary=a",
    ],
)
def test_an_upload_with_anything_but_a_boundary_is_refused(header: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        of(header, UPLOAD)


def test_an_upload_without_a_boundary_is_left_to_its_parser() -> None:
    assert of("multipart/form-data", UPLOAD) == of("multipart/form-data; boundary=", UPLOAD) == UPLOAD


@pytest.mark.parametrize("headers", [{}, {b"content-encoding": b"Identity"}])
def test_a_body_without_a_type_has_the_usual_one(headers: dict[bytes, bytes]) -> None:
    assert media_type_of(headers, [FORM, JSON], b"a=b") == FORM


def test_without_a_body_the_type_does_not_matter() -> None:
    headers = {b"content-type": b"text/plain", b"content-encoding": b"gzip"}
    assert media_type_of(headers, [FORM], b"") == FORM
    assert media_type_of(headers, [], b"x") == JSON


def test_a_compressed_body_is_refused() -> None:
    with pytest.raises(UnsupportedMediaType):
        media_type_of({b"content-encoding": b"gzip"}, [JSON], b"x")
