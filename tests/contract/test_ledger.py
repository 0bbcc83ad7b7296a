"""What every store promises about groups and their journals (`clearsplit_core.ports`)."""

import asyncio
from dataclasses import replace
from typing import Final

import pytest

from clearsplit_core import memory
from clearsplit_core.errors import (
    AlreadyExists,
    BalanceOutOfRange,
    InsufficientRole,
    Overloaded,
    Refusal,
    ThingNotFound,
    UnknownMember,
    VersionMismatch,
)
from clearsplit_core.expenses import Changes, RecordExpense
from clearsplit_core.group import MEMBERS_MAX, Group, replay
from clearsplit_core.journal import MemberId, balances_of, verify
from clearsplit_core.ports import AsyncStore, Clock, Command, OpenStore, Recorded, Store
from clearsplit_core.questions import (
    Entries,
    Expenses,
    Standing,
    TheExpense,
    TheGroup,
    TheStanding,
    bare,
)
from clearsplit_core.records import Fx, Role
from clearsplit_core.splits import Adjustment, Exact, Item, Itemised, Percentage, Shares, Split
from clearsplit_pg import embedded
from clearsplit_pg import store as postgres
from tests.contract.questions import (
    READS,
    WRITES,
    expense_of,
    group,
    journal,
    of_no_moment,
    refusal_of,
    seat_everybody,
    taxis_of_bob,
    texts_of,
)
from tests.contract.rigs import CommitFailed, Rig, front_door
from tests.literals import (
    NOON,
    OFFICE,
    TOMORROW,
    TRIP,
    Seat,
    by_currency,
    caller,
    expense,
    expense_called,
    founding,
    guest,
    leg,
    linked,
    member,
    members,
    parts,
    receipt,
    restore,
    revise,
    revising,
    seat,
    text,
    together,
    void,
)

LARGEST: Final = "10000000000000.00 EUR"


def yachts(count: int) -> tuple[RecordExpense, ...]:
    """So many of the largest amounts that bob owes ann."""
    numbers = range(count)
    return tuple(expense(f"Yacht {n}", LARGEST, by="ann", among="bob") for n in numbers)


# ── The front doors ──────────────────────────────────────────────────────────────────────────────


def test_every_front_door_opens_a_store() -> None:
    """mypy holds each of them against the protocol."""
    doors: dict[str, OpenStore] = {
        "memory": memory.open_store,
        "postgresql": postgres.open_store,
        "embedded": embedded.open_store,
    }
    assert {scheme: front_door(scheme) for scheme in doors} == doors


def test_the_store_for_synchronous_callers_keeps_the_same_promises() -> None:
    """mypy holds it against the protocol."""
    clock: Clock = lambda: NOON  # noqa: E731
    store: Store = memory.MemoryStore(clock=clock)
    wrapped: AsyncStore = memory.AsyncMemoryStore(memory.MemoryStore(clock=clock))
    assert (store, wrapped) is not None


async def test_a_store_that_was_opened_is_ready(rig: Rig) -> None:
    assert await rig.store.ready()


# ── What was performed can be read back ──────────────────────────────────────────────────────────


async def test_a_group_is_what_its_founder_was_answered(rig: Rig) -> None:
    recorded = await rig.do("ann", founding("ann", "EUR"))
    read = await rig.store.read(TheGroup(TRIP), caller=caller("ann"))
    assert of_no_moment(read) == of_no_moment(recorded.answer)
    assert (read.head, read.actor.id) == (recorded.head, member("ann"))


async def test_a_reader_sees_the_group_from_their_own_seat(rig: Rig) -> None:
    await seat_everybody(rig)
    read = await rig.store.read(TheGroup(TRIP), caller=caller("vic"))
    assert (read.actor.id, read.actor.role, read.caller) == (
        member("vic"), Role.VIEWER, caller("vic").account_id,
    )  # fmt: skip


async def test_a_guest_is_what_the_owner_was_answered(rig: Rig) -> None:
    await rig.do("ann", founding("ann"))
    recorded = await rig.do("ann", guest("bob", Role.VIEWER))
    assert (await group(rig)).members[member("bob")] == recorded.answer
    assert (await group(rig)).version == 2


async def test_a_group_knows_its_members_balances_and_head_and_leaves_its_expenses_out(
    rig: Rig,
) -> None:
    await seat_everybody(rig)
    read = await group(rig)
    assert set(read.members) == set(members("ann bob cem vic"))
    assert read.balances == {
        (member("ann"), "EUR"): 4000, (member("bob"), "EUR"): -2000, (member("cem"), "EUR"): -2000,
    }  # fmt: skip
    assert (read.head.seq, read.expenses) == (5, {})


async def test_a_standing_is_the_balances_and_the_head_of_the_group(rig: Rig) -> None:
    await seat_everybody(rig)
    read = await group(rig)
    standing = await rig.store.read(TheStanding(TRIP), caller=caller("ann"))
    assert standing == Standing(read.head, read.balances)


SPLITS: Final[dict[str, Split[MemberId]]] = {
    "exact": Exact(parts("ann 50.00, bob 10.00")),
    "percentage": Percentage.of({member("ann"): "33.34", member("bob"): "66.66"}),
    "shares": Shares.of({member("ann"): 2, member("bob"): 0}),
    "adjustment": Adjustment.of(members("ann bob"), {member("bob"): 500}),
    "itemised": Itemised((Item(6_000, members("ann bob"), text("Oysters")),), 10, 20, 30),
}
EXPENSES: Final[dict[str, RecordExpense]] = {
    "equal": expense("Taxi", "60.00 EUR"),
    **{kind: expense("Taxi", "60.00 EUR", among=split) for kind, split in SPLITS.items()},
    "all that can be said": expense(
        "Łódź 🍕", "60.01 EUR", by=parts("ann 20.00, bob 40.01"), on=TOMORROW,
        category="food", memo='"so"\n\tgood; drop table \\x00 %s {} \'',
    ),
    "refund": expense("Taxi", "-60.00 EUR"),
    "another currency": expense("Taxi", "1.000 KWD"),
    "with a rate": expense("Taxi", "4000 JPY", fx=Fx("EUR", "0.00617")),
    "for oneself": expense("Taxi", "60.00 EUR", by="ann", among="ann"),
    "the largest": expense("Yacht", LARGEST, by="ann", among="bob"),
    "the smallest": expense("Sweet", "0.01 EUR", by="ann", among="ann bob cem"),
}  # fmt: skip


@pytest.mark.parametrize("kind", EXPENSES)
async def test_an_expense_is_what_was_answered_when_it_was_recorded(rig: Rig, kind: str) -> None:
    await seat_everybody(rig)
    command = EXPENSES[kind]

    recorded = await rig.do("bob", command)

    assert (
        await rig.store.read(TheExpense(TRIP, command.expense_id), caller=caller("vic"))
        == recorded.answer
    )
    assert recorded.answer.terms == command.terms
    assert (await journal(rig))[-1].head == recorded.head


CORRECTIONS: Final[dict[str, tuple[Command[object], ...]]] = {
    "retitled": (revise("Dinner", Changes(title=text("Supper"))),),
    "moved": (revise("Dinner", Changes(date=TOMORROW)),),
    "dearer": (revise("Dinner", Changes(amount_minor=7_001)),),
    "voided": (void("Dinner"),),
    "restored": (void("Dinner"), restore("Dinner", version=2)),
}


@pytest.mark.parametrize("kind", CORRECTIONS)
async def test_an_expense_is_what_was_answered_when_it_was_corrected(rig: Rig, kind: str) -> None:
    await seat_everybody(rig)
    *before, last = CORRECTIONS[kind]
    for command in before:
        await rig.do("ann", command)

    recorded = await rig.do("ann", last)

    assert await expense_of(rig, "Dinner") == recorded.answer
    assert (await journal(rig))[-1].head == recorded.head


async def test_what_is_answered_is_the_head_of_a_journal_that_verifies(rig: Rig) -> None:
    await seat_everybody(rig)
    recorded = await rig.do("bob", expense("Taxi"))
    assert verify(TRIP, await journal(rig), head=recorded.head) == recorded.head


async def test_an_entry_says_who_did_what_and_when(rig: Rig) -> None:
    await seat_everybody(rig)
    rig.clock.turn(days=1)
    await rig.do("bob", expense("Taxi", "30.00 EUR", by="bob", among="ann", on=TOMORROW))
    *_, entry = await journal(rig)
    assert (entry.seq, entry.actor_id, entry.at.date()) == (6, member("bob"), TOMORROW)
    assert set(entry.postings) == {
        leg("bob", "30.00 EUR", TOMORROW), leg("ann", "-30.00 EUR", TOMORROW),
    }  # fmt: skip


async def test_several_events_of_one_command_are_several_entries(rig: Rig) -> None:
    await seat_everybody(rig)
    recorded = await rig.do("ann", together(expense("Taxi"), expense("Train")))
    assert recorded.head.seq == 7
    assert (await expense_of(rig, "Taxi")).recorded_seq == 6
    assert (await expense_of(rig, "Train")).recorded_seq == 7


# ── Lists ────────────────────────────────────────────────────────────────────────────────────────


async def recorded_seqs(rig: Rig, *, before_seq: int | None = None, limit: int = 100) -> list[int]:
    page = await rig.store.read(
        Expenses(TRIP, before_seq=before_seq, limit=limit), caller=caller("ann")
    )
    return [one.recorded_seq for one in page]


async def test_expenses_are_listed_the_latest_first_without_voided_ones(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", together(expense("Taxi"), expense("Train"), expense("Tram")))
    await rig.do("ann", void("Train"))
    await rig.do("ann", revise("Taxi", Changes(title=text("Cab"))))
    assert await recorded_seqs(rig) == [8, 6, 5]
    assert (await expense_of(rig, "Train")).voided


async def test_expenses_are_listed_a_page_at_a_time(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", together(expense("Taxi"), expense("Train"), expense("Tram")))
    assert await recorded_seqs(rig, limit=2) == [8, 7]
    assert await recorded_seqs(rig, before_seq=7, limit=2) == [6, 5]
    assert await recorded_seqs(rig, before_seq=5) == []


async def test_entries_are_listed_a_page_at_a_time(rig: Rig) -> None:
    await seat_everybody(rig)
    whole = await journal(rig)
    first = await rig.store.read(Entries(TRIP, limit=2), caller=caller("ann"))
    second = await rig.store.read(Entries(TRIP, after_seq=2, limit=2), caller=caller("ann"))
    assert [*first, *second] == list(whole[:4])
    assert list(await rig.store.read(Entries(TRIP, after_seq=5), caller=caller("ann"))) == []


async def test_somebodys_groups_are_those_in_which_they_have_a_seat(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("bob", founding("bob", "JPY", of=OFFICE))
    mine = await rig.store.groups(caller=caller("bob"))
    assert [one.id for one in mine] == sorted([TRIP, OFFICE])
    assert of_no_moment(next(one for one in mine if one.id == TRIP)) == await group(rig)
    assert [one.id for one in await rig.store.groups(caller=caller("ann"))] == [TRIP]
    assert list(await rig.store.groups(caller=caller("zoe"))) == []


async def test_groups_are_listed_a_page_at_a_time(rig: Rig) -> None:
    await rig.do("ann", founding("ann"))
    await rig.do("ann", founding("ann", of=OFFICE))
    first, second = sorted([TRIP, OFFICE])
    assert [one.id for one in await rig.store.groups(caller=caller("ann"), limit=1)] == [first]
    after = await rig.store.groups(caller=caller("ann"), after=first)
    assert [one.id for one in after] == [second]
    assert list(await rig.store.groups(caller=caller("ann"), after=second)) == []


async def test_whoever_left_has_the_group_no_more(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", seat("bob", active=False))
    assert list(await rig.store.groups(caller=caller("bob"))) == []


# ── Who may see and do what ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("question", [*READS, *WRITES])
@pytest.mark.parametrize("who", ["zoe", "cem", "bob"], ids=["stranger", "guest", "left"])
async def test_for_whoever_has_no_seat_there_is_no_such_group(
    rig: Rig, who: str, question: str
) -> None:
    ask = {**READS, **WRITES}[question]
    no_such_group = await refusal_of(ask(rig.store, caller("ann")))
    await seat_everybody(rig)
    await rig.do("ann", seat("bob", active=False))
    before = rig.dump()

    assert await refusal_of(ask(rig.store, caller(who))) == no_such_group
    assert no_such_group[0] is ThingNotFound
    assert rig.dump() == before


@pytest.mark.parametrize("question", READS)
async def test_a_viewer_reads_everything(rig: Rig, question: str) -> None:
    await seat_everybody(rig)
    assert await READS[question](rig.store, caller("vic")) is not None


async def test_an_expense_of_another_group_is_not_found(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", founding("ann", of=OFFICE))
    with pytest.raises(ThingNotFound):
        await rig.store.read(TheExpense(OFFICE, expense_called("Dinner")), caller=caller("ann"))


async def test_two_groups_may_use_the_same_ids(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", founding("ann", of=OFFICE))
    await rig.do("ann", expense("Dinner", "7.00 EUR", by="ann", among="ann", of=OFFICE))
    office = await rig.store.read(
        TheExpense(OFFICE, expense_called("Dinner")), caller=caller("ann")
    )
    assert office.terms.amount_minor == 700
    assert (await expense_of(rig, "Dinner")).terms.amount_minor == 6_000


async def test_a_role_counts_as_it_stands_when_the_command_is_decided(rig: Rig) -> None:
    await seat_everybody(rig)

    before, demoted, after = await asyncio.gather(
        taxis_of_bob(rig, 1), rig.do("ann", revising("bob", role=Role.VIEWER)), taxis_of_bob(rig, 2)
    )

    recorded = [one.head.seq for one in (*before, *after) if isinstance(one, Recorded)]
    refused = [type(one) for one in (*before, *after) if isinstance(one, BaseException)]
    assert max(recorded, default=0) < demoted.head.seq
    assert set(refused) <= {InsufficientRole}
    assert len(recorded) + len(refused) == 20
    with pytest.raises(InsufficientRole):
        await rig.do("bob", expense("One more"))


# ── A refused command changes nothing ────────────────────────────────────────────────────────────

REFUSED: Final[dict[str, tuple[str, Command[object], type[Refusal]]]] = {
    "a group that is there": ("ann", founding("ann"), AlreadyExists),
    "a group that is another's": ("zoe", founding("zoe"), AlreadyExists),
    "a seat that is taken": ("ann", guest("cem"), AlreadyExists),
    "an expense that is there": ("ann", expense("Dinner"), AlreadyExists),
    "a member who is not": ("ann", expense("Taxi", among="ann zoe"), UnknownMember),
    "a viewer": ("vic", expense("Taxi"), InsufficientRole),
    "a member who is no owner": ("bob", guest("dee"), InsufficientRole),
    "an old version": ("ann", void("Dinner", version=2), VersionMismatch),
    "no such expense": ("ann", void("Taxi"), ThingNotFound),
    "the second of two": ("ann", together(expense("Taxi"), expense("Dinner")), AlreadyExists),
    "too much in the end": ("ann", together(*yachts(10)), BalanceOutOfRange),
}


@pytest.mark.parametrize("why", REFUSED)
async def test_a_refused_command_leaves_every_byte_as_it_was(rig: Rig, why: str) -> None:
    who, command, refusal = REFUSED[why]
    await seat_everybody(rig)
    before = rig.dump()

    with pytest.raises(refusal):
        await rig.do(who, command)
    with pytest.raises(refusal):
        await rig.do_once(who, command, receipt())

    assert rig.dump() == before


async def test_a_failed_commit_leaves_every_byte_as_it_was(rig: Rig) -> None:
    await seat_everybody(rig)
    before = rig.dump()

    async with rig.failing_commits():
        with pytest.raises((CommitFailed, Overloaded)):
            await rig.do("ann", expense("Taxi"))
        with pytest.raises((CommitFailed, Overloaded)):
            await rig.do_once("ann", expense("Taxi"), receipt())

    assert rig.dump() == before
    assert (await rig.do_once("ann", expense("Taxi"), receipt())).replayed is False


async def test_a_balance_that_not_every_client_can_read_is_refused(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", together(*yachts(9)))
    with pytest.raises(BalanceOutOfRange):
        await rig.do("ann", expense("Yacht 10", LARGEST, by="ann", among="bob"))
    assert (await group(rig)).balances[member("bob"), "EUR"] == -9 * 10**15 - 2_000


# ── Many at once ─────────────────────────────────────────────────────────────────────────────────


async def test_fifty_writers_at_once_all_count(rig: Rig) -> None:
    await seat_everybody(rig)
    async with rig.elsewhere() as there:
        await asyncio.gather(
            *(rig.do("ann", expense(f"Here {n}", "3.00 EUR")) for n in range(25)),
            *(
                there.perform(expense(f"There {n}", "3.00 EUR", by="bob"), caller=caller("bob"))
                for n in range(25)
            ),
        )

    entries, read = await journal(rig), await group(rig)

    assert [entry.seq for entry in entries] == list(range(1, 56))
    assert verify(TRIP, entries, head=read.head) == read.head
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    assert read.balances == balances_of(leg for entry in entries for leg in entry.postings)
    assert len(await rig.store.read(Expenses(TRIP), caller=caller("ann"))) == 51


async def test_of_many_who_found_the_same_group_one_does(rig: Rig) -> None:
    outcomes = await asyncio.gather(
        *(rig.do("ann", founding("ann")) for _ in range(10)), return_exceptions=True
    )
    refused = [type(one) for one in outcomes if isinstance(one, BaseException)]
    assert refused == [AlreadyExists] * 9
    assert len(await journal(rig)) == 1


async def test_of_many_who_correct_the_same_version_one_does(rig: Rig) -> None:
    await seat_everybody(rig)
    outcomes = await asyncio.gather(
        *(rig.do("ann", revise("Dinner", Changes(amount_minor=n))) for n in range(1, 11)),
        return_exceptions=True,
    )
    refused = [type(one) for one in outcomes if isinstance(one, BaseException)]
    assert refused == [VersionMismatch] * 9
    assert (await expense_of(rig, "Dinner")).version == 2


async def write_and_look(rig: Rig, number: int) -> tuple[Standing, Group]:
    _, stood, seen = await asyncio.gather(
        rig.do("ann", expense(f"Taxi {number}", "10.00 EUR", by="bob")),
        rig.store.read(TheStanding(TRIP), caller=caller("ann")),
        rig.store.read(TheGroup(TRIP), caller=caller("ann")),
    )
    return stood, seen


async def test_a_read_is_of_one_moment_while_others_write(rig: Rig) -> None:
    await seat_everybody(rig)

    looks = await asyncio.gather(*(write_and_look(rig, n) for n in range(20)))

    entries = await journal(rig)
    sums = {
        entry.seq: balances_of(leg for one in entries[: entry.seq] for leg in one.postings)
        for entry in entries
    }
    assert [one.balances for one, _ in looks] == [sums[one.head.seq] for one, _ in looks]
    assert [one.balances for _, one in looks] == [sums[one.head.seq] for _, one in looks]
    assert {sum(one.balances.values()) for look in looks for one in look} == {0}


async def test_time_does_not_run_backwards_when_a_clock_does(rig: Rig) -> None:
    await seat_everybody(rig)
    rig.clock.turn(days=-1)
    recorded = await rig.do("ann", expense("Taxi"))
    *_, before, entry = await journal(rig)
    assert entry.at >= before.at
    assert recorded.answer.recorded_at == entry.at


async def test_an_entry_may_have_a_thousand_legs(rig: Rig) -> None:
    await rig.do("ann", founding("ann"))
    others = tuple(linked(f"sailor {n}") for n in range(MEMBERS_MAX - 1))
    await rig.do("ann", Seat(group_id=TRIP, members=others))
    crew = Shares.of({one.id: 1 for one in others})

    recorded = await rig.do("ann", expense("Ship", "999.00 EUR", by="ann", among=crew))

    *_, entry = await rig.store.read(
        Entries(TRIP, after_seq=recorded.head.seq - 1), caller=caller("ann")
    )
    assert len(entry.postings) == MEMBERS_MAX
    assert by_currency(entry.postings) == {"EUR": 0}
    assert (await group(rig)).balances[others[0].id, "EUR"] == -100


async def test_currencies_stand_side_by_side_and_a_rate_leads_into_the_one_of_the_group(
    rig: Rig,
) -> None:
    await rig.do("ann", founding("ann", "EUR"))
    await rig.do("ann", guest("bob"))
    await rig.do("ann", expense("Ramen", "4000 JPY", by="bob", among="ann bob"))
    rate = Fx("EUR", "0.0061")
    await rig.do("ann", expense("Sushi", "4000 JPY", by="bob", among="ann bob", fx=rate))
    assert (await group(rig)).balances == {
        (member("ann"), "JPY"): -2000, (member("bob"), "JPY"): 2000,
        (member("ann"), "EUR"): -1220, (member("bob"), "EUR"): 1220,
    }  # fmt: skip


# ── The journal tells it all again ───────────────────────────────────────────────────────────────


async def happenings(rig: Rig) -> None:
    """A bit of everything."""
    await seat_everybody(rig)
    for kind, command in EXPENSES.items():
        await rig.do("ann", replace(command, expense_id=expense_called(kind)))
    await rig.do("ann", revise("Dinner", Changes(title=text("Supper"), date=TOMORROW)))
    await rig.do("bob", expense("Train", by="bob", among="ann bob"))
    await rig.do("bob", void("Train"))
    await rig.do("ann", seat("vic", active=False))
    await rig.do("ann", guest("dee"))


async def test_the_journal_told_again_is_what_the_store_reads(rig: Rig) -> None:
    await happenings(rig)
    read, live = await group(rig), await rig.store.read(Expenses(TRIP), caller=caller("ann"))
    train = await expense_of(rig, "Train")
    everything = {one.id: one for one in (*live, train)}

    again = replay(TRIP, await journal(rig), texts_of(read, list(everything.values())))

    assert of_no_moment(bare(again)) == read
    assert again.expenses == everything


# ── Erasing ──────────────────────────────────────────────────────────────────────────────────────


async def test_an_erased_text_is_told_to_nobody_any_more(rig: Rig) -> None:
    await seat_everybody(rig)
    oysters = Itemised((Item(6_000, members("ann bob"), text("Oysters")),))
    await rig.do("ann", expense("Brunch", among=oysters, category="Treats", memo="For Bob"))

    await rig.store.erase(TRIP, 6)

    told = str(rig.dump())
    assert [word for word in ("Brunch", "Oysters", "Treats", "For Bob") if word in told] == []
    erased = await expense_of(rig, "Brunch")
    assert (erased.terms.title.words, erased.terms.title.salt) == (None, None)
    assert erased.terms.title.commitment == text("Brunch").commitment


async def test_erasing_leaves_sums_chain_and_every_other_text(rig: Rig) -> None:
    await seat_everybody(rig)
    recorded = await rig.do("ann", expense("Brunch"))
    before, dinner = await group(rig), await expense_of(rig, "Dinner")

    await rig.store.erase(TRIP, 6)

    assert await group(rig) == before
    assert await expense_of(rig, "Dinner") == dinner
    assert verify(TRIP, await journal(rig), head=recorded.head) == recorded.head


async def test_a_journal_with_erased_texts_tells_the_same_group_again(rig: Rig) -> None:
    await happenings(rig)
    await rig.store.erase(TRIP, 6)
    read, live = await group(rig), await rig.store.read(Expenses(TRIP), caller=caller("ann"))
    train = await expense_of(rig, "Train")
    everything = {one.id: one for one in (*live, train)}

    again = replay(TRIP, await journal(rig), texts_of(read, list(everything.values())))

    assert of_no_moment(bare(again)) == read
    assert again.expenses == everything


async def test_erasing_what_was_revised_leaves_what_it_was_revised_to(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.do("ann", revise("Dinner", Changes(title=text("Supper"))))
    await rig.store.erase(TRIP, 5)
    assert (await expense_of(rig, "Dinner")).terms.title == text("Supper")
    assert str(rig.dump()).count("'Dinner'") == 0


async def test_an_erased_expense_can_be_corrected_like_any_other(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.store.erase(TRIP, 5)
    recorded = await rig.do("ann", revise("Dinner", Changes(amount_minor=3_000)))
    assert recorded.answer.terms.title.words is None
    await rig.do("ann", void("Dinner", version=2))
    assert set((await group(rig)).balances.values()) == {0}


async def test_a_guest_whose_name_is_erased_keeps_the_seat_and_the_balance(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.store.erase(TRIP, 4)
    read = await group(rig)
    assert read.members[member("cem")].name.words is None
    assert read.balances[member("cem"), "EUR"] == -2_000


async def test_erasing_the_founding_takes_the_names_and_leaves_the_owner_the_seat(
    rig: Rig,
) -> None:
    await seat_everybody(rig)
    await rig.store.erase(TRIP, 1)
    read = await rig.store.read(TheGroup(TRIP), caller=caller("ann"))
    assert (read.name.words, read.actor.name.words) == (None, None)
    assert (read.actor.role, read.actor.account_id) == (Role.OWNER, caller("ann").account_id)


async def test_erasing_twice_is_erasing_once(rig: Rig) -> None:
    await seat_everybody(rig)
    await rig.store.erase(TRIP, 5)
    before = rig.dump()
    await rig.store.erase(TRIP, 5)
    assert rig.dump() == before


@pytest.mark.parametrize("seq", [-1, 0, 6])
async def test_an_entry_that_is_not_there_cannot_be_erased(rig: Rig, seq: int) -> None:
    await seat_everybody(rig)
    before = rig.dump()
    with pytest.raises(ThingNotFound):
        await rig.store.erase(TRIP, seq)
    assert rig.dump() == before


async def test_a_group_that_is_not_there_cannot_be_erased(rig: Rig) -> None:
    with pytest.raises(ThingNotFound):
        await rig.store.erase(TRIP, 1)
