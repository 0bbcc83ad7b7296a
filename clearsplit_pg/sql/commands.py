"""What changes a group.

The text of an account's id is kept in `members.account_id` as well, which is an index and no more
than that.
"""

from typing import Final, LiteralString

# ── Performing a command: claim the key, lock, read, append ──────────────────────────────────────

# Nobody waits for a key. The lock goes with the transaction, and so does the answer that it guards.
CLAIM_KEY: Final[LiteralString] = "select pg_try_advisory_xact_lock(%(key_number)s) as claimed"

# Lock first and read second, in two statements: a statement that waits for the row lock still reads
# every other table as it stood before it waited. The answer may be looked up here, since whoever
# could have committed one held the key's lock, which we hold now.
LOCK: Final[LiteralString] = """
with locked as (
    select group_id, name, currency, version, created_at, changed_at, seq, head
      from groups
     where group_id = %(group_id)s
       for no key update
)
select session_lives(%(session_id)s, %(account_id)s, %(now)s)  as live,
       answer.fingerprint,
       answer.status,
       answer.headers,
       answer.body,
       locked.name,
       locked.currency,
       locked.version,
       locked.created_at,
       locked.changed_at,
       locked.seq,
       locked.head
  from (values (true)) as always
  left join locked on true
  left join answers as answer
    on answer.group_id = %(group_id)s
   and answer.account_id = %(account_id)s
   and answer.key = %(key)s::text
   and answer.sealed_at > %(kept_since)s
"""

# What a decision sees besides the group's own row. Names are left out: no rule looks at them.
READ_FOR_DECISION: Final[LiteralString] = """
select (select member_id
          from members
         where group_id = %(group_id)s and account_id = %(account_id)s and active)  as actor_id,
       (select json_agg(json_build_array(member_id, name, role, active, account, version))
          from members
         where group_id = %(group_id)s)  as members,
       (select json_agg(json_build_array(member_id, currency, balance_minor))
          from balances
         where group_id = %(group_id)s)  as balances,
       (select json_agg(body)
          from expenses
         where group_id = %(group_id)s and expense_id = any(%(expense_ids)s))  as expenses,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select strings_in(body)
                                from expenses
                               where group_id = %(group_id)s
                                 and expense_id = any(%(expense_ids)s)))  as texts
"""

# An entry and everything that follows from it, in one statement.
APPEND: Final[LiteralString] = """
with entry as (
    insert into entries (group_id, seq, at, actor_id, event, leg_members, leg_currencies, leg_dates,
                         leg_amounts, previous, hash)
    values (%(group_id)s, %(seq)s, %(at)s, %(actor_id)s, %(event)s, %(leg_members)s,
            %(leg_currencies)s, %(leg_dates)s, %(leg_amounts)s, %(previous)s, %(hash)s)
), leg as (
    select *
      from unnest(%(leg_members)s::uuid[], %(leg_currencies)s::text[], %(leg_dates)s::date[],
                  %(leg_amounts)s::bigint[], %(leg_balances)s::bigint[])
           as leg (member_id, currency, effective_date, amount_minor, balance_after_minor)
), posting as (
    insert into postings (group_id, member_id, currency, seq, effective_date, amount_minor,
                          balance_after_minor)
    select %(group_id)s, member_id, currency, %(seq)s, effective_date, amount_minor,
           balance_after_minor
      from leg
), balance as (
    insert into balances (group_id, member_id, currency, balance_minor)
    select distinct %(group_id)s::uuid, member_id, currency, balance_after_minor
      from leg
        on conflict (group_id, member_id, currency)
        do update set balance_minor = excluded.balance_minor
), told as (
    insert into texts (group_id, commitment, words, salt)
    select %(group_id)s, commitment, words, salt
      from unnest(%(commitments)s::text[], %(words)s::text[], %(salts)s::bytea[])
           as told (commitment, words, salt)
        on conflict (group_id, commitment) do nothing
), seat as (
    insert into members (group_id, member_id, name, role, active, account, account_id, version)
    select %(group_id)s, member_id, name, role, active, account, account_id, version
      from jsonb_to_recordset(%(members)s)
           as seat (member_id uuid, name text, role text, active boolean, account text,
                    account_id uuid, version bigint)
        on conflict (group_id, member_id)
        do update set name = excluded.name, role = excluded.role, active = excluded.active,
                      account = excluded.account,
                      account_id = case when excluded.account is not distinct from members.account
                                        then members.account_id else excluded.account_id end,
                      version = excluded.version
), expense as (
    insert into expenses (group_id, expense_id, recorded_seq, version, voided, body)
    select %(group_id)s, (body ->> 'id')::uuid, (body ->> 'recorded_seq')::bigint,
           (body ->> 'version')::bigint, (body ->> 'voided')::boolean, body
      from jsonb_array_elements(%(expenses)s) as changed (body)
        on conflict (group_id, expense_id)
        do update set version = excluded.version, voided = excluded.voided, body = excluded.body
), answer as (
    insert into answers (group_id, account_id, key, fingerprint, status, headers, body, sealed_at)
    select %(group_id)s, %(account_id)s, %(key)s, %(fingerprint)s, %(status)s, %(headers)s,
           %(body)s, %(at)s
     where %(key)s::text is not null
        on conflict (group_id, account_id, key)
        do update set fingerprint = excluded.fingerprint, status = excluded.status,
                      headers = excluded.headers, body = excluded.body,
                      sealed_at = excluded.sealed_at
)
insert into groups (group_id, name, currency, version, created_at, changed_at, seq, head)
values (%(group_id)s, %(name)s, %(currency)s, %(version)s, %(created_at)s, %(at)s, %(seq)s,
        %(hash)s)
    on conflict (group_id)
    do update set name = excluded.name, version = excluded.version,
                  changed_at = excluded.changed_at, seq = excluded.seq, head = excluded.head
"""

# ── Erasing: the words go, the journal stays ─────────────────────────────────────────────────────

# Under the group's lock, or a correction that read a title meanwhile would write it down again.
LOCK_GROUP: Final[LiteralString] = """
select seq from groups where group_id = %(group_id)s for no key update
"""

# The link from a seat to its account stays: it goes when the account does.
ERASE: Final[LiteralString] = """
with entry as (
    select event from entries where group_id = %(group_id)s and seq = %(seq)s
), told as (
    delete from texts
     where group_id = %(group_id)s
       and commitment in (select strings_in(event) from entry)
       and commitment not in (select account
                                from members
                               where group_id = %(group_id)s and account is not null)
), answered as (
    update answers set body = '' where group_id = %(group_id)s
)
select count(*) from entry
"""
