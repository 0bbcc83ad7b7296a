-- The journal, what can be rebuilt from it, and the accounts.
--
-- Every table of group data is keyed by group_id first, so that a member of one group can never name
-- a thing of another, and so that the tables can be distributed by group_id as they are.

-- ── The journal: the truth ──────────────────────────────────────────────────────────────────────

-- True when legs are what an entry may hold: sorted and unique per member, currency and date, none of
-- them zero, and a sum of zero per currency and date. A CHECK calls it, so no statement can break it.
create function legs_balance(members uuid[], currencies text[], dates date[], amounts bigint[])
returns boolean
language sql immutable parallel safe
set search_path = pg_catalog
as $$
    with leg as (
        select member_id, currency collate "C" as currency, effective_date, amount_minor, place
        from unnest(members, currencies, dates, amounts)
             with ordinality as leg (member_id, currency, effective_date, amount_minor, place)
    )
    select cardinality(members) = cardinality(amounts)
       and cardinality(currencies) = cardinality(amounts)
       and cardinality(dates) = cardinality(amounts)
       and not exists (
               select from leg
               where member_id is null or currency is null or effective_date is null
                  or amount_minor is null or amount_minor = 0)
       and not exists (
               select from leg group by currency, effective_date having sum(amount_minor) <> 0)
       and not exists (
               select from (
                   select (member_id, currency, effective_date)
                          <= lag((member_id, currency, effective_date)) over (order by place)
                   from leg) as neighbour (out_of_order)
               where out_of_order)
$$;

create table groups (
    group_id   uuid        not null,
    name       text        not null,
    currency   text        not null,
    version    bigint      not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    seq        bigint      not null,
    head       bytea       not null,
    constraint groups_key primary key (group_id),
    constraint groups_currency_is_a_code check (currency ~ '^[A-Z]{3}$'),
    constraint groups_head_is_a_hash check (octet_length(head) = 32)
);
comment on table groups is 'One row a group: the lock that writers wait for, and the head of its journal.';
comment on column groups.name is 'The commitment of a text.';

create table entries (
    group_id       uuid        not null,
    seq            bigint      not null,
    previous_seq   bigint      generated always as (nullif(seq - 1, 0)) stored,
    at             timestamptz not null,
    actor_id       uuid,
    event          jsonb       not null,
    leg_members    uuid[]      not null,
    leg_currencies text[]      not null,
    leg_dates      date[]      not null,
    leg_amounts    bigint[]    not null,
    previous       bytea       not null,
    hash           bytea       not null,
    constraint entries_key primary key (group_id, seq),
    constraint entries_count_from_one check (seq >= 1),
    constraint entries_have_no_gap foreign key (group_id, previous_seq) references entries (group_id, seq),
    constraint entries_sum_to_zero check (legs_balance(leg_members, leg_currencies, leg_dates, leg_amounts)),
    constraint entries_hash_is_a_hash check (octet_length(hash) = 32 and octet_length(previous) = 32)
);
comment on table entries is 'The journal. Rows are only ever added.';

create function refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    raise exception 'the journal is append-only: % refused', lower(tg_op)
        using errcode = 'restrict_violation', table = tg_table_name;
end
$$;

create trigger entries_are_append_only
    before update or delete or truncate on entries
    for each statement execute function refuse_change();

-- Personal text stands apart, so that it can be deleted: the journal holds its commitment only.
create table texts (
    group_id   uuid  not null,
    commitment text  not null,
    words      text  not null,
    salt       bytea not null,
    constraint texts_key primary key (group_id, commitment),
    constraint texts_salt_is_long check (octet_length(salt) = 32)
);

-- ── What is rebuilt from the journal ────────────────────────────────────────────────────────────

create table members (
    group_id   uuid    not null,
    member_id  uuid    not null,
    name       text    not null,
    role       text    not null,
    active     boolean not null,
    account    text,
    account_id uuid,
    version    bigint  not null,
    constraint members_key primary key (group_id, member_id),
    constraint members_belong_to_a_group foreign key (group_id) references groups (group_id),
    constraint members_have_a_role check (role in ('owner', 'member', 'viewer'))
);
comment on column members.name is 'The commitment of a text.';
comment on column members.account is 'The commitment of the account''s id; account_id is its text.';

create unique index members_one_seat_an_account on members (group_id, account_id) where active;
create index members_by_account on members (account_id, group_id) where active;

create table postings (
    group_id            uuid   not null,
    member_id           uuid   not null,
    currency            text   not null,
    seq                 bigint not null,
    effective_date      date   not null,
    amount_minor        bigint not null,
    balance_after_minor bigint not null,
    constraint postings_key primary key (group_id, member_id, currency, seq, effective_date),
    constraint postings_name_a_member foreign key (group_id, member_id) references members (group_id, member_id),
    constraint postings_are_not_zero check (amount_minor <> 0)
);
comment on column postings.balance_after_minor is 'The balance after the whole entry, the same on all its legs.';

create table balances (
    group_id      uuid   not null,
    member_id     uuid   not null,
    currency      text   not null,
    balance_minor bigint not null,
    constraint balances_key primary key (group_id, member_id, currency),
    constraint balances_name_a_member foreign key (group_id, member_id) references members (group_id, member_id),
    constraint balances_are_readable check (abs(balance_minor) <= 9007199254740991)
);
comment on column balances.balance_minor is 'Signed minor units; positive: the group owes the member.';

create table expenses (
    group_id     uuid    not null,
    expense_id   uuid    not null,
    recorded_seq bigint  not null,
    version      bigint  not null,
    voided       boolean not null,
    body         jsonb   not null,
    constraint expenses_key primary key (group_id, expense_id),
    constraint expenses_belong_to_a_group foreign key (group_id) references groups (group_id)
);
comment on column expenses.body is 'The expense as a plain tree, its texts as commitments.';

create index expenses_by_seq on expenses (group_id, recorded_seq) where not voided;

-- ── Answers that may be asked for again ─────────────────────────────────────────────────────────

create table answers (
    group_id    uuid        not null,
    account_id  uuid        not null,
    key         text        not null,
    fingerprint bytea       not null,
    status      smallint    not null,
    headers     jsonb       not null,
    body        bytea       not null,
    sealed_at   timestamptz not null,
    constraint answers_key primary key (group_id, account_id, key)
);
comment on table answers is 'One row a request under an idempotency key: what to answer when it comes again.';

create index answers_by_age on answers (sealed_at);

-- ── Accounts ────────────────────────────────────────────────────────────────────────────────────

create table accounts (
    account_id    uuid        not null,
    email         text        not null,
    name          text        not null,
    password_hash text        not null,
    version       bigint      not null,
    created_at    timestamptz not null,
    constraint accounts_key primary key (account_id),
    constraint accounts_one_an_email unique (email)
);

create table sessions (
    session_id uuid        not null,
    account_id uuid        not null,
    refresh    text        not null,
    parent     text,
    started_at timestamptz not null,
    rotated_at timestamptz not null,
    expires_at timestamptz not null,
    ended      boolean     not null,
    constraint sessions_key primary key (session_id),
    constraint sessions_belong_to_an_account foreign key (account_id)
        references accounts (account_id) on delete cascade
);
comment on column sessions.refresh is 'SHA-256 of the refresh token that is good; parent: of the one before.';

create index sessions_by_account on sessions (account_id, started_at);

-- ── What reads have in common ───────────────────────────────────────────────────────────────────

-- True for a session that is good at this time, and for a caller who needs none.
create function session_lives(the_session uuid, the_account uuid, at_time timestamptz)
returns boolean
language sql stable parallel safe
as $$
    select the_session is null
        or exists (select from sessions
                    where session_id = the_session and account_id = the_account
                      and not ended and expires_at > at_time)
$$;

-- Every string in a plain tree: among them the commitments of its texts.
create function strings_in(tree jsonb)
returns setof text
language sql immutable parallel safe
as $$
    select leaf #>> '{}' from jsonb_path_query(tree, 'strict $.** ? (@.type() == "string")') as leaf
$$;

-- A group with its members, balances and names, once for each account that has an active seat in it.
create view sheets as
select seat.account_id,
       seat.member_id as actor_id,
       groups.group_id, groups.name, groups.currency, groups.version, groups.created_at,
       groups.changed_at, groups.seq, groups.head,
       (select json_agg(json_build_array(member_id, members.name, role, active, account, members.version))
          from members
         where members.group_id = seat.group_id)  as members,
       (select json_agg(json_build_array(member_id, balances.currency, balance_minor))
          from balances
         where balances.group_id = seat.group_id)  as balances,
       (select json_agg(json_build_array(commitment, words, encode(salt, 'hex')))
          from texts
         where texts.group_id = seat.group_id
           and commitment in (select unnest(array[groups.name, members.name, members.account])
                                from members
                               where members.group_id = seat.group_id))  as texts
  from members as seat
  join groups on groups.group_id = seat.group_id
 where seat.active;
