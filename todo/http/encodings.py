"""Decodes text files in the encodings that spreadsheets write."""

import codecs
import re

CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # bytes that text files do not have
UTF_8_ALONE = re.compile(rb"\xef\xbb\xbf|\s*[\[{]")  # a byte order mark, or JSON (RFC 8259 section 8.1)


def decode(data: bytes) -> str:
    """Returns the text of a file. Raises UnicodeDecodeError if it is not text.

    UTF-16 with a byte order mark (Excel's "Unicode text"), else UTF-8, else Windows-1252 (Excel's CSV).
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        if CONTROL.search(data) or UTF_8_ALONE.match(data):
            raise
        return data.decode("cp1252")
