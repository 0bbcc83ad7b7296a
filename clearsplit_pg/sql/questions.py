"""What is asked of a group: every check stands in the statement that reads."""

from typing import Final, LiteralString

STANDING: Final[LiteralString] = """
select session_lives(%(session_id)s, %(account_id)s, %(now)s)  as live,
       exists (select from members
                where group_id = %(group_id)s
                  and account_id = %(account_id)s and active)  as seated,
       (select seq from groups where group_id = %(group_id)s)  as seq,
       (select head from groups where group_id = %(group_id)s)  as head,
       (select json_agg(json_build_array(member_id, currency, balance_minor))
          from balances
         where group_id = %(group_id)s)  as balances
"""

GROUP: Final[LiteralString] = """
select session_lives(%(session_id)s, %(account_id)s, %(now)s)  as live,
       sheet.*
  from (values (true)) as always
  left join sheets as sheet
    on sheet.group_id = %(group_id)s and sheet.account_id = %(account_id)s
"""

GROUPS: Final[LiteralString] = """
select sheet.*
  from sheets as sheet
 where sheet.account_id = %(account_id)s
   and (%(after)s::uuid is null or sheet.group_id > %(after)s)
 order by sheet.group_id
 limit %(limit)s
"""

# A page of expenses, or the one that was asked for by its id, voided or not.
EXPENSES: Final[LiteralString] = """
with page as (
    select recorded_seq, body
      from expenses
     where group_id = %(group_id)s
       and case when %(expense_id)s::uuid is null then not voided
                else expense_id = %(expense_id)s end
       and (%(before_seq)s::bigint is null or recorded_seq < %(before_seq)s)
     order by recorded_seq desc
     limit %(limit)s
)
select session_lives(%(session_id)s, %(account_id)s, %(now)s)  as live,
       exists (select from members
                where group_id = %(group_id)s
                  and account_id = %(account_id)s and active)  as seated,
       (select json_agg(body order by recorded_seq desc) from page)  as expenses,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select strings_in(body) from page))  as texts
"""

ENTRIES: Final[LiteralString] = """
select seq, at, actor_id, event, leg_members, leg_currencies, leg_dates, leg_amounts, previous, hash
  from entries
 where group_id = %(group_id)s
   and seq > %(after_seq)s
 order by seq
 limit %(limit)s
"""

# Whether the caller may look at all.
ACCESS: Final[LiteralString] = """
select session_lives(%(session_id)s, %(account_id)s, %(now)s)  as live,
       exists (select from members
                where group_id = %(group_id)s
                  and account_id = %(account_id)s and active)  as seated
"""

# ── Who asks, and what is there ───────────────────────────────────────────────────────────────────

LIVE: Final[LiteralString] = """
select session_lives(%(session_id)s, %(account_id)s, %(now)s) as live
"""

SCHEMA: Final[LiteralString] = "select migration_id from _yoyo_migration"
