"""Accounts and their sessions."""

from typing import Final, LiteralString

LOCK_ACCOUNT: Final[LiteralString] = """
select account_id from accounts where account_id = %(account_id)s for no key update
"""

# One account by its id or by its e-mail address.
ACCOUNT: Final[LiteralString] = """
select account_id, email, name, password_hash, version, created_at
  from accounts
 where account_id = %(account_id)s or email = %(email)s
"""

SESSIONS: Final[LiteralString] = """
select session_id, refresh, parent, started_at, rotated_at, expires_at, ended
  from sessions
 where account_id = %(account_id)s
 order by started_at, session_id
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
delete from sessions where account_id = %(account_id)s and session_id <> all(%(kept)s)
"""
