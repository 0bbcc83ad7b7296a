"""Balances, now and at another time."""

from typing import Final, LiteralString

STANDING: Final[LiteralString] = """
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       seat.member_id is not null  as seated,
       seat.seq,
       seat.head,
       (select json_agg(json_build_array(member_id, currency, balance_minor))
          from balances
         where group_id = %(group_id)s)  as balances
  from (values (true)) as always
  left join seats as seat on seat.group_id = %(group_id)s and seat.account_id = %(account_id)s
"""

# The balances after one entry, from the last posting before it of each member and currency. Null
# for an entry that is not there.
STANDING_AT_SEQ: Final[LiteralString] = """
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       (select seq from groups where group_id = %(group_id)s)  as last_seq,
       (select hash from entries where group_id = %(group_id)s and seq = %(as_of_seq)s)  as head,
       (select json_agg(json_build_array(place.member_id, place.currency, last.balance_after_minor))
          from balances as place
         cross join lateral (select balance_after_minor
                               from postings
                              where group_id = %(group_id)s
                                and member_id = place.member_id
                                and currency = place.currency
                                and seq <= %(as_of_seq)s
                              order by seq desc
                              limit 1) as last
         where place.group_id = %(group_id)s)  as balances
"""

# The balances of now less the legs that are dated later.
STANDING_AT_DATE: Final[LiteralString] = """
with later as (
    select member_id, currency, sum(amount_minor) as amount_minor
      from postings
     where group_id = %(group_id)s
       and effective_date > %(as_of_date)s
     group by member_id, currency
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       seat.member_id is not null  as seated,
       seat.seq,
       seat.head,
       (select json_agg(json_build_array(member_id, currency,
                                         balance_minor - coalesce(later.amount_minor, 0)))
          from balances
          left join later using (member_id, currency)
         where group_id = %(group_id)s)  as balances
  from (values (true)) as always
  left join seats as seat on seat.group_id = %(group_id)s and seat.account_id = %(account_id)s
"""

MY_BALANCES: Final[LiteralString] = """
select balances.group_id, balances.currency, balance_minor
  from members
  join groups on groups.group_id = members.group_id and not groups.deleted
  join balances
    on balances.group_id = members.group_id and balances.member_id = members.member_id
 where members.account_id = %(account_id)s
   and members.active
   and (%(group_id)s::uuid is null
        or (balances.group_id, balances.currency) > (%(group_id)s, %(currency)s))
 order by balances.group_id, balances.currency
 limit %(limit)s
"""
