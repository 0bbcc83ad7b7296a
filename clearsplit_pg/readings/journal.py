"""How questions about the journal are answered."""

from collections.abc import Sequence
from typing import Final

from clearsplit_core.journal import Entry
from clearsplit_core.questions import Entries
from clearsplit_pg import rows
from clearsplit_pg.readings.reading import Reading, Readings
from clearsplit_pg.rows import Row
from clearsplit_pg.sql import journal as sql


def _entries(question: Entries, row: Row) -> Sequence[Entry]:
    return rows.entries_of(question.group_id, row["entries"])


READINGS: Final[Readings] = {Entries: Reading(lambda _: sql.ENTRIES, _entries)}
