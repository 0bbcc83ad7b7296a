"""What changes a group.

The text of an account's id is kept in `members.account_id` as well, which is an index and no more
than that.
"""

from typing import Final, LiteralString

# ── Performing a command: claim the key, lock, read, append ──────────────────────────────────────

# A statement that waits for the row lock still reads every other table as it stood before it
# waited. So this one does not wait: where somebody else has the lock it says `busy`, the lock is
# waited for by itself, and this is asked again under it. Somebody may still commit between the
# moment that it sees and its lock: it sees the group's row as it stood then, gets the row that it
# locked as it stands now, and reads nothing unless the two are the same. Where they are not, it is
# asked again as well. Whatever changes a group changes that row.
#
# The key is claimed first, and whoever does not get it waits for nothing. The answer sealed under
# it is read like everything else: whoever committed one had locked the group. Names are left out,
# for few rules look at them. Both locks go with the transaction.
LOCK_AND_READ: Final[LiteralString] = """
with claim as materialized (
    select coalesce(pg_try_advisory_xact_lock(%(key_number)s::bigint), true)  as claimed
), locked as materialized (
    select *
      from groups
     where group_id = %(group_id)s
       and (select claimed from claim)
       for no key update skip locked
)
select (%(session_id)s::uuid is null
        or exists (select from credentials
                    where account_id = %(account_id)s
                      and credential_id = %(session_id)s
                      and expires_at > %(now)s))  as live,
       claimed,
       locked.group_id is null
       and exists (select from groups where group_id = %(group_id)s)  as busy,
       seen.group_id is not null  as current,
       locked.name,
       locked.currency,
       locked.version,
       locked.created_at,
       locked.changed_at,
       locked.seq,
       locked.head,
       locked.archived,
       locked.deleted,
       locked.simplify,
       locked.payments_need_confirmation,
       locked.latest_settlement_id,
       locked.moved_seq,
       locked.strayed_seq,
       answer.fingerprint,
       answer.status,
       answer.headers,
       answer.body,
       (select member_id
          from members
         where group_id = %(group_id)s
           and seen.group_id is not null
           and account_id = %(account_id)s
           and active)  as actor_id,
       (select json_agg(json_build_array(member_id, name, role, active, account, version)
                        order by joined_seq)
          from members
         where group_id = %(group_id)s and seen.group_id is not null)  as members,
       (select json_agg(json_build_array(member_id, currency, balance_minor))
          from balances
         where group_id = %(group_id)s and seen.group_id is not null)  as balances,
       (select json_agg(body)
          from expenses
         where group_id = %(group_id)s
           and seen.group_id is not null
           and expense_id = any(%(expense_ids)s::uuid[]))  as expenses,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and seen.group_id is not null
           and commitment in (select texts_in_terms(body -> 'terms')
                                from expenses
                               where group_id = %(group_id)s
                                 and expense_id = any(%(expense_ids)s::uuid[])))  as texts
  from claim
  left join locked on true
  left join groups as seen
    on seen.group_id = %(group_id)s
   and seen.seq = locked.seq
   and seen.erasures = locked.erasures
  left join answers as answer
    on answer.group_id = %(group_id)s
   and answer.account_id = %(account_id)s
   and answer.key = %(key)s::text
   and answer.sealed_at > %(kept_since)s
   and seen.group_id is not null
"""

# What else a command asked for: most ask for nothing of this.
READ_MORE_FOR_DECISION: Final[LiteralString] = """
with payment as (
    select settlement_id, body
      from payments
     where group_id = %(group_id)s
       and (payment_id = any(%(payment_ids)s) or (%(pending)s and state = 'pending'))
), settlement as (
    select body
      from settlements
     where group_id = %(group_id)s
       and (settlement_id = any(%(settlement_ids)s)
            or settlement_id in (select settlement_id from payment)
            or (%(latest_settlement)s
                and settlement_id = (select latest_settlement_id
                                       from groups
                                      where group_id = %(group_id)s)))
), invite as (
    select body
      from invites
     where group_id = %(group_id)s
       and (invite_id = any(%(invite_ids)s)
            or (%(open_invites)s and state = 'open' and expires_at > %(now)s))
), comment as (
    select body
      from comments
     where group_id = %(group_id)s
       and comment_id = any(%(comment_ids)s)
)
select (select json_agg(body) from payment)  as payments,
       (select json_agg(body) from settlement)  as settlements,
       (select json_agg(body) from invite)  as invites,
       (select json_agg(body) from comment)  as comments,
       (select json_agg(json_build_array(debtor_id, creditor_id, currency, debt_minor))
          from debts
         where group_id = %(group_id)s and %(debts)s)  as debts,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where group_id = %(group_id)s
           and commitment in (select unnest(array[body ->> 'memo', body ->> 'void_reason'])
                                from payment
                              union all select body ->> 'void_reason' from settlement
                              union all select body ->> 'said' from comment
                              union all select name
                                          from groups
                                         where group_id = %(group_id)s and %(names)s
                              union all select unnest(array[name, account])
                                          from members
                                         where group_id = %(group_id)s and %(names)s))  as texts
"""

# A group that is not there yet, before its first entry.
FOUND: Final[LiteralString] = """
insert into groups (group_id, name, currency, version, created_at, changed_at, seq, head)
values (%(group_id)s, %(name)s, %(currency)s, 0, %(at)s, %(at)s, 0, %(previous)s)
"""

# An entry and what mostly follows from it, where the journal's head is the one that it was decided
# from; elsewhere nothing, and no row is changed. It waits for nobody: a group that somebody else
# has locked is about to have another head. Whether the caller's session lives and the key is new is
# looked at here as well, for whoever appends to a head without a lock (heads.py). No longer than
# 4,096 bytes, or psycopg takes it apart anew each time.
APPEND: Final[LiteralString] = """
with here as (
    select from groups
     where group_id = %(group_id)s
       and head = %(previous)s
       and coalesce(pg_try_advisory_xact_lock(%(key_number)s::bigint), true)
       and (%(session_id)s::uuid is null or exists (
               select from credentials
                where account_id = %(account_id)s
                  and credential_id = %(session_id)s and expires_at > %(now)s))
       and not exists (
               select from answers
                where group_id = %(group_id)s
                  and account_id = %(account_id)s and key = %(new_key)s::text)
       and not exists (
               select from expenses
                where group_id = %(group_id)s and expense_id = any(%(added)s::uuid[]))
       for no key update skip locked
), entry as (
    insert into entries (group_id, seq, at, actor_id, event, leg_members, leg_currencies, leg_dates,
                         leg_amounts, previous, hash)
    select %(group_id)s, %(seq)s, %(at)s, %(actor_id)s, %(event)s, %(leg_members)s,
           %(leg_currencies)s, %(leg_dates)s, %(leg_amounts)s, %(previous)s, %(hash)s
      from here
), leg as (
    select leg.*
      from here, unnest(%(leg_members)s::uuid[], %(leg_currencies)s::text[], %(leg_dates)s::date[],
           %(leg_amounts)s::bigint[], %(leg_balances)s::bigint[])
           as leg (member_id, currency, day, amount_minor, balance_minor)
), posting as (
    insert into postings (group_id, member_id, currency, seq, effective_date, amount_minor,
                          balance_after_minor)
    select %(group_id)s, member_id, currency, %(seq)s, day, amount_minor, balance_minor
      from leg
), balance as (
    insert into balances (group_id, member_id, currency, balance_minor)
    select distinct on (member_id, currency) %(group_id)s, member_id, currency, balance_minor
      from leg
        on conflict (group_id, member_id, currency)
        do update set balance_minor = excluded.balance_minor
), debt as (
    insert into debts (group_id, debtor_id, creditor_id, currency, debt_minor)
    select %(group_id)s, debtor_id, creditor_id, currency, more_minor
      from here, unnest(%(debtors)s::uuid[], %(creditors)s::uuid[], %(debt_currencies)s::text[],
           %(debts_more)s::bigint[])
           as debt (debtor_id, creditor_id, currency, more_minor)
        on conflict (group_id, debtor_id, creditor_id, currency)
        do update set debt_minor = debts.debt_minor + excluded.debt_minor
), told as (
    insert into texts (group_id, commitment, words, salt)
    select %(group_id)s, commitment, words, decode(salt, 'hex')
      from here, jsonb_to_recordset(%(texts)s) as told (commitment text, words text, salt text)
        on conflict (group_id, commitment) do nothing
), expense as (
    insert into expenses (group_id, expense_id, recorded_seq, version, voided, body)
    select %(group_id)s, (body ->> 'id')::uuid, %(seq)s, (body ->> 'version')::bigint,
           (body ->> 'voided')::boolean, body
      from here, jsonb_array_elements(%(expenses)s) as changed (body)
        on conflict (group_id, expense_id)
        do update set version = excluded.version, voided = excluded.voided, body = excluded.body
), answer as (
    insert into answers (group_id, account_id, key, fingerprint, status, headers, body, sealed_at)
    select %(group_id)s, %(account_id)s, %(key)s, %(fingerprint)s, %(status)s, %(headers)s,
           %(body)s, %(at)s
      from here
     where %(key)s::text is not null
        on conflict (group_id, account_id, key)
        do update set (fingerprint, status, headers, body, sealed_at)
            = (excluded.fingerprint, excluded.status, excluded.headers, excluded.body, %(at)s)
)
update groups
   set changed_at = %(at)s, seq = %(seq)s, head = %(hash)s, moved_seq = %(moved_seq)s,
       strayed_seq = %(strayed_seq)s
  from here
 where group_id = %(group_id)s
"""

# Whatever else an entry changed: most change nothing of this.
KEEP_MORE: Final[LiteralString] = """
with seat as (
    insert into members (group_id, member_id, joined_seq, name, role, active, account, account_id,
                         version)
    select %(group_id)s, member_id, %(seq)s, name, role, active, account, account_id, version
      from jsonb_to_recordset(%(members)s)
           as seat (member_id uuid, name text, role text, active boolean, account text,
                    account_id uuid, version bigint)
        on conflict (group_id, member_id)
        do update set name = excluded.name, role = excluded.role, active = excluded.active,
                      account = excluded.account,
                      account_id = case when excluded.account is not distinct from members.account
                                        then members.account_id else excluded.account_id end,
                      version = excluded.version
), payment as (
    insert into payments (group_id, payment_id, recorded_seq, version, state, settlement_id,
                          transfer_id, body)
    select %(group_id)s, (body ->> 'id')::uuid, (body ->> 'recorded_seq')::bigint,
           (body ->> 'version')::bigint, body ->> 'state',
           (body #>> '{pays,settlement_id}')::uuid, (body #>> '{pays,transfer_id}')::uuid, body
      from jsonb_array_elements(%(payments)s) as changed (body)
        on conflict (group_id, payment_id)
        do update set version = excluded.version, state = excluded.state, body = excluded.body
), settlement as (
    insert into settlements (group_id, settlement_id, version, revision, voided, body)
    select %(group_id)s, (body ->> 'id')::uuid, (body ->> 'version')::bigint,
           (body ->> 'revision')::bigint, (body ->> 'voided')::boolean, body
      from jsonb_array_elements(%(settlements)s) as changed (body)
        on conflict (group_id, settlement_id)
        do update set revision = excluded.revision, voided = excluded.voided, body = excluded.body
), invite as (
    insert into invites (group_id, invite_id, recorded_seq, expires_at, state, version, body)
    select %(group_id)s, (body ->> 'id')::uuid, (body ->> 'recorded_seq')::bigint,
           (body ->> 'expires_at')::timestamptz, body ->> 'state', (body ->> 'version')::bigint,
           body
      from jsonb_array_elements(%(invites)s) as changed (body)
        on conflict (group_id, invite_id)
        do update set state = excluded.state, version = excluded.version, body = excluded.body
), as_set as (
    update groups
       set name = %(name)s,
           version = %(version)s,
           archived = %(archived)s,
           deleted = %(deleted)s,
           simplify = %(simplify)s,
           payments_need_confirmation = %(payments_need_confirmation)s,
           latest_settlement_id = %(latest_settlement_id)s
     where group_id = %(group_id)s
)
insert into comments (group_id, comment_id, expense_id, recorded_seq, body)
select %(group_id)s, (body ->> 'id')::uuid, (body ->> 'expense_id')::uuid,
       (body ->> 'recorded_seq')::bigint, body
  from jsonb_array_elements(%(comments)s) as changed (body)
    on conflict (group_id, comment_id) do update set body = excluded.body
"""

# ── Forgetting and erasing: the words go, the journal stays ──────────────────────────────────────

# Every name that a seat ever had and every account that it was linked to, with whatever answer may
# have told them.
FORGET: Final[LiteralString] = """
with seat as (
    select coalesce(event -> 'member', event -> 'founder')  as told
      from entries
     where group_id = %(group_id)s
       and coalesce(event #>> '{member,id}', event #>> '{founder,id}') = %(member_id)s::text
), forgotten as (
    delete from texts
     where group_id = %(group_id)s
       and commitment in (select unnest(array[told ->> 'name', told ->> 'account']) from seat)
)
update answers set body = '' where group_id = %(group_id)s
"""

# Under the group's lock, or a correction that read a title meanwhile would write it down again.
LOCK_GROUP: Final[LiteralString] = """
select seq from groups where group_id = %(group_id)s for no key update
"""

# The link from a seat to its account stays: it goes when the account does. Whoever waits for the
# lock meanwhile finds the group's row changed, and reads again.
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
    returning group_id
), counted as (
    update groups
       set erasures = erasures + 1
     where group_id = %(group_id)s
       and exists (select from told)
), answered as (
    update answers set body = '' where group_id = %(group_id)s
)
select count(*) from entry
"""
