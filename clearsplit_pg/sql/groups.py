"""Who asks, what groups they have, and a group with its members."""

from typing import Final, LiteralString

LIVE: Final[LiteralString] = """
select session_lives(%(session_id)s, %(account_id)s, %(now)s) as live
"""

GROUP: Final[LiteralString] = """
select session_lives(%(session_id)s, %(account_id)s, %(now)s)  as live,
       sheet.actor_id is not null  as seated,
       %(now)s  as moment,
       sheet.*
  from (values (true)) as always
  left join sheets as sheet
    on sheet.group_id = %(group_id)s and sheet.account_id = %(account_id)s
"""

GROUPS: Final[LiteralString] = """
select sheet.*
  from sheets as sheet
 where sheet.account_id = %(account_id)s
   and sheet.deleted = %(deleted)s
   and (%(after)s::uuid is null or sheet.group_id > %(after)s)
 order by sheet.group_id
 limit %(limit)s
"""
