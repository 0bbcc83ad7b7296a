"""Passwords: hashed slowly, off the event loop, by a few threads with a short queue.

    bcrypt(base64(HMAC-SHA-384(pepper, NFKC(password))))

bcrypt reads 72 bytes and no NUL; the HMAC makes 64 of any password. The pepper is a secret of its
own, and its id stands before the hash: a hash of the pepper before is still known, and made anew
when its owner signs in. bcrypt lets other threads run while it works, and its threads come last
when the processor is wanted elsewhere. An unknown account costs as much time as a wrong password.
"""

import asyncio
import hashlib
import hmac
import os
import secrets
import threading
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

import bcrypt

from clearsplit_core.errors import Overloaded
from clearsplit_http.common import is_common
from clearsplit_http.refusals import BadPassword, CommonPassword

PASSWORD_CHARACTERS_MAX: Final = 1_024
THREADS: Final = max(1, (os.cpu_count() or 1) // 2)
"""Threads that hash in each worker: half of the processors are left to everybody else."""
WAITING_MAX: Final = 16 * THREADS
"""Passwords that may wait for a thread; at 0.2 s each the last of them waits some 3 s."""
NICENESS: Final = 5
"""How far hashing stands back for whoever answers requests (setpriority(2), on Linux)."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pepper:
    """A secret that is in every hash and not in the database. Empty: there is none."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        if not self.secret:
            return "none"
        return hashlib.sha256(b"clearsplit/pepper\0" + self.secret).hexdigest()[:8]

    def season(self, password: str) -> bytes:
        """64 bytes that follow from the whole password, however its letters are composed."""
        normal = unicodedata.normalize("NFKC", password)
        return b64encode(hmac.digest(self.secret, normal.encode(), "sha384"))


class Passwords:
    """Hashes passwords and checks them. `close` when done.

    New hashes have `pepper`; those of `peppers_before` and those without any are still known.
    """

    def __init__(
        self, *, cost: int, length_min: int, pepper: bytes, peppers_before: tuple[bytes, ...] = ()
    ) -> None:
        self._cost = cost
        self._length_min = length_min
        self._pepper = Pepper(pepper)
        known = (self._pepper, *map(Pepper, peppers_before), Pepper(b""))
        self._peppers = {each.id: each for each in reversed(known)}
        self._threads = ThreadPoolExecutor(THREADS, "password", initializer=_stand_back)
        self._waiting = _Counter()
        self._nobody = self._hash(secrets.token_urlsafe())

    def require_good(self, password: str, *, field: str) -> None:
        """Raises BadPassword for one that is too short or too long, and CommonPassword."""
        length = len(unicodedata.normalize("NFKC", password))
        if not self._length_min <= length <= PASSWORD_CHARACTERS_MAX:
            raise BadPassword(
                f"A password has {self._length_min} to {PASSWORD_CHARACTERS_MAX} characters.",
                field=field,
            )
        if is_common(password):
            raise CommonPassword(field=field)

    async def hashed(self, password: str, *, field: str = "/password") -> str:
        """What to keep of `password`. Raises BadPassword, CommonPassword, Overloaded."""
        self.require_good(password, field=field)
        return await self._apart(lambda: self._hash(password))

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether `kept` came of `password`; nothing fits None, and finding out takes as long.

        Raises Overloaded.
        """
        return await self._apart(lambda: self._check(password, kept))

    async def renewed(self, password: str, kept: str) -> str | None:
        """What to keep instead of `kept`, which `password` fits; None where it is as we make it.

        Raises Overloaded.
        """
        pepper_id, _, salted = kept.partition(":")
        if pepper_id == self._pepper.id and salted.startswith(f"$2b${self._cost:02}$"):
            return None
        return await self._apart(lambda: self._hash(password))

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    async def _apart(self, work: Callable[[], T]) -> T:
        """What `work` comes to, in a thread. A place is taken until the thread is done with it,
        also where nobody waits for the answer any more."""
        if self._waiting.count >= THREADS + WAITING_MAX:
            raise Overloaded
        self._waiting.add(1)
        future = self._threads.submit(work)
        future.add_done_callback(self._one_less)
        return await asyncio.wrap_future(future)

    def _one_less(self, _done: Future[T]) -> None:
        self._waiting.add(-1)

    def _hash(self, password: str) -> str:
        salted = bcrypt.hashpw(self._pepper.season(password), bcrypt.gensalt(self._cost))
        return f"{self._pepper.id}:{salted.decode()}"

    def _check(self, password: str, kept: str | None) -> bool:
        pepper_id, _, salted = (kept or self._nobody).partition(":")
        pepper = self._peppers.get(pepper_id, self._pepper)
        return bcrypt.checkpw(pepper.season(password), salted.encode()) and kept is not None


class _Counter:
    """A number that threads change together."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def add(self, more: int) -> None:
        with self._lock:
            self.count += more


def _stand_back() -> None:
    with suppress(AttributeError, OSError):  # Linux alone has a priority for each thread
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
