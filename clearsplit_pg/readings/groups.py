"""How questions about a group itself are answered."""

from typing import Final

from clearsplit_core.group import Group
from clearsplit_core.questions import TheGroup
from clearsplit_pg import rows
from clearsplit_pg.readings.reading import Reading, Readings
from clearsplit_pg.rows import Row
from clearsplit_pg.sql import groups as sql


def _group(question: TheGroup, row: Row) -> Group:
    group = rows.group_of(question.group_id, row, row)
    return group.at_moment(row["account_id"], row["actor_id"], row["moment"])


READINGS: Final[Readings] = {TheGroup: Reading(lambda _: sql.GROUP, _group)}
