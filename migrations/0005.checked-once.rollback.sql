create or replace function legs_balance(members uuid[], currencies text[], dates date[], amounts bigint[])
returns boolean
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    legs constant integer := cardinality(members);
    total         numeric := 0;
    alike         boolean := true;
begin
    if cardinality(currencies) <> legs or cardinality(dates) <> legs or cardinality(amounts) <> legs then
        return false;
    end if;
    for place in 1 .. legs loop
        if members[place] is null or currencies[place] is null or dates[place] is null
           or coalesce(amounts[place], 0) = 0 then
            return false;
        end if;
        if place > 1
           and (members[place], currencies[place] collate "C", dates[place])
               <= (members[place - 1], currencies[place - 1], dates[place - 1]) then
            return false;
        end if;
        alike := alike and currencies[place] = currencies[1] and dates[place] = dates[1];
        total := total + amounts[place];
    end loop;
    if alike then
        return total = 0;
    end if;
    return not exists (
        select from unnest(currencies, dates, amounts) as leg (currency, effective_date, amount_minor)
        group by currency, effective_date
        having sum(amount_minor) <> 0);
end
$$;

alter table entries add constraint entries_count_from_one check (seq >= 1);
alter table postings add constraint postings_are_not_zero check (amount_minor <> 0);
alter table postings add constraint postings_name_a_member foreign key (group_id, member_id)
    references members (group_id, member_id);
