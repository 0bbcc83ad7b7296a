drop view seats;
drop view sheets;
drop function texts_in_event(jsonb);
drop function texts_in_terms(jsonb);
drop index entries_by_expense;
drop index postings_by_date;
drop table debts;
drop table comments;
drop table invites;
drop table payments;
drop table settlements;
drop index members_by_account;
create index members_by_account on members (account_id, group_id) where active;
alter table members drop column joined_seq;
alter table groups
    drop column archived,
    drop column deleted,
    drop column simplify,
    drop column payments_need_confirmation,
    drop column latest_settlement_id,
    drop column moved_seq,
    drop column strayed_seq;

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
