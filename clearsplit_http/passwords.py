"""Passwords: hashed slowly, off the event loop, by a few threads with a short queue.

    bcrypt(base64(HMAC-SHA-384(pepper, NFKC(password))))

bcrypt reads 72 bytes and no NUL; the HMAC makes 64 of any password. The pepper is a secret of its
own, and its id stands before the hash, so that a changed pepper is noticed. bcrypt lets other
threads run while it works. An unknown account costs as much time as a wrong password.
"""

import asyncio
import hashlib
import hmac
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import bcrypt

from clearsplit_core.errors import Overloaded
from clearsplit_http.refusals import BadPassword

PASSWORD_CHARACTERS_MAX: Final = 1_024
THREADS: Final = 2
WAITING_MAX: Final = 32
"""Passwords that may wait for a thread; at 0.2 s each the last of them waits some 3 s."""

T = TypeVar("T")


class Passwords:
    """Hashes passwords and checks them. `close` when done."""

    def __init__(self, *, cost: int, pepper: bytes, length_min: int) -> None:
        self._cost = cost
        self._pepper = pepper
        self._pepper_id = _pepper_id(pepper)
        self._length_min = length_min
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="password")
        self._waiting = 0
        self._nobody = self._hash(secrets.token_urlsafe())

    def require_good(self, password: str, *, field: str) -> None:
        """Raises BadPassword for one that is too short or too long."""
        length = len(unicodedata.normalize("NFKC", password))
        if not self._length_min <= length <= PASSWORD_CHARACTERS_MAX:
            raise BadPassword(
                f"A password has {self._length_min} to {PASSWORD_CHARACTERS_MAX} characters.",
                field=field,
            )

    async def hashed(self, password: str, *, field: str = "/password") -> str:
        """What to keep of `password`. Raises BadPassword, Overloaded."""
        self.require_good(password, field=field)
        return await self._apart(lambda: self._hash(password))

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether `kept` came of `password`; nothing fits None, and finding out takes as long.

        Raises Overloaded.
        """
        return await self._apart(lambda: self._check(password, kept))

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    async def _apart(self, work: Callable[[], T]) -> T:
        if self._waiting >= THREADS + WAITING_MAX:
            raise Overloaded
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def _hash(self, password: str) -> str:
        salted = bcrypt.hashpw(self._peppered(password), bcrypt.gensalt(self._cost))
        return f"{self._pepper_id}:{salted.decode()}"

    def _check(self, password: str, kept: str | None) -> bool:
        _, _, salted = (kept or self._nobody).partition(":")
        return bcrypt.checkpw(self._peppered(password), salted.encode()) and kept is not None

    def _peppered(self, password: str) -> bytes:
        normal = unicodedata.normalize("NFKC", password)
        return b64encode(hmac.digest(self._pepper, normal.encode(), "sha384"))


def _pepper_id(pepper: bytes) -> str:
    return hashlib.sha256(b"clearsplit/pepper\0" + pepper).hexdigest()[:8] if pepper else "none"
