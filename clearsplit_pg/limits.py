"""Limits on Postgres: attempts are counted in one table, so all workers count together.

An attempt is one statement and so its own transaction: what becomes of the request that made it
does not matter. The counts need not survive a crash.
"""

import hashlib
from typing import Final

from clearsplit_core.limits import Allowance, Attempts, Quota
from clearsplit_pg.connected import Connected, persistently
from clearsplit_pg.sql import limits as sql

MADE_MAX: Final = 1_000_000_000
"""Attempts beyond which nobody counts."""


class PostgresLimits(Connected):
    """`ports.AsyncLimits` on Postgres."""

    async def attempt(self, quota: Quota, who: str) -> Allowance:
        now = self._clock()
        params = {
            "bucket": _bucket(quota, who),
            "now": now,
            "resets_at": now + quota.window,
            "made_max": MADE_MAX,
        }
        (row,) = await persistently(lambda: self._read_all(sql.ATTEMPT, params))
        attempts = Attempts(row["made"], row["resets_at"])
        if attempts.made == 1:  # whoever adds a row takes old ones away, so that they stay few
            await persistently(lambda: self._read_all(sql.FORGET, {"now": now}))
        return Allowance.after(attempts, quota, now)


def _bucket(quota: Quota, who: str) -> bytes:
    return hashlib.sha256(f"{quota.name}\0{who}".encode()).digest()
