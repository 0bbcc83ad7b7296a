"""Limits: how often somebody may try something, whether or not it succeeds.

A quota is so many attempts in a window that the first of them opens. Every attempt counts, also the
refused ones, and none makes the window longer. Who tries is any text: an address, an account.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from threading import Lock
from typing import Final

KNOWN_MAX: Final = 100_000
"""Those whose attempts are remembered in memory; beyond that the longest known is forgotten."""


@dataclass(frozen=True, slots=True)
class Quota:
    """`attempts_max` in `window_s` seconds. `name` tells it from others, also to clients."""

    name: str
    attempts_max: int
    window_s: int

    @property
    def window(self) -> timedelta:
        return timedelta(seconds=self.window_s)


@dataclass(frozen=True, slots=True)
class Attempts:
    """How many were made in the window that ends at `resets_at`."""

    made: int
    resets_at: datetime

    @classmethod
    def one_more(cls, before: "Attempts | None", quota: Quota, now: datetime) -> "Attempts":
        """The attempts with the one that is made now."""
        if before is None or before.resets_at <= now:
            return cls(1, now + quota.window)
        return cls(before.made + 1, before.resets_at)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a quota leaves to somebody after an attempt."""

    quota: Quota
    left: int
    resets_in_s: int
    granted: bool

    @classmethod
    def after(cls, attempts: Attempts, quota: Quota, now: datetime) -> "Allowance":
        return cls(
            quota=quota,
            left=max(0, quota.attempts_max - attempts.made),
            resets_in_s=max(1, ceil((attempts.resets_at - now).total_seconds())),
            granted=attempts.made <= quota.attempts_max,
        )


class MemoryLimits:
    """Attempts counted in this process alone. `clock` answers the time in UTC."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._known: dict[tuple[str, str], Attempts] = {}

    def attempt(self, quota: Quota, who: str) -> Allowance:
        """`who` tries once more; the answer says whether they may."""
        with self._lock:
            now = self._clock()
            attempts = Attempts.one_more(self._known.pop((quota.name, who), None), quota, now)
            self._known[quota.name, who] = attempts
            if len(self._known) > KNOWN_MAX:
                del self._known[next(iter(self._known))]
        return Allowance.after(attempts, quota, now)
