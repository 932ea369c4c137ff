"""Which bytes are text, and what they say."""

import pytest

from todo.http.encodings import decode

TEXT = "todo\r\nCafé – 5 €\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_what_spreadsheets_write_is_read(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)) == TEXT


def test_a_byte_order_mark_of_either_order_is_known() -> None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        assert decode(mark + TEXT.encode(encoding)) == TEXT


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04\x14\x00\x06\x00\xe9",  # a workbook
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"\xff\xfe\x00",  # half a character
        b"\xff\xfe\x00\xd8\x41\x00",  # half a pair
        b"\xef\xbb\xbfCaf\xe9",  # not what its mark says
        b' [{"todo": "Caf\xe9"}]',
        b"todo\nCaf\xe9\x00\n",
        b"todo\n\x81\n",  # nothing in Windows-1252
    ],
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        decode(data)
