"""The journal, as it is read."""

from typing import Final, LiteralString

ENTRIES: Final[LiteralString] = """
with page as (
    select seq, at, actor_id, event, leg_members, leg_currencies, leg_dates, leg_amounts, previous,
           hash
      from entries
     where group_id = %(group_id)s
       and seq > %(after_seq)s
     order by seq
     limit %(limit)s
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       (select json_agg(json_build_array(seq, at, actor_id, event, leg_members, leg_currencies,
                                         leg_dates, leg_amounts, encode(previous, 'hex'),
                                         encode(hash, 'hex'))
                        order by seq)
          from page)  as entries
"""

FEED: Final[LiteralString] = """
with page as (
    select seq, at, actor_id, event, leg_members, leg_currencies, leg_dates, leg_amounts, previous,
           hash, event -> 'terms' as terms
      from entries
     where group_id = %(group_id)s
       and seq > %(after_seq)s
     order by seq
     limit %(limit)s
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       exists (select from seats
                where group_id = %(group_id)s and account_id = %(account_id)s)  as seated,
       (select json_agg(json_build_array(seq, at, actor_id, event, leg_members, leg_currencies,
                                         leg_dates, leg_amounts, encode(previous, 'hex'),
                                         encode(hash, 'hex'))
                        order by seq)
          from page)  as entries,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select said from page cross join texts_in_terms(terms) as said
                              union all
                              select said from page cross join texts_in_event(event) as said
                               where terms is null))  as texts
"""
