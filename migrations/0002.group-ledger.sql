-- Payments, settlements, invites, comments, who owes whom, and what a group can be set to.
--
-- Every table is told by the journal and can be rebuilt from it. Each is keyed by group_id first.

alter table groups
    add column archived                   boolean not null default false,
    add column deleted                    boolean not null default false,
    add column simplify                   boolean not null default true,
    add column payments_need_confirmation boolean not null default false,
    add column latest_settlement_id       uuid,
    add column moved_seq                  bigint  not null default 0,
    add column strayed_seq                bigint  not null default 0;
comment on column groups.moved_seq is 'The last entry that moved a balance.';
comment on column groups.strayed_seq is
    'The last entry that moved a balance other than by paying a transfer of the latest settlement.';

-- Members are listed in the order in which they came.
alter table members add column joined_seq bigint;
update members
   set joined_seq = (select min(seq)
                       from entries
                      where entries.group_id = members.group_id
                        and coalesce(event #>> '{member,id}', event #>> '{founder,id}')
                            = members.member_id::text);
alter table members alter column joined_seq set not null;
comment on column members.joined_seq is 'The entry that made the seat.';

-- An account finds its seats, also those that it left.
drop index members_by_account;
create index members_by_account on members (account_id, group_id) where account_id is not null;

create table settlements (
    group_id      uuid    not null,
    settlement_id uuid    not null,
    version       bigint  not null,
    revision      bigint  not null,
    voided        boolean not null,
    body          jsonb   not null,
    constraint settlements_key primary key (group_id, settlement_id),
    constraint settlements_belong_to_a_group foreign key (group_id) references groups (group_id),
    constraint settlements_one_a_version unique (group_id, version)
);
comment on column settlements.body is 'The settlement as a plain tree, its texts as commitments.';

create table payments (
    group_id      uuid   not null,
    payment_id    uuid   not null,
    recorded_seq  bigint not null,
    version       bigint not null,
    state         text   not null,
    settlement_id uuid,
    transfer_id   uuid,
    body          jsonb  not null,
    constraint payments_key primary key (group_id, payment_id),
    constraint payments_belong_to_a_group foreign key (group_id) references groups (group_id),
    constraint payments_pay_a_settlement foreign key (group_id, settlement_id)
        references settlements (group_id, settlement_id),
    constraint payments_name_their_transfer check ((settlement_id is null) = (transfer_id is null)),
    constraint payments_have_a_state check (state in ('pending', 'confirmed', 'voided'))
);
comment on column payments.body is 'The payment as a plain tree, its texts as commitments.';

create index payments_by_seq on payments (group_id, recorded_seq);
create index payments_that_wait on payments (group_id, payment_id) where state = 'pending';
-- A transfer is paid once; a payment that was voided does not count.
create unique index payments_one_a_transfer on payments (group_id, settlement_id, transfer_id)
    where state <> 'voided';

create table invites (
    group_id     uuid        not null,
    invite_id    uuid        not null,
    recorded_seq bigint      not null,
    expires_at   timestamptz not null,
    state        text        not null,
    version      bigint      not null,
    body         jsonb       not null,
    constraint invites_key primary key (group_id, invite_id),
    constraint invites_belong_to_a_group foreign key (group_id) references groups (group_id),
    constraint invites_have_a_state check (state in ('open', 'used', 'revoked'))
);
comment on table invites is 'Seats on offer. The secret of an invite is in no row.';

create index invites_by_seq on invites (group_id, recorded_seq);
create index invites_that_are_open on invites (group_id, expires_at) where state = 'open';

create table comments (
    group_id     uuid   not null,
    comment_id   uuid   not null,
    expense_id   uuid   not null,
    recorded_seq bigint not null,
    body         jsonb  not null,
    constraint comments_key primary key (group_id, comment_id),
    constraint comments_are_about_an_expense foreign key (group_id, expense_id)
        references expenses (group_id, expense_id)
);
comment on column comments.body is 'The comment as a plain tree, its texts as commitments.';

create index comments_by_expense on comments (group_id, expense_id, recorded_seq);

create table debts (
    group_id    uuid   not null,
    debtor_id   uuid   not null,
    creditor_id uuid   not null,
    currency    text   not null,
    debt_minor  bigint not null,
    constraint debts_key primary key (group_id, debtor_id, creditor_id, currency),
    constraint debts_name_a_debtor foreign key (group_id, debtor_id)
        references members (group_id, member_id),
    constraint debts_name_a_creditor foreign key (group_id, creditor_id)
        references members (group_id, member_id),
    constraint debts_stand_once_a_pair check (debtor_id < creditor_id)
);
comment on column debts.debt_minor is
    'Signed minor units; positive: the debtor owes the creditor; negative: the other way round.';

-- What is dated later than a day, for a view by date.
create index postings_by_date on postings (group_id, effective_date);
-- The history of one expense, in which also stands what it said before a given entry.
create index entries_by_expense on entries (group_id, (event ->> 'expense_id'), seq)
    where event ->> 'kind' like 'expense-%';

-- The commitments of the texts in what an expense says, and in any other event, by where they stand:
-- to walk a whole tree for its strings (strings_in) takes ten times as long.
create function texts_in_terms(terms jsonb)
returns setof text
language sql immutable parallel safe
as $$
    select unnest(array[terms ->> 'title', terms ->> 'category', terms ->> 'memo'])
    union all
    select item ->> 'title' from jsonb_array_elements(terms #> '{split,items}') as item
$$;

create function texts_in_event(event jsonb)
returns setof text
language sql immutable parallel safe
as $$
    select unnest(array[event ->> 'name', event ->> 'said', event ->> 'memo', event ->> 'reason',
                        event #>> '{founder,name}', event #>> '{founder,account}',
                        event #>> '{member,name}', event #>> '{member,account}'])
$$;

create or replace view sheets as
select seat.account_id,
       seat.member_id as actor_id,
       groups.group_id, groups.name, groups.currency, groups.version, groups.created_at,
       groups.changed_at, groups.seq, groups.head,
       (select json_agg(json_build_array(member_id, members.name, role, active, account, members.version)
                        order by joined_seq)
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
                               where members.group_id = seat.group_id))  as texts,
       groups.archived, groups.deleted, groups.simplify, groups.payments_need_confirmation,
       groups.latest_settlement_id, groups.moved_seq, groups.strayed_seq
  from members as seat
  join groups on groups.group_id = seat.group_id
 where seat.active
   and (not groups.deleted or seat.role = 'owner');
comment on view sheets is
    'A group with its members, balances and names, once for each account that can see it.';

-- Who can see a group, and where its journal ends: every account with an active seat in it, and an
-- owner's once it was deleted.
create view seats as
select members.group_id, members.account_id, members.member_id, groups.seq, groups.head
  from members
  join groups on groups.group_id = members.group_id
 where members.active
   and (not groups.deleted or members.role = 'owner');
