"""How questions about balances are answered."""

from typing import Final, LiteralString

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.journal import Head, empty
from clearsplit_core.questions import Standing, TheStanding
from clearsplit_pg import rows
from clearsplit_pg.readings.reading import Reading, Readings
from clearsplit_pg.rows import Row
from clearsplit_pg.sql import balances as sql


def _standing_statement(question: TheStanding) -> LiteralString:
    if question.as_of_seq is not None:
        return sql.STANDING_AT_SEQ
    return sql.STANDING if question.as_of_date is None else sql.STANDING_AT_DATE


def _standing(question: TheStanding, row: Row) -> Standing:
    if question.as_of_seq is None:
        return rows.standing_of(row)
    if question.as_of_seq > row["last_seq"]:
        raise ThingNotFound
    start = empty(question.group_id)
    head = Head(question.as_of_seq, row["head"].hex()) if question.as_of_seq else start
    return Standing(head, rows.balances_of(row["balances"]))


READINGS: Final[Readings] = {TheStanding: Reading(_standing_statement, _standing)}
