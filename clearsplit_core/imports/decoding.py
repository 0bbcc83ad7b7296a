"""From a file's bytes to its text: UTF-8, or UTF-16 where a byte order mark says so.

No other encoding is guessed: a wrong guess would misspell a member's name without a word.
"""

import codecs
import re
from typing import Final

from clearsplit_core.errors import BadFile

FILE_BYTES_MAX: Final = 32 * 1024 * 1024
"""The longest file that we read: some 100,000 rows of a group of twenty."""

_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NEVER_IN_TEXT: Final = re.compile("[\0\ud800-\udfff]")


def decoded(data: bytes) -> str:
    """The text of a file, without its byte order mark.

    Raises BadFile where it is empty, too long, or not text.
    """
    if len(data) > FILE_BYTES_MAX:
        raise BadFile(f"This file is longer than {FILE_BYTES_MAX // 1024**2} MiB.")
    encoding = "utf-16" if data.startswith(_UTF_16_MARKS) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        row = error.object.count(b"\n", 0, error.start) + 1
        raise BadFile(
            f"Row {row}: expected text in UTF-8, found other bytes; save the file as CSV UTF-8."
        ) from error
    require_text(text)
    return text


def require_text(text: str) -> None:
    """`text` has something to read, and no character that no text has.

    Raises BadFile for an empty text, a NUL or an unpaired surrogate.
    """
    if not text.strip():
        raise BadFile("This file is empty.")
    if wrong := _NEVER_IN_TEXT.search(text):
        row = text.count("\n", 0, wrong.start()) + 1
        raise BadFile(f"Row {row}: expected text, found the character U+{ord(wrong[0]):04X}.")
