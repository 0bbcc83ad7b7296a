"""How questions about payments are answered."""

from collections.abc import Sequence
from typing import Final

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.questions import Payments, ThePayment
from clearsplit_core.records import Payment
from clearsplit_pg import rows
from clearsplit_pg.readings.reading import Reading, Readings
from clearsplit_pg.rows import Row
from clearsplit_pg.sql import payments as sql


def _payment(_question: ThePayment, row: Row) -> Payment:
    for payment in rows.payments_of(row):
        return payment
    raise ThingNotFound


def _payments(_question: Payments, row: Row) -> Sequence[Payment]:
    return rows.payments_of(row)


READINGS: Final[Readings] = {
    ThePayment: Reading(lambda _: sql.PAYMENT, _payment),
    Payments: Reading(lambda _: sql.PAYMENTS, _payments),
}
