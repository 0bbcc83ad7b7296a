"""Payments, as they are read."""

from typing import Final, LiteralString

PAYMENT: Final[LiteralString] = """
with one as (
    select body
      from payments
     where group_id = %(group_id)s
       and payment_id = %(payment_id)s
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       (select json_agg(body) from one)  as payments,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select unnest(array[body ->> 'memo', body ->> 'void_reason'])
                                from one))  as texts
"""

PAYMENTS: Final[LiteralString] = """
with page as (
    select recorded_seq, body
      from payments
     where group_id = %(group_id)s
       and case when %(state)s::text is null then state <> 'voided' else state = %(state)s end
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
       (select json_agg(body order by recorded_seq desc) from page)  as payments,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select unnest(array[body ->> 'memo', body ->> 'void_reason'])
                                from page))  as texts
"""
