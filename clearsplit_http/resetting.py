"""`clearsplit reset-password EMAIL`: for somebody who forgot theirs, since there is no mail.

The command makes the password, and nobody chooses it: it is told to the operator once, who hands it
over and asks for another to be chosen. Everything that was signed in with the old one is over.
"""

import secrets
from dataclasses import replace
from typing import Final

from clearsplit_core.accounts import ResetPassword, normal_email
from clearsplit_core.errors import ThingNotFound
from clearsplit_core.ports import Clock
from clearsplit_http.server import running
from clearsplit_http.settings import Settings

PASSWORD_BYTES: Final = 18
"""Random bytes of a password that we make; 24 characters."""


async def reset_password(settings: Settings, clock: Clock, email: str) -> str:
    """The new password of the account with that address. Where there is no database, none is made.

    Raises BadEmail, ThingNotFound.
    """
    there = replace(settings, store=replace(settings.store, must_exist=True))
    async with running(there, clock) as server:
        account = await server.store.account_by_email(normal_email(email))
        if account is None:
            raise ThingNotFound("No account has this e-mail address.")
        password = secrets.token_urlsafe(max(PASSWORD_BYTES, settings.password_length_min))
        new_hash = await server.passwords.hashed(password)
        await server.store.perform_on_account(
            ResetPassword(account_id=account.id, new_hash=new_hash)
        )
        return password
