"""A member's statement: one line for each entry and currency, read along the index of postings.

Each currency of the member is read from where the page before stopped, no further than a page can
be long, and the page is the first of all these. So it costs the same wherever it begins, and
however much stands before and behind it. Of the two directions the one that is not asked for is
never begun (a one-time filter).
"""

from typing import Final, LiteralString

STATEMENT: Final[LiteralString] = """
with page as (
    select seq, currency, amount_minor, after_minor
      from balances as place
     cross join lateral (
       (select seq, sum(amount_minor)::bigint, max(balance_after_minor)
          from postings
         where not %(latest_first)s
           and group_id = %(group_id)s
           and member_id = %(member_id)s
           and currency = place.currency
           and seq >= coalesce(%(after_seq)s::bigint, 0)
                      + (place.currency <= %(after_currency)s)::int
         group by seq
         order by seq
         limit %(limit)s)
       union all
       (select seq, sum(amount_minor)::bigint, max(balance_after_minor)
          from postings
         where %(latest_first)s
           and group_id = %(group_id)s
           and member_id = %(member_id)s
           and currency = place.currency
           and seq <= coalesce(%(after_seq)s::bigint
                               - (place.currency >= %(after_currency)s)::int,
                               9223372036854775807)
         group by seq
         order by seq desc
         limit %(limit)s)) as line (seq, amount_minor, after_minor)
     where place.group_id = %(group_id)s
       and place.member_id = %(member_id)s
       and (%(currency)s::text is null or currency = %(currency)s)
     order by case when %(latest_first)s then -seq else seq end,
              case when not %(latest_first)s then place.currency end,
              place.currency desc
     limit %(limit)s
), happened as (
    select entries.seq, at, actor_id, entries.event, earlier.event as before,
           payments.body as payment
      from entries
      left join lateral (
           select event
             from entries as earlier
            where group_id = %(group_id)s
              and event ->> 'expense_id' = entries.event ->> 'expense_id'
              and event ->> 'kind' like 'expense-%%'
              and event ? 'terms'
              and seq < entries.seq
            order by seq desc
            limit 1) as earlier on true
      left join payments
        on payments.group_id = %(group_id)s
       and payment_id = (entries.event ->> 'payment_id')::uuid
     where entries.group_id = %(group_id)s
       and entries.seq in (select seq from page)
), named as (
    select member_id, name
      from members
     where group_id = %(group_id)s
       and member_id in (
           select unnest(array[actor_id, (event #>> '{terms,payers,0,member_id}')::uuid,
                               (before #>> '{terms,payers,0,member_id}')::uuid,
                               (payment ->> 'from_member_id')::uuid,
                               (payment ->> 'to_member_id')::uuid])
             from happened)
), said as (
    select said
      from happened
     cross join unnest(array[event, before]) as each (event)
     cross join texts_in_terms(each.event -> 'terms') as said
     union all
    select unnest(array[payment ->> 'memo', payment ->> 'void_reason']) from happened
    union all
    select name from named
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       exists (select from members
                where group_id = %(group_id)s and member_id = %(member_id)s)  as there,
       (select json_agg(json_build_array(seq, currency, amount_minor, after_minor)
                        order by seq, currency)
          from page)  as lines,
       (select json_agg(json_build_array(seq, at, actor_id, event, before, payment))
          from happened)  as happened,
       (select json_agg(json_build_array(member_id, name)) from named)  as names,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select said from said))  as texts
"""
