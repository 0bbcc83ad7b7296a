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

-- What lets an account in while it has not expired: a session, or a personal token in its place. A
-- view, which Postgres plans into the statement that asks; a function with a query inside it is not.
create view credentials as
select account_id, session_id as credential_id, expires_at from sessions where not ended
union all
select account_id, token_id, expires_at from personal_tokens;
