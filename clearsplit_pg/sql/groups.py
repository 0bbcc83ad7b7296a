"""Who asks, what groups they have, and a group with its members."""

from typing import Final, LiteralString

LIVE: Final[LiteralString] = """
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s)) as live
"""

GROUP: Final[LiteralString] = """
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       sheet.actor_id is not null  as seated,
       %(now)s  as moment,
       sheet.*
  from (values (true)) as always
  left join sheets as sheet
    on sheet.group_id = %(group_id)s and sheet.account_id = %(account_id)s
"""

# Whether an account has to name another owner before it can go: who is left would need one.
LINKS: Final[LiteralString] = """
select seat.group_id,
       bool_or(not groups.deleted
               and seat.active
               and seat.role = 'owner'
               and not exists (select from members as other
                                where other.group_id = seat.group_id
                                  and other.member_id <> seat.member_id
                                  and other.active
                                  and other.role = 'owner')
               and exists (select from members as other
                            where other.group_id = seat.group_id
                              and other.member_id <> seat.member_id
                              and other.active
                              and other.account is not null))  as needs_owner
  from members as seat
  join groups on groups.group_id = seat.group_id
 where seat.account_id = %(account_id)s
 group by seat.group_id
 order by seat.group_id
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
