create or replace function session_lives(the_session uuid, the_account uuid, at_time timestamptz)
returns boolean
language sql stable parallel safe
as $$
    select the_session is null
        or exists (select from sessions
                    where session_id = the_session and account_id = the_account
                      and not ended and expires_at > at_time)
$$;
drop table attempts;
drop table personal_tokens;
