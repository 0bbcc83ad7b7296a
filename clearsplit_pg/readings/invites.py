"""How questions about invites are answered."""

from collections.abc import Sequence
from typing import Final

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.questions import Invites, TheInvite
from clearsplit_core.records import Invite
from clearsplit_pg import rows
from clearsplit_pg.readings.reading import Reading, Readings
from clearsplit_pg.rows import Row
from clearsplit_pg.sql import invites as sql


def _invite(_question: TheInvite, row: Row) -> Invite:
    for invite in rows.invites_of(row):
        return invite
    raise ThingNotFound


def _invites(_question: Invites, row: Row) -> Sequence[Invite]:
    return rows.invites_of(row)


READINGS: Final[Readings] = {
    TheInvite: Reading(lambda _: sql.INVITE, _invite),
    Invites: Reading(lambda _: sql.INVITES, _invites),
}
