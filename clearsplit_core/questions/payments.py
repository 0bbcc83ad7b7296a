"""Questions about payments."""

from collections.abc import Sequence
from dataclasses import dataclass

from clearsplit_core.journal import GroupId
from clearsplit_core.questions.book import PAGE_MAX, Book, latest_first
from clearsplit_core.records import Payment, PaymentId, PaymentState


@dataclass(frozen=True, slots=True)
class ThePayment:
    """A payment, also one that was voided. Raises ThingNotFound."""

    group_id: GroupId
    payment_id: PaymentId

    def answer(self, book: Book) -> Payment:
        return book.group.payment(self.payment_id)


@dataclass(frozen=True, slots=True)
class Payments:
    """The payments recorded before entry `before_seq`, the latest first.

    Those in `state` alone; without it all but the voided ones.
    """

    group_id: GroupId
    state: PaymentState | None = None
    before_seq: int | None = None
    limit: int = PAGE_MAX

    def answer(self, book: Book) -> Sequence[Payment]:
        some = [payment for payment in book.group.payments.values() if self._wants(payment)]
        return latest_first(some, lambda each: each.recorded_seq, self.before_seq, self.limit)

    def _wants(self, payment: Payment) -> bool:
        if self.state is None:
            return payment.state is not PaymentState.VOIDED
        return payment.state is self.state
