"""Common passwords: those that nobody may choose, since they are tried first.

`data/README.md` says where the list is from and what its file looks like.
"""

import hashlib
import unicodedata
from bisect import bisect_left
from functools import cache
from pathlib import Path
from typing import Final

DIGEST_BYTES: Final = 5

_FILE = Path(__file__).parent / "data" / "common-passwords.bin"


def is_common(password: str) -> bool:
    """Whether `password` is on the list, in whatever case."""
    normal = unicodedata.normalize("NFKC", password).casefold()
    wanted = hashlib.sha256(normal.encode()).digest()[:DIGEST_BYTES]
    known = _known()
    count = len(known) // DIGEST_BYTES
    place = bisect_left(range(count), wanted, key=lambda place: _digest(known, place))
    return place < count and _digest(known, place) == wanted


def _digest(known: bytes, place: int) -> bytes:
    return known[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES]


@cache
def _known() -> bytes:
    return _FILE.read_bytes()
