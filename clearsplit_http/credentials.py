"""Credentials: who sends a request, by whatever they show, and how far that lets them.

An access token (auth.py) is a session's and reaches everything that the account may do. A personal
token reaches groups alone, and only reads where that is its scope. Whether a session or a token
still lives is asked of the store with every request, in the statement that answers it.
"""

import hmac
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clearsplit_core.errors import SessionEnded
from clearsplit_core.ports import AsyncAccounts, Caller
from clearsplit_core.records import Scope
from clearsplit_http.auth import AccessTokens, bearer
from clearsplit_http.tokens import PERSONAL, PersonalKey

KNOWN_MAX: Final = 10_000
"""Personal tokens that are remembered as genuine; the longest unused is forgotten first."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Whom a request comes from; `scope` is None for a session, which may do everything."""

    caller: Caller
    scope: Scope | None = None


class Credentials:
    """Reads what a request shows, whichever kind of token it is."""

    def __init__(self, access_tokens: AccessTokens, accounts: AsyncAccounts) -> None:
        self._access_tokens = access_tokens
        self._accounts = accounts
        self._genuine: OrderedDict[str, Shown] = OrderedDict()

    async def shown(self, lines: Sequence[str]) -> Shown:
        """Who sent the `Authorization` header with these lines.

        Raises CredentialsMissing, BadRequest, SessionEnded, Overloaded.
        """
        token = bearer(lines)
        if token.startswith(PERSONAL):
            return await self._personal(PersonalKey.read(token))
        return Shown(self._access_tokens.caller(token))

    async def _personal(self, key: PersonalKey) -> Shown:
        known = self._genuine.pop(key.digest, None) or await self._looked_up(key)
        self._genuine[key.digest] = known
        if len(self._genuine) > KNOWN_MAX:
            self._genuine.popitem(last=False)
        return known

    async def _looked_up(self, key: PersonalKey) -> Shown:
        token = await self._accounts.personal_token(key.account_id, key.token_id)
        if token is None or not hmac.compare_digest(token.digest, key.digest):
            raise SessionEnded
        return Shown(Caller(key.account_id, key.token_id), token.scope)
