"""Pages: lists that can be read on from where they stopped, while others write.

A cursor says after which item to go on. It is sealed for its list, so that a changed or borrowed
one is refused and clients cannot come to depend on what is inside.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from clearsplit_core.questions import PAGE_MAX
from clearsplit_http.keys import mac
from clearsplit_http.refusals import BadCursor, BadQuery

LIMIT_DEFAULT: Final = 50
PAGE_BYTES_MAX: Final = 200_000
"""A page ends early rather than get larger than this; it always has at least one item."""
CURSOR_CHARACTERS_MAX: Final = 200
PAGE_QUERY: Final = {
    "limit": f"How many items at most: 1 to {PAGE_MAX}, {LIMIT_DEFAULT} without it.",
    "cursor": "The next_cursor of the page before.",
}
"""The parameters of every list, and what to say of them."""

_SEAL_BYTES: Final = 16
_AROUND_BYTES: Final = 300
"""What stands around the items of a page: brackets, names and the next cursor."""


@dataclass(frozen=True, slots=True)
class Cursors:
    """Makes and reads the cursors of one list, which `place` names."""

    key: bytes
    place: str
    keys_before: tuple[bytes, ...] = ()
    """Keys with which cursors are read, and made no longer."""

    def make(self, position: str) -> str:
        sealed = self._seal(position.encode(), self.key) + position.encode()
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def read(self, cursor: str) -> str:
        """The position in `cursor`. Raises BadCursor unless we made it for this list."""
        if len(cursor) > CURSOR_CHARACTERS_MAX or not cursor.isascii():
            raise BadCursor
        try:
            sealed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (Error, ValueError):
            raise BadCursor from None
        seal, position = sealed[:_SEAL_BYTES], sealed[_SEAL_BYTES:]
        seals = (self._seal(position, key) for key in (self.key, *self.keys_before))
        if not any(hmac.compare_digest(seal, known) for known in seals):
            raise BadCursor
        return position.decode()

    def _seal(self, position: bytes, key: bytes) -> bytes:
        return mac(key, self.place.encode(), position)[:_SEAL_BYTES]


def read_limit(text: str | None) -> int:
    """Raises BadQuery for anything but 1 to 100."""
    return LIMIT_DEFAULT if text is None else read_number(text, "limit", 1, PAGE_MAX)


def read_number(text: str, name: str, least: int, most: int) -> int:
    """Raises BadQuery for anything but plain digits that make a number from `least` to `most`."""
    plain = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not plain or not least <= int(text) <= most:
        raise BadQuery(f"{name} is a whole number from {least} to {most}.")
    return int(text)


def read_yes(text: str, name: str) -> bool:
    """Raises BadQuery for anything but true and false."""
    if text not in ("true", "false"):
        raise BadQuery(f"{name} is true or false.")
    return text == "true"


def fitting(items: Iterable[bytes], limit: int) -> Sequence[bytes]:
    """The items that one page takes: `limit` at most, and one or more but not above 200 kB."""
    taken: list[bytes] = []
    room = PAGE_BYTES_MAX - _AROUND_BYTES
    for item in items:
        room -= len(item) + len(",")
        if len(taken) == limit or (taken and room < 0):
            break
        taken.append(item)
    return taken
