"""Routes of a group's payments."""

from clearsplit_core.errors import (
    AlreadyConfirmed,
    AlreadyExists,
    AlreadyVoided,
    AmountNegative,
    AmountOutOfRange,
    AmountZero,
    BadText,
    BalanceOutOfRange,
    Overpayment,
    PaysThemselves,
    TooManyPending,
    UnknownCurrency,
    UnknownMember,
)
from clearsplit_core.ports import Sealed
from clearsplit_core.questions import Payments, ThePayment
from clearsplit_core.records import PaymentState
from clearsplit_http.access import (
    confirmers_of_the_payment,
    members,
    recorders,
    voiders_of_the_payment,
)
from clearsplit_http.asked import Asked
from clearsplit_http.operations import operation
from clearsplit_http.pages import PAGE_QUERY
from clearsplit_http.refusals import BadId, BadQuery
from clearsplit_http.wire.payments import Confirmation, NewPayment, PaymentAnswer, PaymentVoiding
from clearsplit_http.wire.resources import Nothing, Page


@operation(
    "POST",
    "/groups/{group_id}/payments",
    takes=NewPayment,
    gives=PaymentAnswer,
    status=201,
    door=recorders,
    refuses=(
        AlreadyExists,
        AmountNegative,
        AmountOutOfRange,
        AmountZero,
        BadId,
        BadText,
        BalanceOutOfRange,
        Overpayment,
        PaysThemselves,
        TooManyPending,
        UnknownCurrency,
        UnknownMember,
    ),
)
async def record_payment(asked: Asked[NewPayment]) -> Sealed:
    """Record that one member paid another.

    Where the group asks for confirmation it is pending, and moves no balance, until its receiver or
    an owner confirms it, whoever recorded it.
    """
    return await asked.store.perform_once(
        asked.command(lambda: asked.body.record(asked.group_id)),
        caller=asked.caller,
        receipt=asked.receipt(PaymentAnswer.of),
    )


@operation(
    "GET",
    "/groups/{group_id}/payments",
    takes=Nothing,
    gives=Page[PaymentAnswer],
    door=members,
    query=PAGE_QUERY | {"status": "Only those: pending, confirmed or voided."},
)
async def list_payments(asked: Asked[Nothing]) -> Sealed:
    """The group's payments, the latest recorded first; voided ones only where you ask for them."""
    before = asked.position()
    return asked.page(
        await asked.read(
            Payments(
                asked.group_id,
                state=_state(asked.query.get("status")),
                before_seq=int(before) if before else None,
                limit=asked.limit + 1,
            )
        ),
        PaymentAnswer.of,
        lambda payment: str(payment.recorded_seq),
    )


@operation(
    "GET",
    "/groups/{group_id}/payments/{payment_id}",
    takes=Nothing,
    gives=PaymentAnswer,
    door=members,
)
async def get_payment(asked: Asked[Nothing]) -> Sealed:
    """A payment, also one that was voided."""
    return asked.found(
        PaymentAnswer.of(await asked.read(ThePayment(asked.group_id, asked.ids.payment_id)))
    )


@operation(
    "POST",
    "/groups/{group_id}/payments/{payment_id}/confirm",
    takes=Confirmation,
    gives=PaymentAnswer,
    door=confirmers_of_the_payment,
    versioned=True,
    refuses=(AlreadyConfirmed, AlreadyVoided, BalanceOutOfRange, Overpayment),
)
async def confirm_payment(asked: Asked[Confirmation]) -> Sealed:
    """Say that the money came: from now on the payment counts."""
    return await asked.store.perform_once(
        asked.command(
            lambda: asked.body.confirm(asked.group_id, asked.ids.payment_id, asked.expected_version)
        ),
        caller=asked.caller,
        receipt=asked.receipt(PaymentAnswer.of),
    )


@operation(
    "POST",
    "/groups/{group_id}/payments/{payment_id}/void",
    takes=PaymentVoiding,
    gives=PaymentAnswer,
    door=voiders_of_the_payment,
    versioned=True,
    refuses=(AlreadyVoided, BadText, BalanceOutOfRange),
)
async def void_payment(asked: Asked[PaymentVoiding]) -> Sealed:
    """Take a payment out of every balance. Its history stays; a transfer that it paid is open."""
    return await asked.store.perform_once(
        asked.command(
            lambda: asked.body.void(asked.group_id, asked.ids.payment_id, asked.expected_version)
        ),
        caller=asked.caller,
        receipt=asked.receipt(PaymentAnswer.of),
    )


ROUTES = (record_payment, list_payments, get_payment, confirm_payment, void_payment)


def _state(text: str | None) -> PaymentState | None:
    """Raises BadQuery."""
    if text is None:
        return None
    try:
        return PaymentState(text)
    except ValueError:
        raise BadQuery(f"The status is one of {', '.join(PaymentState)}.") from None
