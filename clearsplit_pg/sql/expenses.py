"""Expenses, as they are read."""

from typing import Final, LiteralString

EXPENSE: Final[LiteralString] = """
with one as (
    select body, body -> 'terms' as terms
      from expenses
     where group_id = %(group_id)s
       and expense_id = %(expense_id)s
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       (select json_agg(body) from one)  as expenses,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select said
                                from one
                               cross join texts_in_terms(terms) as said))  as texts
"""

EXPENSES: Final[LiteralString] = """
with page as (
    select recorded_seq, body, body -> 'terms' as terms
      from expenses
     where group_id = %(group_id)s
       and not voided
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
       (select json_agg(body order by recorded_seq desc) from page)  as expenses,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select said
                                from page
                               cross join texts_in_terms(terms) as said))  as texts
"""

# The versions that a page asks for; and of those before them the first, the last, and the last that
# said something, which is what the first of the page follows on.
EXPENSE_HISTORY: Final[LiteralString] = """
with version as (
    select seq
      from entries
     where group_id = %(group_id)s
       and event ->> 'expense_id' = %(expense_id)s::text
       and event ->> 'kind' like 'expense-%%'
), page as (
    select seq from version where seq > %(after_seq)s order by seq limit %(limit)s
), earlier as (
    select count(*) as versions, min(seq) as first_seq, max(seq) as last_seq
      from version
     where seq <= %(after_seq)s
), said as (
    select max(seq) as seq
      from entries
     where group_id = %(group_id)s
       and event ->> 'expense_id' = %(expense_id)s::text
       and event ->> 'kind' like 'expense-%%'
       and event ? 'terms'
       and seq <= %(after_seq)s
), told as (
    select *, event -> 'terms' as terms
      from entries
     where group_id = %(group_id)s
       and seq in (select seq from page
                   union select first_seq from earlier
                   union select last_seq from earlier
                   union select seq from said)
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
       (select versions from earlier)  as versions_before,
       (select json_agg(json_build_array(seq, at, actor_id, event, leg_members, leg_currencies,
                                         leg_dates, leg_amounts, encode(previous, 'hex'),
                                         encode(hash, 'hex'))
                        order by seq)
          from told)  as entries,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select said
                                from told
                               cross join texts_in_terms(terms) as said))  as texts
"""

CATEGORIES: Final[LiteralString] = """
with recent as (
    select body #>> '{terms,category}' as category
      from expenses
     where group_id = %(group_id)s
       and not voided
     order by recorded_seq desc
     limit %(latest)s
), used as (
    select words, count(*) as uses
      from recent
      join texts on group_id = %(group_id)s and commitment = category
     group by words
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       (select json_agg(json_build_array(words, uses) order by uses desc, words collate "C")
          from used)  as categories
"""
