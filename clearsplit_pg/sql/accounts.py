"""Accounts, their sessions and their personal tokens."""

from typing import Final, LiteralString

LOCK_ACCOUNT: Final[LiteralString] = """
select account_id from accounts where account_id = %(account_id)s for no key update
"""

# One account by its id or by its e-mail address: one statement, whether there is one or not.
ACCOUNT: Final[LiteralString] = """
select account_id, email, name, password_hash, version, created_at,
       (select json_agg(session order by started_at, session_id)
          from sessions as session
         where session.account_id = accounts.account_id)  as sessions,
       (select json_agg(token order by created_at, token_id)
          from personal_tokens as token
         where token.account_id = accounts.account_id)  as tokens
  from accounts
 where account_id = %(account_id)s or email = %(email)s
"""

PERSONAL: Final[LiteralString] = """
select token_id, name, scope, digest, created_at, expires_at
  from personal_tokens
 where account_id = %(account_id)s and token_id = %(token_id)s
"""

OPEN_ACCOUNT: Final[LiteralString] = """
insert into accounts (account_id, email, name, password_hash, version, created_at)
values (%(account_id)s, %(email)s, %(name)s, %(password_hash)s, %(version)s, %(created_at)s)
"""

KEEP_ACCOUNT: Final[LiteralString] = """
update accounts
   set email = %(email)s, name = %(name)s, password_hash = %(password_hash)s,
       version = %(version)s
 where account_id = %(account_id)s
"""

KEEP_SESSION: Final[LiteralString] = """
insert into sessions (session_id, account_id, refresh, parent, started_at, rotated_at, expires_at,
                      ended)
values (%(session_id)s, %(account_id)s, %(refresh)s, %(parent)s, %(started_at)s, %(rotated_at)s,
        %(expires_at)s, %(ended)s)
    on conflict (session_id)
    do update set refresh = excluded.refresh, parent = excluded.parent,
                  rotated_at = excluded.rotated_at, expires_at = excluded.expires_at,
                  ended = excluded.ended
"""

FORGET_SESSIONS: Final[LiteralString] = """
delete from sessions where account_id = %(account_id)s and session_id = any(%(ids)s)
"""

KEEP_PERSONAL: Final[LiteralString] = """
insert into personal_tokens (account_id, token_id, name, scope, digest, created_at, expires_at)
values (%(account_id)s, %(token_id)s, %(name)s, %(scope)s, %(digest)s, %(created_at)s,
        %(expires_at)s)
"""

FORGET_PERSONAL: Final[LiteralString] = """
delete from personal_tokens where account_id = %(account_id)s and token_id = any(%(ids)s)
"""

# Its sessions and tokens go with it.
DELETE_ACCOUNT: Final[LiteralString] = """
delete from accounts where account_id = %(account_id)s
"""
