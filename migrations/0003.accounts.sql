-- Personal tokens, and how often somebody tried.

create table personal_tokens (
    account_id uuid        not null,
    token_id   uuid        not null,
    name       text        not null,
    scope      text        not null,
    digest     text        not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint personal_tokens_key primary key (account_id, token_id),
    constraint personal_tokens_belong_to_an_account foreign key (account_id)
        references accounts (account_id) on delete cascade,
    constraint personal_tokens_have_a_scope check (scope in ('read', 'write'))
);
comment on column personal_tokens.digest is 'SHA-256 of the token, which is told once and kept nowhere.';

-- A crash may forget these counts, and need not pay for them.
create unlogged table attempts (
    bucket    bytea       not null,
    made      integer     not null,
    resets_at timestamptz not null,
    constraint attempts_key primary key (bucket)
);
comment on table attempts is 'One row for whoever tried lately what has a limit; the same for all workers.';
comment on column attempts.bucket is 'SHA-256 of what was tried and by whom: no address stands here.';

create index attempts_by_age on attempts (resets_at);

-- True for a session or personal token that is good at this time, and for a caller who needs none.
create or replace function session_lives(the_session uuid, the_account uuid, at_time timestamptz)
returns boolean
language sql stable parallel safe
as $$
    select the_session is null
        or exists (select from sessions
                    where session_id = the_session and account_id = the_account
                      and not ended and expires_at > at_time)
        or exists (select from personal_tokens
                    where token_id = the_session and account_id = the_account
                      and expires_at > at_time)
$$;
