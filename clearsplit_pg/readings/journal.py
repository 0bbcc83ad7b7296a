"""How questions about the journal are answered."""

from collections.abc import Sequence
from typing import Final

from clearsplit_core.journal import Entry
from clearsplit_core.questions import Entries, Feed, ToldEntry
from clearsplit_core.questions.journal import texts_named_by
from clearsplit_pg import rows
from clearsplit_pg.readings.reading import Reading, Readings
from clearsplit_pg.rows import Row
from clearsplit_pg.sql import journal as sql


def _entries(question: Entries, row: Row) -> Sequence[Entry]:
    return rows.entries_of(question.group_id, row["entries"])


def _feed(question: Feed, row: Row) -> Sequence[ToldEntry]:
    texts = rows.texts_of(row["texts"])
    entries = rows.entries_of(question.group_id, row["entries"])
    return [ToldEntry(entry, texts_named_by(entry, texts)) for entry in entries]


READINGS: Final[Readings] = {
    Entries: Reading(lambda _: sql.ENTRIES, _entries),
    Feed: Reading(lambda _: sql.FEED, _feed),
}
