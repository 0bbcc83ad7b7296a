"""How often somebody tried what has a limit."""

from typing import Final, LiteralString

ATTEMPT: Final[LiteralString] = """
insert into attempts (bucket, made, resets_at)
values (%(bucket)s, 1, %(resets_at)s)
    on conflict (bucket)
    do update set made = case when attempts.resets_at <= %(now)s then 1
                              else least(attempts.made + 1, %(made_max)s) end,
                  resets_at = case when attempts.resets_at <= %(now)s then excluded.resets_at
                                   else attempts.resets_at end
returning made, resets_at
"""

# A few windows that are over, but none that somebody is counting in just now.
FORGET: Final[LiteralString] = """
delete from attempts
 where bucket in (select bucket
                    from attempts
                   where resets_at <= %(now)s
                   order by resets_at
                   limit 10
                     for update skip locked)
returning bucket
"""
