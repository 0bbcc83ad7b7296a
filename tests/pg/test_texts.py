"""Where Postgres looks for texts, against where the core puts them."""

from dataclasses import replace
from typing import Final

import psycopg
import pytest
from psycopg.types.json import Jsonb

from clearsplit_core.group import Event
from clearsplit_core.plain import texts_in, to_plain
from tests.core.test_plain import EVENTS, SPLITS, TAXI

SAID: Final[dict[str, Event]] = {
    **EVENTS,
    **{
        f"an expense that is split: {name}": replace(TAXI, terms=replace(TAXI.terms, split=split))
        for name, split in SPLITS.items()
    },
}
FOUND: Final = """
with told as (select event, event -> 'terms' as terms from (values (%s)) as one (event))
select said from told cross join texts_in_terms(terms) as said where said is not null
union all
select said from told cross join texts_in_event(event) as said
 where terms is null and said is not null
"""


def test_every_kind_of_event_is_looked_at() -> None:
    assert EVENTS.keys() == Event.by_kind.keys()


@pytest.mark.parametrize("name", SAID)
def test_every_text_of_an_event_is_found_and_nothing_else(database_url: str, name: str) -> None:
    with psycopg.connect(database_url) as database:
        found = database.execute(FOUND, [Jsonb(to_plain(SAID[name]))]).fetchall()

    assert sorted(said for (said,) in found) == sorted(
        text.commitment for text in texts_in(SAID[name])
    )
