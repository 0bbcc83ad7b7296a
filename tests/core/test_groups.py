"""Groups: what they can be set to, the archive, and deleting them."""

from collections.abc import Mapping
from typing import Final

import pytest

from clearsplit_core.errors import (
    BadText,
    GroupArchived,
    GroupDeleted,
    InsufficientRole,
    NotDeleted,
    Refusal,
    ThingNotFound,
    VersionMismatch,
)
from clearsplit_core.group import Event, Right
from clearsplit_core.groups import GroupRestored, GroupRevised
from clearsplit_core.members import MemberUnlinked, UnlinkMember
from clearsplit_core.ports import Command
from clearsplit_core.records import Role
from tests.literals import (
    NOON,
    TRIP,
    Story,
    account,
    deleting,
    expense,
    founding,
    guest,
    member,
    restoring,
    seat,
    setting,
    story,
    text,
)

OPEN: Final = story(founding("ann"), seat("bob"), guest("cem"), expense("Dinner"))
"""Ann owns it, bob is a member, cem a guest; its version is 3."""
ARCHIVED: Final = OPEN.then(setting(version=3, archived=True))
DELETED: Final = OPEN.then(deleting(version=3))


# ── What it can be set to ────────────────────────────────────────────────────────────────────────


def test_unless_told_otherwise_a_group_settles_in_the_fewest_transfers() -> None:
    assert OPEN.group.simplify


def test_unless_told_otherwise_a_payment_counts_at_once() -> None:
    assert not OPEN.group.payments_need_confirmation


def test_what_a_change_leaves_out_stays_as_it_is() -> None:
    told = OPEN.then(setting(version=3, simplify=False, confirming=True)).group
    assert (told.simplify, told.payments_need_confirmation) == (False, True)
    assert (told.name, told.archived) == (OPEN.group.name, False)
    again = OPEN.then(setting(version=3, confirming=True)).then(setting(version=4, name="Oslo"))
    assert (again.group.name, again.group.payments_need_confirmation) == (text("Oslo"), True)


def test_each_change_is_a_version_and_an_entry_without_legs() -> None:
    told = OPEN.then(setting(version=3, name="Oslo")).then(deleting(version=4))
    told = told.then(restoring(version=5))
    assert (told.group.version, told.legs) == (6, OPEN.legs)
    assert [entry.postings for entry in told.entries[-3:]] == [()] * 3


def test_the_answer_is_the_group_as_it_is_from_then_on() -> None:
    before = OPEN.group.seen_by(account("ann"), NOON)
    answer = setting(version=3, name="Oslo").decide(before).answer
    assert (answer.name, answer.version, answer.head.seq) == (text("Oslo"), 4, 5)


@pytest.mark.parametrize("words", ["", "\u200b", "a" * 101, "two\nlines"])
def test_a_group_is_not_renamed_to_what_cannot_be_shown(words: str) -> None:
    with pytest.raises(BadText):
        setting(version=3, name=words)


OF_OWNERS: Final[Mapping[str, Command[object]]] = {
    "change": setting(version=3, name="Oslo"),
    "delete": deleting(version=3),
    "restore": restoring(version=3),
}


@pytest.mark.parametrize("command", OF_OWNERS.values(), ids=OF_OWNERS.keys())
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_only_owners_change_a_group(command: Command[object], role: Role) -> None:
    with pytest.raises(InsufficientRole):
        story(founding("ann"), guest("cem"), seat("bob", role)).then(command, by="bob")


@pytest.mark.parametrize("command", OF_OWNERS.values(), ids=OF_OWNERS.keys())
def test_whoever_has_not_seen_the_latest_version_changes_nothing(command: Command[object]) -> None:
    with pytest.raises(VersionMismatch) as refused:
        OPEN.then(guest("dee")).then(command)
    assert refused.value.version == 4


# ── The archive ──────────────────────────────────────────────────────────────────────────────────

CLOSED: Final[Mapping[str, tuple[Story, type[Refusal]]]] = {
    "archived": (ARCHIVED, GroupArchived),
    "deleted": (DELETED, GroupDeleted),
}
REFUSED: Final[Mapping[str, Command[object]]] = {
    "an expense": expense("Taxi"),
    "a guest": guest("dee"),
    "another name": setting(version=4, name="Oslo"),
    "the archive": setting(version=4, archived=True),
    "deleting": deleting(version=4),
}


@pytest.mark.parametrize("why", CLOSED)
@pytest.mark.parametrize("command", REFUSED.values(), ids=REFUSED.keys())
def test_a_closed_group_takes_nothing_new(command: Command[object], why: str) -> None:
    told, refusal = CLOSED[why]
    with pytest.raises(refusal):
        told.then(command)


def test_an_archived_group_is_read_by_everybody_in_it() -> None:
    assert ARCHIVED.group.seen_by(account("bob"), NOON).require(Right.READ).id == member("bob")


def test_taking_a_group_out_of_the_archive_may_change_more_of_it() -> None:
    told = ARCHIVED.then(setting(version=4, archived=False, name="Oslo")).group
    assert (told.archived, told.name) == (False, text("Oslo"))
    assert ARCHIVED.then(setting(version=4, archived=False)).then(expense("Taxi")).legs


def test_a_deleted_group_is_not_taken_out_of_an_archive() -> None:
    with pytest.raises(GroupDeleted):
        DELETED.then(setting(version=4, archived=False))


# ── Deleting and restoring ───────────────────────────────────────────────────────────────────────


def test_a_deleted_group_is_seen_by_its_owners_alone() -> None:
    assert DELETED.group.seen_by(account("ann"), NOON).require(Right.READ).id == member("ann")
    for name in ("bob", "zoe"):
        with pytest.raises(ThingNotFound):
            DELETED.group.seen_by(account(name), NOON).require(Right.READ)
        with pytest.raises(ThingNotFound):
            DELETED.then(expense("Taxi"), by=name)


def test_a_restored_group_is_as_it_was() -> None:
    told = DELETED.then(restoring(version=4))
    assert (told.group.deleted, told.group.balances) == (False, OPEN.group.balances)
    assert told.then(expense("Taxi"), by="bob").legs


def test_only_a_deleted_group_is_restored() -> None:
    with pytest.raises(NotDeleted):
        OPEN.then(restoring(version=3))
    with pytest.raises(NotDeleted):
        ARCHIVED.then(restoring(version=4))


# ── Which events may happen when ─────────────────────────────────────────────────────────────────

EXCEPTIONS: Final = (GroupRevised, GroupRestored, MemberUnlinked)


def test_every_other_event_happens_in_an_open_group_alone() -> None:
    free = {kind for kind in Event.by_kind.values() if kind.require_fit is not Event.require_fit}
    assert free == set(EXCEPTIONS)


@pytest.mark.parametrize("told", [OPEN, ARCHIVED, DELETED], ids=["open", "archived", "deleted"])
def test_an_account_leaves_a_group_whatever_became_of_it(told: Story) -> None:
    gone = told.then(UnlinkMember(group_id=TRIP), by="bob").group
    assert gone.members[member("bob")].account is None


def test_a_deleted_group_keeps_nobody_for_others_who_cannot_see_it() -> None:
    gone = DELETED.then(UnlinkMember(group_id=TRIP)).group
    assert list(gone.owners) == []
