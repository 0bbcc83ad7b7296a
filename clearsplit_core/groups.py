"""Groups: the commands and events of a group itself.

An archived group takes no entries but the one that takes it out of the archive. A deleted group
takes none until it is restored, and meanwhile only its owners see it.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from clearsplit_core.currencies import decimals
from clearsplit_core.errors import AlreadyExists, NotDeleted, VersionMismatch
from clearsplit_core.group import Event, Group, Right, append
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.keep import KEEP, Change, Keep, changed
from clearsplit_core.ports import Decision, Needs
from clearsplit_core.records import Member, Role
from clearsplit_core.text import Text, require_readable

NAME_MAX: Final = 100
"""Characters that the name of a group or a member may have."""


# ── Founding ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroup:
    """Found a group, with the caller as its first member and owner.

    Raises AlreadyExists, UnknownCurrency, BadText.
    """

    group_id: GroupId
    name: Text
    currency: str
    founder_id: MemberId
    founder_name: Text
    account_salt: bytes

    def __post_init__(self) -> None:
        decimals(self.currency)
        require_name(self.name)
        require_name(self.founder_name)

    @property
    def needs(self) -> Needs:
        return Needs(founds=True)

    def decide(self, group: Group) -> Decision[Group]:
        if group.version:
            raise AlreadyExists
        founder = Member(
            id=self.founder_id,
            name=self.founder_name,
            role=Role.OWNER,
            active=True,
            account=Text.of(str(group.caller), self.account_salt),
            version=1,
        )
        return _decided(
            GroupCreated(name=self.name, currency=self.currency, founder=founder), group
        )


@dataclass(frozen=True, kw_only=True)
class GroupCreated(Event):
    kind: ClassVar[str] = "group-created"
    name: Text
    currency: str
    founder: Member

    def evolve(self, group: Group) -> Group:
        named = replace(
            group,
            name=self.name,
            currency=self.currency,
            created_at=group.now,
            actor_id=self.founder.id,
        )
        return named.with_member(self.founder)


# ── Changing what it is ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOfGroup:
    """A wish to change a group, by an owner who has seen it in `expected_version`."""

    group_id: GroupId
    expected_version: int

    @property
    def needs(self) -> Needs:
        return Needs(names=True)

    def require_seen(self, group: Group) -> None:
        """Raises ThingNotFound, InsufficientRole, VersionMismatch."""
        group.require(Right.MANAGE)
        if group.version != self.expected_version:
            raise VersionMismatch(version=group.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseGroup(ChangeOfGroup):
    """Rename a group, put it into the archive or take it out, or choose how it settles.

    Raises ThingNotFound, InsufficientRole, VersionMismatch, BadText, GroupArchived, GroupDeleted.
    """

    name: Change[Text] = KEEP
    archived: Change[bool] = KEEP
    simplify: Change[bool] = KEEP
    payments_need_confirmation: Change[bool] = KEEP

    def __post_init__(self) -> None:
        if not isinstance(self.name, Keep):
            require_name(self.name)

    def decide(self, group: Group) -> Decision[Group]:
        self.require_seen(group)
        event = GroupRevised(
            name=changed(group.name, self.name),
            archived=changed(group.archived, self.archived),
            simplify=changed(group.simplify, self.simplify),
            payments_need_confirmation=changed(
                group.payments_need_confirmation, self.payments_need_confirmation
            ),
        )
        return _decided(event, group)


@dataclass(frozen=True, kw_only=True)
class GroupRevised(Event):
    kind: ClassVar[str] = "group-revised"
    name: Text
    archived: bool
    simplify: bool
    payments_need_confirmation: bool

    def require_fit(self, group: Group) -> None:
        """In an archived group this happens only where it takes the group out of the archive."""
        replace(group, archived=group.archived and self.archived).require_open()

    def evolve(self, group: Group) -> Group:
        return replace(
            group,
            name=self.name,
            archived=self.archived,
            simplify=self.simplify,
            payments_need_confirmation=self.payments_need_confirmation,
            version=group.version + 1,
        )


# ── Deleting and restoring ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteGroup(ChangeOfGroup):
    """Only owners see the group from now on, and may restore it. Nothing in it is lost.

    Raises ThingNotFound, InsufficientRole, VersionMismatch, GroupArchived, GroupDeleted.
    """

    def decide(self, group: Group) -> Decision[Group]:
        self.require_seen(group)
        return _decided(GroupDeleted(), group)


@dataclass(frozen=True, kw_only=True)
class GroupDeleted(Event):
    kind: ClassVar[str] = "group-deleted"

    def evolve(self, group: Group) -> Group:
        return replace(group, deleted=True, version=group.version + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreGroup(ChangeOfGroup):
    """Everybody sees a deleted group again, as it was.

    Raises ThingNotFound, InsufficientRole, VersionMismatch, NotDeleted.
    """

    def decide(self, group: Group) -> Decision[Group]:
        self.require_seen(group)
        return _decided(GroupRestored(), group)


@dataclass(frozen=True, kw_only=True)
class GroupRestored(Event):
    kind: ClassVar[str] = "group-restored"

    def require_fit(self, group: Group) -> None:
        """Only a deleted group can be restored. Raises NotDeleted."""
        if not group.deleted:
            raise NotDeleted

    def evolve(self, group: Group) -> Group:
        return replace(group, deleted=False, version=group.version + 1)


# ── What they share ──────────────────────────────────────────────────────────────────────────────


def _decided(event: Event, group: Group) -> Decision[Group]:
    """Answered is the group as it is from then on."""
    return Decision((event,), append(group, event)[0])


def require_name(name: Text) -> None:
    """A name of a group or a member can be shown on one line. Raises BadText."""
    require_readable(name.words or "", field="/name", characters_max=NAME_MAX, lines=False)
