"""Invites, as they are read; the secret of one is in no table."""

from typing import Final, LiteralString

INVITE: Final[LiteralString] = """
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       (select json_agg(body)
          from invites
         where group_id = %(group_id)s and invite_id = %(invite_id)s)  as invites
"""

INVITES: Final[LiteralString] = """
with page as (
    select recorded_seq, body
      from invites
     where group_id = %(group_id)s
       and recorded_seq < coalesce(%(before_seq)s::bigint, 9223372036854775807)
     order by recorded_seq desc
     limit %(limit)s
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       (select json_agg(body order by recorded_seq desc) from page)  as invites
"""
