"""Comments, as they are read."""

from typing import Final, LiteralString

COMMENT: Final[LiteralString] = """
with one as (
    select body
      from comments
     where group_id = %(group_id)s
       and comment_id = %(comment_id)s
       and expense_id = %(expense_id)s
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       (select json_agg(body) from one)  as comments,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select body ->> 'said' from one))  as texts
"""

COMMENTS: Final[LiteralString] = """
with page as (
    select recorded_seq, body
      from comments
     where group_id = %(group_id)s
       and expense_id = %(expense_id)s
       and recorded_seq > %(after_seq)s
     order by recorded_seq
     limit %(limit)s
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       exists (select from expenses
                where group_id = %(group_id)s and expense_id = %(expense_id)s)  as there,
       (select json_agg(body order by recorded_seq) from page)  as comments,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select body ->> 'said' from page))  as texts
"""
