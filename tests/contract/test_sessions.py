"""What every store promises about accounts, and about callers whose session has ended."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import pytest

from clearsplit_core.accounts import (
    ChangePassword,
    DeleteAccount,
    EndEverySession,
    EndSession,
    IssueToken,
    OpenAccount,
    ReviseAccount,
    RevokeToken,
    RotateSession,
    Rotation,
    StartSession,
    normal_email,
)
from clearsplit_core.errors import (
    AlreadyExists,
    EmailTaken,
    Refusal,
    SessionEnded,
    ThingNotFound,
    WrongCredentials,
)
from clearsplit_core.ports import AccountCommand, AccountDecision, Caller
from clearsplit_core.records import Account, AccountId, Scope
from tests.contract.questions import (
    READS,
    WRITES,
    Question,
    journal,
    meanwhile,
    refusal_of,
    seat_everybody,
)
from tests.contract.rigs import Rig
from tests.literals import account, caller, expense, receipt, session, token_id

MONTH: Final = timedelta(days=30)
QUESTIONS: Final[Mapping[str, Question]] = {
    **READS,
    **WRITES,
    "groups": lambda store, who: store.groups(caller=who),
    "balances": lambda store, who: store.balances(caller=who),
    "links": lambda store, who: store.links(caller=who),
    "account": lambda store, who: store.account_of(who),
}
"""Everything that a caller can ask."""


def opening(name: str, email: str = "") -> OpenAccount:
    address = email or f"{name}@example.org"
    return OpenAccount(
        account_id=account(name), email=address, name=name, password_hash=f"hash of {name}"
    )


def signing_in(name: str, device: str = "phone") -> StartSession:
    return StartSession(
        account_id=account(name),
        session_id=session(device),
        password_hash=f"hash of {name}",
        refresh=device,
        lifetime=MONTH,
    )


def signing_out(name: str, device: str = "phone") -> EndSession:
    return EndSession(account_id=account(name), by=session(device), session_id=session(device))


def ending_on(by: str, device: str) -> EndSession:
    return EndSession(account_id=account("ann"), by=session(by), session_id=session(device))


def issuing(name: str = "bot", by: str = "phone") -> IssueToken:
    return IssueToken(
        account_id=account("ann"),
        by=session(by),
        token_id=token_id(name),
        name=name,
        scope=Scope.READ,
        digest=f"digest of {name}",
        lifetime=MONTH,
    )


def revoking(name: str = "bot") -> RevokeToken:
    return RevokeToken(account_id=account("ann"), by=session("phone"), token_id=token_id(name))


def changing(found: str = "hash of ann") -> ChangePassword:
    return ChangePassword(
        account_id=account("ann"), by=session("phone"), password_hash=found, new_hash="new hash"
    )


def moving(email: str | None) -> ReviseAccount:
    return ReviseAccount(
        account_id=account("ann"),
        by=session("phone"),
        name="Anna",
        email=email,
        password_hash="hash of ann",
    )


DELETING: Final = DeleteAccount(account_id=account("ann"), by=session("phone"))
ENDING_ALL: Final = EndEverySession(account_id=account("ann"), by=session("phone"))


def showing(token: str, device: str = "phone") -> RotateSession:
    return RotateSession(
        account_id=account("ann"),
        session_id=session(device),
        presented=token,
        child=f"{token}'",
        lifetime=MONTH,
    )


def on(device: str, name: str = "ann") -> Caller:
    """The account called `name`, signed in on `device`."""
    return Caller(account(name), session(device))


async def do(rig: Rig, *commands: AccountCommand[object]) -> None:
    for command in commands:
        await rig.store.perform_on_account(command)


async def sign_in_everybody(rig: Rig) -> None:
    """Ann and bob have accounts; ann is signed in on her phone, bob on his laptop."""
    await do(rig, opening("ann"), opening("bob"), signing_in("ann"), signing_in("bob", "laptop"))


# ── Accounts ─────────────────────────────────────────────────────────────────────────────────────


async def test_an_account_is_what_was_answered_when_it_was_opened(rig: Rig) -> None:
    opened = await rig.store.perform_on_account(opening("ann"))
    assert await rig.store.account_of(caller("ann")) == opened
    assert await rig.store.account_by_email("ann@example.org") == opened


async def test_an_account_that_is_not_there_is_found_by_nobody(rig: Rig) -> None:
    await do(rig, opening("ann"))
    assert await rig.store.account_by_email("bob@example.org") is None
    with pytest.raises(SessionEnded):
        await rig.store.account_of(caller("bob"))


async def test_an_account_knows_its_sessions_in_the_order_in_which_they_were_started(
    rig: Rig,
) -> None:
    await do(rig, opening("ann"), signing_in("ann", "phone"), signing_in("ann", "laptop"))
    answered = await rig.store.perform_on_account(signing_in("ann", "desk"))
    read = await rig.store.account_of(caller("ann"))
    assert [one.id for one in read.sessions] == [session(d) for d in ("phone", "laptop", "desk")]
    assert read == answered


@pytest.mark.parametrize("written", ["ann@example.org", "Ann@EXAMPLE.org", "ＡＮＮ@example.org"])  # noqa: RUF001
async def test_an_address_belongs_to_one_account_however_it_is_written(
    rig: Rig, written: str
) -> None:
    opened = await rig.store.perform_on_account(opening("ann"))
    before = rig.dump()
    with pytest.raises(EmailTaken):
        await rig.store.perform_on_account(opening("bob", written))
    assert rig.dump() == before
    assert await rig.store.account_by_email(normal_email(written)) == opened


async def test_of_many_who_want_the_same_address_at_once_one_gets_it(rig: Rig) -> None:
    wishes = [opening(f"ann {n}", "ann@example.org") for n in range(10)]
    outcomes = await asyncio.gather(
        *map(rig.store.perform_on_account, wishes), return_exceptions=True
    )
    refused = [type(one) for one in outcomes if isinstance(one, BaseException)]
    (opened,) = [one for one in outcomes if not isinstance(one, BaseException)]
    assert refused == [EmailTaken] * 9
    assert await rig.store.account_by_email("ann@example.org") == opened


async def test_of_many_who_open_the_same_account_at_once_one_does(rig: Rig) -> None:
    wishes = [opening("ann", f"ann{n}@example.org") for n in range(10)]
    outcomes = await asyncio.gather(
        *map(rig.store.perform_on_account, wishes), return_exceptions=True
    )
    refused = [type(one) for one in outcomes if isinstance(one, BaseException)]
    (opened,) = [one for one in outcomes if not isinstance(one, BaseException)]
    assert refused == [AlreadyExists] * 9
    assert await rig.store.account_of(caller("ann")) == opened


@dataclass(frozen=True)
class Meanwhile:
    """Opening an account, while somebody else tries to open it under another address."""

    rig: Rig
    opening: OpenAccount
    others: list[Future[BaseException | None]] = field(default_factory=list)

    @property
    def account_id(self) -> AccountId:
        return self.opening.account_id

    def decide(self, known: Account | None, now: datetime) -> AccountDecision[Account]:
        if not self.others:
            self.others.append(meanwhile(self.open_elsewhere))
            wait(self.others, timeout=0.5)
        return self.opening.decide(known, now)

    async def open_elsewhere(self) -> None:
        async with self.rig.elsewhere() as there:
            await there.perform_on_account(replace(self.opening, email="other@example.org"))


async def test_an_account_that_somebody_opens_meanwhile_is_not_opened_over_it(rig: Rig) -> None:
    slow = Meanwhile(rig, opening("ann"))
    outcomes = await asyncio.gather(rig.store.perform_on_account(slow), return_exceptions=True)
    others = [await asyncio.wrap_future(other) for other in slow.others]
    refused = [type(one) for one in (*outcomes, *others) if isinstance(one, BaseException)]
    assert refused == [AlreadyExists]


async def test_accounts_can_be_looked_up_while_others_are_opened(rig: Rig) -> None:
    await do(rig, opening("ann"))
    _, found = await asyncio.gather(
        asyncio.gather(*(rig.store.perform_on_account(opening(f"bob{n}")) for n in range(30))),
        asyncio.gather(*(rig.store.account_by_email("ann@example.org") for _ in range(30))),
    )
    assert {one and one.id for one in found} == {account("ann")}


REFUSED: Final[dict[str, tuple[AccountCommand[object], type[Refusal]]]] = {
    "an account that is there": (opening("ann", "other@example.org"), AlreadyExists),
    "an address that is taken": (opening("cem", "ann@example.org"), EmailTaken),
    "no account to sign in to": (signing_in("zoe"), WrongCredentials),
    "no session to end": (signing_out("ann", "tablet"), SessionEnded),
    "another's session to end": (signing_out("ann", "laptop"), SessionEnded),
    "no session to refresh": (showing("tablet", "tablet"), SessionEnded),
    "another's session to look after": (ending_on("phone", "laptop"), ThingNotFound),
    "no token to revoke": (revoking("bot"), ThingNotFound),
    "another password to change": (changing("guessed"), WrongCredentials),
    "an address that bob has": (moving("bob@example.org"), EmailTaken),
    "a name without a session": (replace(moving(None), by=session("tablet")), SessionEnded),
    "another's session to refresh": (showing("laptop", "laptop"), SessionEnded),
}


@pytest.mark.parametrize("why", REFUSED)
async def test_a_refused_command_on_an_account_leaves_every_byte_as_it_was(
    rig: Rig, why: str
) -> None:
    command, refusal = REFUSED[why]
    await sign_in_everybody(rig)
    before = rig.dump()
    with pytest.raises(refusal):
        await rig.store.perform_on_account(command)
    assert rig.dump() == before


# ── Refresh tokens ───────────────────────────────────────────────────────────────────────────────


async def test_a_token_that_many_show_at_once_is_replaced_once_and_all_get_the_same_child(
    rig: Rig,
) -> None:
    await sign_in_everybody(rig)
    answers = await asyncio.gather(
        *(rig.store.perform_on_account(showing("phone")) for _ in range(10))
    )
    (phone,) = (await rig.store.account_of(on("phone"))).sessions
    assert sorted(answer.name for answer in answers) == ["REPEATED"] * 9 + ["ROTATED"]
    assert (phone.refresh, phone.parent, phone.ended) == ("phone'", "phone", False)


async def test_a_session_that_a_copied_token_ended_stays_ended(rig: Rig) -> None:
    await sign_in_everybody(rig)
    await do(rig, showing("phone"), showing("phone'"))
    assert await rig.store.perform_on_account(showing("phone")) is Rotation.REVOKED
    with pytest.raises(SessionEnded):
        await rig.store.perform_on_account(showing("phone''"))
    with pytest.raises(SessionEnded):
        await rig.store.account_of(on("phone"))


async def test_refreshing_keeps_a_session_alive(rig: Rig) -> None:
    await sign_in_everybody(rig)
    rig.clock.turn(days=29)
    await do(rig, showing("phone"))
    rig.clock.turn(days=29)
    assert (await rig.store.account_of(on("phone"))).id == account("ann")


async def test_of_twenty_who_refresh_at_once_at_most_one_line_lives(rig: Rig) -> None:
    """A hundred sessions, each token shown twenty times at once, half of them in another process;
    then all that came of it is shown again: whatever happened, no session has two good tokens.
    """
    await do(rig, opening("ann"))
    devices = [f"device {number}" for number in range(100)]
    for device in devices:
        await do(rig, signing_in("ann", device))
    async with rig.elsewhere() as there:
        for device in devices:
            outcomes = await asyncio.gather(
                *(
                    store.perform_on_account(showing(device, device))
                    for store in (rig.store, there)
                    for _ in range(10)
                )
            )
            assert sorted(one.name for one in outcomes) == ["REPEATED"] * 19 + ["ROTATED"]
            if device.endswith("7"):
                await do(rig, showing(f"{device}'", device), showing(device, device))
    ann = await rig.store.account_of(caller("ann"))
    for one, device in zip(ann.sessions, devices, strict=True):
        assert one.refresh == f"{device}'" + ("'" if one.ended else "")
        assert one.ended is device.endswith("7")


# ── Personal tokens, and the account itself ──────────────────────────────────────────────────────


def with_a(token: str, name: str = "ann") -> Caller:
    """The account called `name`, by one of its personal tokens."""
    return Caller(account(name), token_id(token))


async def test_a_token_is_found_as_it_was_issued(rig: Rig) -> None:
    await sign_in_everybody(rig)
    issued = await rig.store.perform_on_account(issuing())
    assert await rig.store.personal_token(account("ann"), token_id("bot")) == issued
    assert (await rig.store.account_of(on("phone"))).tokens == (issued,)
    assert await rig.store.personal_token(account("bob"), token_id("bot")) is None
    assert await rig.store.personal_token(account("ann"), token_id("other")) is None


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_caller_with_a_token_is_answered(rig: Rig, question: str) -> None:
    await seat_everybody(rig)
    await sign_in_everybody(rig)
    await do(rig, issuing())
    assert await QUESTIONS[question](rig.store, with_a("bot")) is not None
    with pytest.raises(SessionEnded):
        await QUESTIONS[question](rig.store, with_a("bot", "bob"))


ENDS_TOKENS: Final[dict[str, AccountCommand[object]]] = {
    "revoked": revoking(),
    "signed out everywhere": ENDING_ALL,
    "password changed": changing(),
    "account deleted": DELETING,
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("why", [*ENDS_TOKENS, "expired"])
async def test_a_caller_whose_token_is_over_is_refused(rig: Rig, why: str, question: str) -> None:
    await seat_everybody(rig)
    await sign_in_everybody(rig)
    await do(rig, issuing())
    rig.clock.turn(days=30 if why == "expired" else 0)
    await do(rig, *([ENDS_TOKENS[why]] if why in ENDS_TOKENS else []))
    with pytest.raises(SessionEnded):
        await QUESTIONS[question](rig.store, with_a("bot"))


async def test_an_account_is_read_as_it_was_changed(rig: Rig) -> None:
    await sign_in_everybody(rig)
    moved = await rig.store.perform_on_account(moving("anna@example.org"))
    assert (moved.name, moved.email, moved.version) == ("Anna", "anna@example.org", 2)
    assert await rig.store.account_by_email("anna@example.org") == moved
    assert await rig.store.account_by_email("ann@example.org") is None


async def test_a_new_password_ends_every_session(rig: Rig) -> None:
    await sign_in_everybody(rig)
    await do(rig, signing_in("ann", "desk"), changing())
    for device in ("phone", "desk"):
        with pytest.raises(SessionEnded):
            await rig.store.account_of(on(device))
    found = await rig.store.account_of(caller("ann"))
    assert (found.password_hash, found.sessions) == ("new hash", ())


async def test_a_deleted_account_leaves_its_address_to_others(rig: Rig) -> None:
    await sign_in_everybody(rig)
    await do(rig, issuing(), DELETING)
    assert await rig.store.account_by_email("ann@example.org") is None
    assert await rig.store.personal_token(account("ann"), token_id("bot")) is None
    assert (await rig.store.account_of(on("laptop", "bob"))).id == account("bob")
    await do(rig, opening("eve", "ann@example.org"))


# ── Callers whose session is over ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_caller_who_is_signed_in_is_answered(rig: Rig, question: str) -> None:
    await seat_everybody(rig)
    await sign_in_everybody(rig)
    assert await QUESTIONS[question](rig.store, on("phone")) is not None


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_caller_who_has_signed_out_is_refused(rig: Rig, question: str) -> None:
    await seat_everybody(rig)
    await sign_in_everybody(rig)
    await do(rig, signing_out("ann", "phone"))
    before = rig.dump()
    with pytest.raises(SessionEnded):
        await QUESTIONS[question](rig.store, on("phone"))
    assert rig.dump() == before


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_caller_whose_session_has_expired_is_refused(rig: Rig, question: str) -> None:
    await seat_everybody(rig)
    await sign_in_everybody(rig)
    rig.clock.turn(days=30)
    before = rig.dump()
    with pytest.raises(SessionEnded):
        await QUESTIONS[question](rig.store, on("phone"))
    assert rig.dump() == before


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("device", ["laptop", "tablet"], ids=["of another", "of nobody"])
async def test_a_caller_with_a_session_that_is_not_theirs_is_refused(
    rig: Rig, device: str, question: str
) -> None:
    await seat_everybody(rig)
    await sign_in_everybody(rig)
    with pytest.raises(SessionEnded):
        await QUESTIONS[question](rig.store, on(device))


@pytest.mark.parametrize("question", [*READS, *WRITES])
async def test_who_is_signed_out_is_not_told_whether_there_is_such_a_group(
    rig: Rig, question: str
) -> None:
    ask = QUESTIONS[question]
    no_such_group = await refusal_of(ask(rig.store, on("phone")))
    await seat_everybody(rig)
    assert await refusal_of(ask(rig.store, on("phone"))) == no_such_group


async def test_who_has_signed_out_does_not_get_a_sealed_answer_again(rig: Rig) -> None:
    await seat_everybody(rig)
    await sign_in_everybody(rig)
    taxi, who = expense("Taxi"), on("phone")
    await rig.store.perform_once(taxi, caller=who, receipt=receipt())
    await do(rig, signing_out("ann", "phone"))
    with pytest.raises(SessionEnded):
        await rig.store.perform_once(taxi, caller=who, receipt=receipt())


async def test_who_signs_in_again_gets_the_sealed_answer_of_the_session_before(rig: Rig) -> None:
    await seat_everybody(rig)
    await sign_in_everybody(rig)
    taxi = expense("Taxi")
    first = await rig.store.perform_once(taxi, caller=on("phone"), receipt=receipt())
    await do(rig, signing_out("ann", "phone"), signing_in("ann", "desk"))
    again = await rig.store.perform_once(taxi, caller=on("desk"), receipt=receipt())
    assert again == replace(first, replayed=True)
    assert len(await journal(rig)) == 6
