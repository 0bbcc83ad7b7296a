"""What an audit reads: each group's journal in order, and everything that stands beside it."""

from typing import Final, LiteralString

# Also a group whose own row is gone while its journal is there.
GROUP_IDS: Final[LiteralString] = """
select group_id from groups
union
select group_id from entries where seq = 1
 order by group_id
"""

GROUP_IDS_LISTED: Final[LiteralString] = """
select group_id from groups order by group_id
"""

ENTRIES: Final[LiteralString] = """
select json_build_array(seq, at, actor_id, event, leg_members, leg_currencies, leg_dates,
                        leg_amounts, encode(previous, 'hex'), encode(hash, 'hex'))  as entry,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where texts.group_id = entries.group_id
           and commitment in (select strings_in(event)))  as texts
  from entries
 where group_id = %(group_id)s
 order by seq
"""

POSTINGS: Final[LiteralString] = """
select seq, member_id, currency, effective_date, amount_minor, balance_after_minor
  from postings
 where group_id = %(group_id)s
 order by seq, member_id, currency, effective_date
"""

TEXTS: Final[LiteralString] = """
select commitment from texts where group_id = %(group_id)s order by commitment
"""

GROUP: Final[LiteralString] = """
select name, currency, version, created_at, changed_at, seq, encode(head, 'hex') as head, archived,
       deleted, simplify, payments_need_confirmation, latest_settlement_id, moved_seq, strayed_seq
  from groups
 where group_id = %(group_id)s
"""

MEMBERS: Final[LiteralString] = """
select member_id::text as id, joined_seq, name, role, active, account,
       account_id::text as account_id, version
  from members
 where group_id = %(group_id)s
 order by member_id
"""

BALANCES: Final[LiteralString] = """
select member_id, currency, balance_minor
  from balances
 where group_id = %(group_id)s
 order by member_id, currency
"""

DEBTS: Final[LiteralString] = """
select debtor_id, creditor_id, currency, debt_minor
  from debts
 where group_id = %(group_id)s
 order by debtor_id, creditor_id, currency
"""

EXPENSES: Final[LiteralString] = """
select expense_id::text as id, recorded_seq, version, voided, body
  from expenses
 where group_id = %(group_id)s
 order by expense_id
"""

COMMENTS: Final[LiteralString] = """
select comment_id::text as id, expense_id::text as expense_id, recorded_seq, body
  from comments
 where group_id = %(group_id)s
 order by comment_id
"""

PAYMENTS: Final[LiteralString] = """
select payment_id::text as id, recorded_seq, version, state,
       settlement_id::text as settlement_id, transfer_id::text as transfer_id, body
  from payments
 where group_id = %(group_id)s
 order by payment_id
"""

SETTLEMENTS: Final[LiteralString] = """
select settlement_id::text as id, version, revision, voided, body
  from settlements
 where group_id = %(group_id)s
 order by settlement_id
"""

INVITES: Final[LiteralString] = """
select invite_id::text as id, recorded_seq, state, version, body,
       to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')  as expires_at
  from invites
 where group_id = %(group_id)s
 order by invite_id
"""

HEADS: Final[LiteralString] = """
select group_id, seq, encode(head, 'hex') as head from groups order by group_id
"""

# What stands where a checkpoint had its heads, in the same order.
HASHES: Final[LiteralString] = """
select (select encode(hash, 'hex')
          from entries
         where entries.group_id = head.group_id and entries.seq = head.seq)  as hash,
       (select max(seq) from entries where entries.group_id = head.group_id)  as last_seq
  from unnest(%(group_ids)s::uuid[], %(seqs)s::bigint[])
       with ordinality as head (group_id, seq, place)
 order by place
"""
