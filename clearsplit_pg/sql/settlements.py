"""Settlements, as they are read, and what the next is computed from."""

from typing import Final, LiteralString

# Whether a settlement is stale follows from the group's own two numbers.
SETTLEMENT: Final[LiteralString] = """
with one as (
    select body
      from settlements
     where group_id = %(group_id)s
       and settlement_id = %(settlement_id)s
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       (select moved_seq from groups where group_id = %(group_id)s)  as moved_seq,
       (select strayed_seq from groups where group_id = %(group_id)s)  as strayed_seq,
       (select json_agg(body) from one)  as settlements,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select body ->> 'void_reason' from one))  as texts
"""

LATEST_SETTLEMENT: Final[LiteralString] = """
with one as (
    select body
      from settlements
      join groups using (group_id)
     where group_id = %(group_id)s
       and settlement_id = latest_settlement_id
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       (select moved_seq from groups where group_id = %(group_id)s)  as moved_seq,
       (select strayed_seq from groups where group_id = %(group_id)s)  as strayed_seq,
       (select json_agg(body) from one)  as settlements,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select body ->> 'void_reason' from one))  as texts
"""

SETTLEMENTS: Final[LiteralString] = """
with page as (
    select version, body
      from settlements
     where group_id = %(group_id)s
       and version < coalesce(%(before_version)s::bigint, 9223372036854775807)
     order by version desc
     limit %(limit)s
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       (select moved_seq from groups where group_id = %(group_id)s)  as moved_seq,
       (select strayed_seq from groups where group_id = %(group_id)s)  as strayed_seq,
       (select json_agg(body order by version desc) from page)  as settlements,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select body ->> 'void_reason' from page))  as texts
"""

TO_SETTLE: Final[LiteralString] = """
with latest as (
    select body
      from settlements
      join groups using (group_id)
     where group_id = %(group_id)s
       and settlement_id = latest_settlement_id
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       sheet.actor_id is not null  as seated,
       %(now)s  as moment,
       sheet.*,
       (select json_agg(json_build_array(debtor_id, creditor_id, currency, debt_minor))
          from debts
         where group_id = %(group_id)s and debt_minor <> 0)  as debts,
       (select json_agg(body) from latest)  as settlements,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select body ->> 'void_reason' from latest))  as settlement_texts
  from (values (true)) as always
  left join sheets as sheet
    on sheet.group_id = %(group_id)s and sheet.account_id = %(account_id)s
"""
