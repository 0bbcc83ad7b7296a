"""Questions about settlements, and the one from whose answer the next is computed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from clearsplit_core.errors import ThingNotFound
from clearsplit_core.group import Group
from clearsplit_core.journal import GroupId
from clearsplit_core.questions.book import PAGE_MAX, Book
from clearsplit_core.questions.groups import bare
from clearsplit_core.records import SettlementId, SettlementNow


@dataclass(frozen=True, slots=True)
class ToSettle:
    """The group with who owes whom and with its latest settlement: all that a plan follows from."""

    group_id: GroupId

    def answer(self, book: Book) -> Group:
        group, latest = book.group, book.group.latest_settlement
        return replace(
            bare(group),
            debts={pair: minor for pair, minor in group.debts.items() if minor},
            settlements={latest.id: latest} if latest else {},
        )


@dataclass(frozen=True, slots=True)
class TheSettlement:
    """A settlement, also one that was superseded or voided. Raises ThingNotFound."""

    group_id: GroupId
    settlement_id: SettlementId

    def answer(self, book: Book) -> SettlementNow:
        return book.group.now_of(book.group.settlement(self.settlement_id))


@dataclass(frozen=True, slots=True)
class TheLatestSettlement:
    """The settlement that was computed last, also when it was voided. Raises ThingNotFound."""

    group_id: GroupId

    def answer(self, book: Book) -> SettlementNow:
        latest = book.group.latest_settlement
        if latest is None:
            raise ThingNotFound
        return book.group.now_of(latest)


@dataclass(frozen=True, slots=True)
class Settlements:
    """The settlements before version `before_version`, the latest first, voided ones included."""

    group_id: GroupId
    before_version: int | None = None
    limit: int = PAGE_MAX

    def answer(self, book: Book) -> Sequence[SettlementNow]:
        ordered = sorted(
            book.group.settlements.values(), key=lambda each: each.version, reverse=True
        )
        before = self.before_version
        some = [each for each in ordered if before is None or each.version < before]
        return [book.group.now_of(each) for each in some[: self.limit]]
