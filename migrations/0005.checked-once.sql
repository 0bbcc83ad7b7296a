-- What an entry may hold is checked where it stands, once, and cheaply.
--
-- Servers go on meanwhile, and some hold one of these tables while they wait for another. So all of
-- them are taken at once or given back at once, long before anybody would be refused for a deadlock.
do $$
begin
    for attempt in 1 .. 200 loop
        begin
            set local lock_timeout = '50ms';
            lock table postings, members, entries in access exclusive mode;
            return;
        exception when lock_not_available then
            perform pg_sleep(random() * 0.2);
        end;
    end loop;
    raise exception 'postings, members and entries were in use for half a minute: migrate again'
        using errcode = 'lock_not_available';
end
$$;

-- A posting is what its entry says of one member again, written by the same statement, which writes
-- that member's balance as well: the entry's CHECK refuses a leg of zero, and the balance names a
-- member. To ask the same of each posting was a tenth of what Postgres did for an expense.
alter table postings drop constraint postings_name_a_member;
alter table postings drop constraint postings_are_not_zero;

-- entries_have_no_gap says it: an entry below 1 would need one before it, and that one another.
alter table entries drop constraint entries_count_from_one;

-- True when legs are what an entry may hold: sorted and unique per member, currency and date, none of
-- them zero, and a sum of zero per currency and date. Nearly every entry has one currency and one
-- date, and then one expression a leg says it all: what is out of order makes the total null.
--
-- A search path of its own would have to be set for every entry. Instead every function and operator
-- says where it stands, and nobody can put another in its place.
create or replace function legs_balance(members uuid[], currencies text[], dates date[], amounts bigint[])
returns boolean
language plpgsql immutable parallel safe
as $$
declare
    legs constant integer := pg_catalog.cardinality(members);
    total         numeric;
begin
    if pg_catalog.cardinality(currencies) operator(pg_catalog.<>) legs
       or pg_catalog.cardinality(dates) operator(pg_catalog.<>) legs
       or pg_catalog.cardinality(amounts) operator(pg_catalog.<>) legs then
        return false;
    elsif legs operator(pg_catalog.=) 0 then
        return true;
    elsif pg_catalog.array_position(amounts, 0) is not null then
        return false;
    elsif currencies[1] is not null
          and currencies operator(pg_catalog.=) pg_catalog.array_fill(currencies[1], array[legs])
          and dates[1] is not null
          and dates operator(pg_catalog.=) pg_catalog.array_fill(dates[1], array[legs]) then
        total := amounts[1];
        for place in 2 .. legs loop
            total := total operator(pg_catalog.+)
                     case when members[place]
                               operator(pg_catalog.>) members[place operator(pg_catalog.-) 1]
                          then amounts[place] end;
        end loop;
        return coalesce(total operator(pg_catalog.=) 0, false);
    end if;
    for place in 1 .. legs loop
        if members[place] is null or currencies[place] is null or dates[place] is null
           or amounts[place] is null then
            return false;
        end if;
        if place operator(pg_catalog.>) 1
           and (members[place], currencies[place] collate pg_catalog."C", dates[place])
               operator(pg_catalog.<=)
               (members[place operator(pg_catalog.-) 1],
                currencies[place operator(pg_catalog.-) 1],
                dates[place operator(pg_catalog.-) 1]) then
            return false;
        end if;
    end loop;
    return not exists (
        select from rows from (pg_catalog.unnest(currencies), pg_catalog.unnest(dates),
                               pg_catalog.unnest(amounts))
               as leg (currency, effective_date, amount_minor)
        group by currency, effective_date
        having pg_catalog.sum(amount_minor) operator(pg_catalog.<>) 0);
end
$$;
