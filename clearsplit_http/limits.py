"""Limits over HTTP: who counts as whom, and what an answer says about what is left.

Signing up and refreshing are limited by the address that asks, signing in also by the account that
is named; all workers count those together, in the store. Writes are limited by account, and each
worker counts its own. The headers are those of draft-ietf-httpapi-ratelimit-headers.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from clearsplit_core.limits import Allowance, MemoryLimits, Quota
from clearsplit_core.ports import AsyncLimits
from clearsplit_core.records import AccountId
from clearsplit_http.refusals import QuotaExceeded

Limited: TypeAlias = Literal["signup", "login", "refresh"]
"""What an address may do only so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The quotas in force; what has none is left out or None."""

    together: AsyncLimits
    alone: MemoryLimits
    by_address: dict[str, Quota]
    by_account: Quota | None
    writes: Quota | None

    async def of_address(self, what: Limited, address: str) -> Allowance | None:
        """The address tries that once more."""
        quota = self.by_address.get(what)
        return None if quota is None else await self.together.attempt(quota, address)

    async def of_login(self, email: str) -> Allowance | None:
        """Somebody tries a password for that address, whether it has an account or not."""
        if self.by_account is None:
            return None
        return await self.together.attempt(self.by_account, _private(email))

    def of_write(self, account_id: AccountId) -> Allowance | None:
        """The account changes something once more."""
        return None if self.writes is None else self.alone.attempt(self.writes, str(account_id))


def spend(allowance: Allowance | None, told: list[Allowance]) -> None:
    """Raises QuotaExceeded where nothing was left; `told` then has it as well."""
    if allowance is None:
        return
    told.append(allowance)
    if not allowance.granted:
        raise QuotaExceeded(retry_after_s=allowance.resets_in_s)


def headers(allowances: Sequence[Allowance]) -> list[tuple[str, str]]:
    """What is left of each quota, and what the quotas are."""
    if not allowances:
        return []
    quotas = (each.quota for each in allowances)
    policies = (f'"{quota.name}";q={quota.attempts_max};w={quota.window_s}' for quota in quotas)
    states = (f'"{each.quota.name}";r={each.left};t={each.resets_in_s}' for each in allowances)
    return [("RateLimit-Policy", ", ".join(policies)), ("RateLimit", ", ".join(states))]


def _private(email: str) -> str:
    return hashlib.sha256(email.encode("utf-8", "surrogatepass")).hexdigest()
