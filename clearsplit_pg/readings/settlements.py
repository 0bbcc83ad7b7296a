"""How questions about settlements are answered."""

from collections.abc import Sequence
from typing import Final

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.group import Group
from clearsplit_core.questions import (
    Settlements,
    TheLatestSettlement,
    TheSettlement,
    ToSettle,
)
from clearsplit_core.records import SettlementNow
from clearsplit_pg import rows
from clearsplit_pg.readings.reading import Reading, Readings
from clearsplit_pg.rows import Row
from clearsplit_pg.sql import settlements as sql


def _settlement(_question: TheSettlement | TheLatestSettlement, row: Row) -> SettlementNow:
    for settlement in rows.settlements_of(row):
        return settlement
    raise ThingNotFound


def _settlements(_question: Settlements, row: Row) -> Sequence[SettlementNow]:
    return rows.settlements_of(row)


def _to_settle(question: ToSettle, row: Row) -> Group:
    group = rows.group_to_settle_of(question.group_id, row)
    return group.at_moment(row["account_id"], row["actor_id"], row["moment"])


READINGS: Final[Readings] = {
    TheSettlement: Reading(lambda _: sql.SETTLEMENT, _settlement),
    TheLatestSettlement: Reading(lambda _: sql.LATEST_SETTLEMENT, _settlement),
    Settlements: Reading(lambda _: sql.SETTLEMENTS, _settlements),
    ToSettle: Reading(lambda _: sql.TO_SETTLE, _to_settle),
}
