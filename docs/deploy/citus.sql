-- Spread the tables of a ClearSplit database over the servers of a Citus cluster, by group.
--
-- Once, on the coordinator, as the owner of the tables, after `clearsplit migrate` and before the
-- first group; docs/scaling.md says what else there is to think of. A test holds this file to the
-- schema: every table stands here once, in its class, after those that it refers to.

begin;

-- Citus takes no triggers on distributed tables. What is left to keep the journal append-only is
-- that the application's role may INSERT and SELECT and no more (`clearsplit migrate --app-role`),
-- the chain of hashes, and signed checkpoints.
drop trigger entries_are_append_only on entries;

-- Whole on every server: they are small, they are read with every request, they change seldom.
select create_reference_table('accounts');
select create_reference_table('sessions');
select create_reference_table('personal_tokens');

-- By group, all of a group on one server.
select create_distributed_table('groups',      'group_id', colocate_with => 'none');
select create_distributed_table('entries',     'group_id', colocate_with => 'groups');
select create_distributed_table('texts',       'group_id', colocate_with => 'groups');
select create_distributed_table('members',     'group_id', colocate_with => 'groups');
select create_distributed_table('postings',    'group_id', colocate_with => 'groups');
select create_distributed_table('balances',    'group_id', colocate_with => 'groups');
select create_distributed_table('debts',       'group_id', colocate_with => 'groups');
select create_distributed_table('expenses',    'group_id', colocate_with => 'groups');
select create_distributed_table('comments',    'group_id', colocate_with => 'groups');
select create_distributed_table('settlements', 'group_id', colocate_with => 'groups');
select create_distributed_table('payments',    'group_id', colocate_with => 'groups');
select create_distributed_table('invites',     'group_id', colocate_with => 'groups');
select create_distributed_table('answers',     'group_id', colocate_with => 'groups');

-- Only on the coordinator: counts of attempts, which nobody joins and a crash may take.
select citus_add_local_table_to_metadata('attempts');

commit;
