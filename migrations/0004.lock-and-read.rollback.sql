alter table groups drop column erasures;

create or replace function legs_balance(members uuid[], currencies text[], dates date[], amounts bigint[])
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
