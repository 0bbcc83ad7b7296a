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
select session_lives(%(session_id)s, %(account_id)s, %(now)s)  as live,
       is_seated(%(group_id)s, %(account_id)s)  as seated,
       (select json_agg(json_build_array(seq, at, actor_id, event, leg_members, leg_currencies,
                                         leg_dates, leg_amounts, encode(previous, 'hex'),
                                         encode(hash, 'hex'))
                        order by seq)
          from page)  as entries
"""

FEED: Final[LiteralString] = """
with page as (
    select seq, at, actor_id, event, leg_members, leg_currencies, leg_dates, leg_amounts, previous,
           hash
      from entries
     where group_id = %(group_id)s
       and seq > %(after_seq)s
     order by seq
     limit %(limit)s
)
select session_lives(%(session_id)s, %(account_id)s, %(now)s)  as live,
       is_seated(%(group_id)s, %(account_id)s)  as seated,
       (select json_agg(json_build_array(seq, at, actor_id, event, leg_members, leg_currencies,
                                         leg_dates, leg_amounts, encode(previous, 'hex'),
                                         encode(hash, 'hex'))
                        order by seq)
          from page)  as entries,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select strings_in(event) from page))  as texts
"""
