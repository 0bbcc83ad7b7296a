"""How a question about a member's statement is answered."""

from collections.abc import Sequence
from typing import Final

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.questions import Statement, StatementLine
from clearsplit_pg import rows
from clearsplit_pg.readings.reading import Reading, Readings
from clearsplit_pg.rows import Row
from clearsplit_pg.sql import statement as sql


def _lines(question: Statement, row: Row) -> Sequence[StatementLine]:
    if not row["there"]:
        raise ThingNotFound
    happened = rows.happened_of(row)
    lines = [
        StatementLine.of(happened[seq], question.member_id, currency, (minor, after_minor))
        for seq, currency, minor, after_minor in row["lines"] or ()
    ]
    return lines[::-1] if question.latest_first else lines


READINGS: Final[Readings] = {Statement: Reading(lambda _: sql.STATEMENT, _lines)}
