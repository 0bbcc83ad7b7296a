"""How questions about comments are answered."""

from collections.abc import Sequence
from typing import Final

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.questions import Comments, TheComment
from clearsplit_core.records import Comment
from clearsplit_pg import rows
from clearsplit_pg.readings.reading import Reading, Readings
from clearsplit_pg.rows import Row
from clearsplit_pg.sql import comments as sql


def _comment(_question: TheComment, row: Row) -> Comment:
    for comment in _all(row):
        return comment
    raise ThingNotFound


def _comments(_question: Comments, row: Row) -> Sequence[Comment]:
    if not row["there"]:
        raise ThingNotFound
    return _all(row)


def _all(row: Row) -> Sequence[Comment]:
    return rows.records_of(Comment, row["comments"], rows.texts_of(row["texts"]))


READINGS: Final[Readings] = {
    TheComment: Reading(lambda _: sql.COMMENT, _comment),
    Comments: Reading(lambda _: sql.COMMENTS, _comments),
}
