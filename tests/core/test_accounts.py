"""Accounts: e-mail addresses in one form, and refresh tokens of which only the youngest is good."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clearsplit_core.accounts import (
    EMAIL_MAX,
    REPEAT_S,
    SESSIONS_MAX,
    TOKENS_MAX,
    ChangePassword,
    DeleteAccount,
    EndEverySession,
    EndSession,
    IssueToken,
    OpenAccount,
    RenewHash,
    ResetPassword,
    ReviseAccount,
    RevokeToken,
    RotateSession,
    Rotation,
    StartSession,
    normal_email,
)
from clearsplit_core.errors import (
    AlreadyExists,
    BadEmail,
    BadText,
    SessionEnded,
    ThingNotFound,
    TooManyTokens,
    WrongCredentials,
)
from clearsplit_core.ports import AccountCommand, AccountDecision
from clearsplit_core.records import Account, Scope, Session
from tests.literals import NOON, account, session, token_id

MONTH: Final = timedelta(days=30)
SECOND: Final = timedelta(seconds=1)

OPEN: Final = OpenAccount(
    account_id=account("ann"), email="Ann@Example.org", name="Ann", password_hash="$2b$…"
)


def kept(decision: AccountDecision[object]) -> Account:
    """The account that a decision leaves."""
    assert decision.account is not None
    return decision.account


ANN: Final = kept(OPEN.decide(None, NOON))


def child_of(token: str) -> str:
    """The token that follows `token`, always the same one."""
    return f"{token}'"


def signed_in(device: str = "phone", at: datetime = NOON, into: Account = ANN) -> Account:
    start = StartSession(
        account_id=into.id,
        session_id=session(device),
        password_hash=into.password_hash,
        refresh=device,
        lifetime=MONTH,
    )
    return kept(start.decide(into, at))


def show(token: str, device: str = "phone") -> RotateSession:
    return RotateSession(
        account_id=account("ann"),
        session_id=session(device),
        presented=token,
        child=child_of(token),
        lifetime=MONTH,
    )


def end(device: str, by: str = "") -> EndSession:
    return EndSession(
        account_id=account("ann"), by=session(by or device), session_id=session(device)
    )


def the_session(of: Account, device: str = "phone") -> Session:
    found = of.session(session(device))
    assert found is not None
    return found


# ── Opening one ──────────────────────────────────────────────────────────────────────────────────


def test_an_account_is_opened_under_its_normal_address() -> None:
    assert (
        Account(
            id=account("ann"),
            email="ann@example.org",
            name="Ann",
            password_hash="$2b$…",
            version=1,
            created_at=NOON,
            sessions=(),
        )
        == ANN
    )


def test_an_account_is_opened_once() -> None:
    with pytest.raises(AlreadyExists):
        OPEN.decide(ANN, NOON)


@pytest.mark.parametrize("name", ["", " ", "a" * 101, "two\nlines"])
def test_an_account_has_a_name_that_can_be_shown(name: str) -> None:
    with pytest.raises(BadText):
        replace(OPEN, name=name)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("ann@example.org", "ann@example.org"),
        ("Ann@EXAMPLE.org", "ann@example.org"),
        ("ＡＮＮ@example.org", "ann@example.org"),  # noqa: RUF001
        ("a.n+n@example.co.uk", "a.n+n@example.co.uk"),
        ("ann@localhost", "ann@localhost"),
        ("Ł@Łódź.pl", "ł@łódź.pl"),
        ("STRASSE@x.org", "strasse@x.org"),
        ("straße@x.org", "strasse@x.org"),
        ("e\u0301@x.org", "é@x.org"),
    ],
)
def test_an_address_has_one_normal_form(written: str, normal: str) -> None:
    assert normal_email(written) == normal


@given(st.text("aAßẞſıİǅΐΫᾳϔᾂΣς\u0301\u0307\u0308\u0345", min_size=1, max_size=6))  # noqa: RUF001
def test_the_normal_form_of_a_normal_form_is_itself(local: str) -> None:
    once = normal_email(f"{local}@example.org")
    assert normal_email(once) == once


@pytest.mark.parametrize("local", ["éß\u0301", "ᾳ\u0301", "\u0345ΐ", "ϔ\u0301"])
def test_folding_the_case_leaves_nothing_to_compose(local: str) -> None:
    once = normal_email(f"{local}@example.org")
    assert normal_email(once) == once


@pytest.mark.parametrize(
    "written",
    [
        "", "ann", "@", "ann@", "@example.org", "a@b@c", "ann @example.org", "ann@example..org",
        "ann@.org", "ann@example.", "ann\n@example.org", "ann\x00@example.org", "ann@exa\u2028mple",
        "ann\u202e@example.org", "ann\u200b@example.org", "ann\x85@example.org", "\ud800@x.org",
        "a" * EMAIL_MAX + "@x.org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(BadEmail):
        normal_email(written)


def test_an_address_may_be_as_long_as_mail_allows() -> None:
    longest = "a" * (EMAIL_MAX - len("@x.org")) + "@x.org"
    assert normal_email(longest) == longest
    with pytest.raises(BadEmail):
        normal_email(f"a{longest}")


# ── Signing in and out ───────────────────────────────────────────────────────────────────────────


def test_a_session_is_live_until_the_moment_it_expires() -> None:
    phone = the_session(signed_in())
    assert phone.live_at(NOON)
    assert phone.live_at(NOON + MONTH - SECOND)
    assert not phone.live_at(NOON + MONTH)


def test_signing_in_on_one_device_leaves_the_others_signed_in() -> None:
    both = signed_in("laptop", into=signed_in("phone"))
    assert (the_session(both, "phone").ended, the_session(both, "laptop").ended) == (False, False)


def test_signing_in_once_too_often_ends_the_oldest_session() -> None:
    full = ANN
    for number in range(SESSIONS_MAX):
        full = signed_in(f"device {number}", into=full)
    assert full.session(session("device 0")) is not None

    over = signed_in("one more", into=full)

    assert over.session(session("device 0")) is None
    assert over.session(session("device 1")) is not None
    assert len(over.sessions) == SESSIONS_MAX


def test_signing_in_forgets_the_sessions_that_are_over() -> None:
    later = signed_in("laptop", at=NOON + MONTH, into=signed_in("phone"))
    assert [known.id for known in later.sessions] == [session("laptop")]


def test_nobody_signs_in_to_an_account_that_is_not_there() -> None:
    start = StartSession(
        account_id=account("zoe"),
        session_id=session("phone"),
        password_hash="$2b$…",
        refresh="r",
        lifetime=MONTH,
    )
    with pytest.raises(WrongCredentials):
        start.decide(None, NOON)


def test_signing_out_ends_one_session_and_no_other() -> None:
    both = signed_in("laptop", into=signed_in("phone"))
    out = kept(end("phone").decide(both, NOON))
    assert not the_session(out, "phone").live_at(NOON)
    assert the_session(out, "laptop").live_at(NOON)


@pytest.mark.parametrize("of", [None, ANN, signed_in("laptop")])
def test_a_session_that_is_not_there_cannot_be_ended_or_refreshed(of: Account | None) -> None:
    with pytest.raises(SessionEnded):
        end("phone").decide(of, NOON)
    with pytest.raises(SessionEnded):
        show("phone").decide(of, NOON)


def test_a_session_that_is_over_cannot_be_ended_or_refreshed() -> None:
    with pytest.raises(SessionEnded):
        show("phone").decide(signed_in(), NOON + MONTH)
    with pytest.raises(SessionEnded):
        end("phone").decide(signed_in(), NOON + MONTH)


def test_another_session_can_be_ended_and_one_that_is_not_there_is_not_found() -> None:
    both = signed_in("laptop", into=signed_in("phone"))
    out = kept(end("laptop", by="phone").decide(both, NOON))
    assert not the_session(out, "laptop").live_at(NOON)
    for gone in (out, signed_in("phone")):
        with pytest.raises(ThingNotFound):
            end("laptop", by="phone").decide(gone, NOON)


def test_signing_out_everywhere_leaves_no_session_and_no_token() -> None:
    both = with_token(signed_in("laptop", into=signed_in("phone")))
    out = kept(EndEverySession(account_id=ANN.id, by=session("phone")).decide(both, NOON))
    assert (out.sessions, out.tokens) == ((), ())


# ── Personal tokens ──────────────────────────────────────────────────────────────────────────────


def issue(name: str = "backup", by: str = "phone") -> IssueToken:
    return IssueToken(
        account_id=ANN.id,
        by=session(by),
        token_id=token_id(name),
        name=name,
        scope=Scope.READ,
        digest=f"digest of {name}",
        lifetime=MONTH,
    )


def revoke(name: str, by: str = "phone") -> RevokeToken:
    return RevokeToken(account_id=ANN.id, by=session(by), token_id=token_id(name))


def with_token(into: Account, name: str = "backup", at: datetime = NOON) -> Account:
    return kept(issue(name).decide(into, at))


def test_a_token_lets_in_until_it_expires() -> None:
    ann = with_token(signed_in())
    assert ann.lets_in(token_id("backup"), NOON + MONTH - SECOND)
    assert not ann.lets_in(token_id("backup"), NOON + MONTH)
    assert not ann.lets_in(token_id("other"), NOON)


def test_a_token_that_is_revoked_lets_nobody_in_and_the_others_stay() -> None:
    two = with_token(with_token(signed_in(), "bot"))
    left = kept(revoke("bot").decide(two, NOON))
    assert not left.lets_in(token_id("bot"), NOON)
    assert left.lets_in(token_id("backup"), NOON)
    with pytest.raises(ThingNotFound):
        revoke("bot").decide(left, NOON)


def test_an_account_has_so_many_tokens_and_those_that_expired_do_not_count() -> None:
    full = signed_in()
    for number in range(TOKENS_MAX):
        full = with_token(full, f"bot {number}")
    with pytest.raises(TooManyTokens):
        issue().decide(full, NOON + MONTH - SECOND)
    later = signed_in("laptop", at=NOON + MONTH, into=full)
    assert len(kept(issue(by="laptop").decide(later, NOON + MONTH)).tokens) == 1


@pytest.mark.parametrize("name", ["", "a" * 101, "two\nlines"])
def test_a_token_has_a_name_that_can_be_shown(name: str) -> None:
    with pytest.raises(BadText):
        issue(name)


# ── The account itself ───────────────────────────────────────────────────────────────────────────


def change(*, by: str = "phone", found: str = ANN.password_hash) -> ChangePassword:
    return ChangePassword(
        account_id=ANN.id, by=session(by), password_hash=found, new_hash="new hash"
    )


def test_a_name_is_changed_and_everything_else_stays() -> None:
    ann = signed_in()
    revised = kept(
        ReviseAccount(account_id=ANN.id, by=session("phone"), name="Anna").decide(ann, NOON)
    )
    assert revised == replace(ann, name="Anna", version=2)


def test_an_address_is_changed_by_whoever_knows_the_password() -> None:
    move = ReviseAccount(account_id=ANN.id, by=session("phone"), email="Anna@Example.org")
    for known in (None, "another hash"):
        with pytest.raises(WrongCredentials):
            replace(move, password_hash=known).decide(signed_in(), NOON)
    moved = kept(replace(move, password_hash=ANN.password_hash).decide(signed_in(), NOON))
    assert (moved.email, moved.version) == ("anna@example.org", 2)


def test_a_new_password_ends_all_that_was_reached_with_the_old_one() -> None:
    ann = with_token(signed_in("laptop", into=signed_in("phone")))
    changed = kept(change().decide(ann, NOON))
    reset = kept(ResetPassword(account_id=ANN.id, new_hash="new hash").decide(ann, NOON))
    assert changed == reset == replace(ANN, password_hash="new hash", version=2)


def test_a_password_that_was_changed_meanwhile_opens_nothing() -> None:
    changed = signed_in("desk", into=replace(ANN, password_hash="new hash"))
    stale = (
        StartSession(
            account_id=ANN.id,
            session_id=session("laptop"),
            password_hash=ANN.password_hash,
            refresh="r",
            lifetime=MONTH,
        ),
        change(by="desk"),
        RenewHash(account_id=ANN.id, password_hash=ANN.password_hash, new_hash="newer"),
    )
    for command in stale:
        with pytest.raises(WrongCredentials):
            command.decide(changed, NOON)


def test_a_hash_made_anew_ends_nothing() -> None:
    ann = with_token(signed_in())
    renew = RenewHash(account_id=ANN.id, password_hash=ANN.password_hash, new_hash="costlier")
    assert kept(renew.decide(ann, NOON)) == replace(ann, password_hash="costlier")


def test_nobody_resets_the_password_of_an_account_that_is_not_there() -> None:
    with pytest.raises(ThingNotFound):
        ResetPassword(account_id=ANN.id, new_hash="new hash").decide(None, NOON)


def test_a_deleted_account_is_gone() -> None:
    delete = DeleteAccount(account_id=ANN.id, by=session("phone"))
    assert delete.decide(signed_in(), NOON).account is None


BY_A_SESSION: Final[dict[str, AccountCommand[object]]] = {
    "end": end("laptop", by="phone"),
    "end all": EndEverySession(account_id=ANN.id, by=session("phone")),
    "issue": issue(),
    "revoke": revoke("backup"),
    "rename": ReviseAccount(account_id=ANN.id, by=session("phone"), name="Anna"),
    "change": change(),
    "delete": DeleteAccount(account_id=ANN.id, by=session("phone")),
}


@pytest.mark.parametrize("what", BY_A_SESSION)
@pytest.mark.parametrize("of", ["nobody", "no session", "another", "ended", "expired"])
def test_whoever_is_not_signed_in_changes_nothing(what: str, of: str) -> None:
    found: dict[str, tuple[Account | None, datetime]] = {
        "nobody": (None, NOON),
        "no session": (ANN, NOON),
        "another": (signed_in("laptop"), NOON),
        "ended": (kept(end("phone").decide(with_token(signed_in()), NOON)), NOON),
        "expired": (with_token(signed_in()), NOON + MONTH),
    }
    with pytest.raises(SessionEnded):
        BY_A_SESSION[what].decide(*found[of])


def test_a_personal_token_is_no_session() -> None:
    ann = with_token(signed_in())
    for command in BY_A_SESSION.values():
        as_a_token = replace(command, by=token_id("backup"))  # type: ignore[type-var]
        with pytest.raises(SessionEnded):
            as_a_token.decide(ann, NOON)


# ── Refresh tokens ───────────────────────────────────────────────────────────────────────────────


def test_a_good_token_is_replaced_and_the_session_lives_on() -> None:
    later = NOON + timedelta(days=29)
    decision = show("phone").decide(signed_in(), later)
    phone = the_session(kept(decision))
    assert decision.answer is Rotation.ROTATED
    assert (phone.refresh, phone.parent) == ("phone'", "phone")
    assert (phone.rotated_at, phone.expires_at) == (later, later + MONTH)


@pytest.mark.parametrize("seconds", [0, REPEAT_S])
def test_a_token_shown_again_at_once_gets_the_same_child(seconds: int) -> None:
    rotated = kept(show("phone").decide(signed_in(), NOON))
    decision = show("phone").decide(rotated, NOON + timedelta(seconds=seconds))
    assert (decision.answer, decision.account) == (Rotation.REPEATED, rotated)


def test_a_token_shown_again_later_ends_the_session() -> None:
    rotated = kept(show("phone").decide(signed_in(), NOON))
    late = NOON + timedelta(seconds=REPEAT_S, microseconds=1)
    decision = show("phone").decide(rotated, late)
    assert decision.answer is Rotation.REVOKED
    assert the_session(kept(decision)).ended


@pytest.mark.parametrize("stolen", ["phone", "laptop", ""], ids=["grandparent", "other", "none"])
def test_any_other_token_ends_the_session_and_nothing_is_good_any_more(stolen: str) -> None:
    once = kept(show("phone").decide(signed_in(), NOON))
    twice = kept(show("phone'").decide(once, NOON))

    revoked = show(stolen).decide(twice, NOON)

    assert revoked.answer is Rotation.REVOKED
    with pytest.raises(SessionEnded):
        show("phone''").decide(revoked.account, NOON)


def test_a_token_shown_again_with_another_child_ends_the_session() -> None:
    rotated = kept(show("phone").decide(signed_in(), NOON))
    decision = replace(show("phone"), child="forged").decide(rotated, NOON)
    assert decision.answer is Rotation.REVOKED


def test_a_stolen_token_ends_its_own_session_alone() -> None:
    both = signed_in("laptop", into=signed_in("phone"))
    revoked = kept(show("stolen", "phone").decide(both, NOON))
    assert the_session(revoked, "laptop").live_at(NOON)


@given(st.lists(st.floats(0, 2 * REPEAT_S), min_size=20, max_size=20))
def test_of_many_who_show_one_token_at_most_one_line_lives(
    after_s: list[float],
) -> None:
    """Twenty answers, each used at once by whoever got it: thieves and owners alike."""
    now = signed_in()
    for seconds in sorted(after_s):
        at = NOON + timedelta(seconds=seconds)
        for token in ("phone", "phone'"):
            try:
                now = kept(show(token).decide(now, at))
            except SessionEnded:
                continue
    good = [token for token in ("phone", "phone'", "phone''") if _rotates(now, token)]
    assert len(good) <= 1


def _rotates(of: Account, token: str) -> bool:
    try:
        return show(token).decide(of, NOON + MONTH / 2).answer is Rotation.ROTATED
    except SessionEnded:
        return False


class Rotations(RuleBasedStateMachine):
    """Anybody shows any token at any time; at most one token is good, and none after a theft."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.account = ANN
        self.tokens: list[str] = []
        self.stolen = False

    @initialize()
    def sign_in(self) -> None:
        self.account = signed_in()
        self.tokens = ["phone"]

    @rule(seconds=st.sampled_from([0, 1, REPEAT_S, REPEAT_S + 1, 3600]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: not self.stolen)
    @rule()
    def show_the_youngest(self) -> None:
        assert self.shown(self.tokens[-1]) is Rotation.ROTATED
        self.tokens.append(child_of(self.tokens[-1]))

    @precondition(lambda self: not self.stolen and len(self.tokens) > 1)
    @rule()
    def show_the_parent(self) -> None:
        soon = self.now - the_session(self.account).rotated_at <= timedelta(seconds=REPEAT_S)
        answer = self.shown(self.tokens[-2])
        assert answer is (Rotation.REPEATED if soon else Rotation.REVOKED)
        self.stolen = not soon

    @precondition(lambda self: not self.stolen and len(self.tokens) > 2)
    @rule(data=st.data())
    def show_an_ancestor(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.tokens[:-2]))
        assert self.shown(old) is Rotation.REVOKED
        self.stolen = True

    @precondition(lambda self: self.stolen)
    @rule(data=st.data())
    def show_any_after_a_theft(self, data: st.DataObject) -> None:
        with pytest.raises(SessionEnded):
            self.shown(data.draw(st.sampled_from(self.tokens)))

    @invariant()
    def at_most_the_youngest_is_good(self) -> None:
        good = [token for token in self.tokens if self.would_rotate(token)]
        assert good == ([] if self.stolen else self.tokens[-1:])

    def shown(self, token: str) -> Rotation:
        decision = show(token).decide(self.account, self.now)
        self.account = kept(decision)
        return decision.answer

    def would_rotate(self, token: str) -> bool:
        try:
            return show(token).decide(self.account, self.now).answer is Rotation.ROTATED
        except SessionEnded:
            return False


TestRotations = Rotations.TestCase
TestRotations.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
