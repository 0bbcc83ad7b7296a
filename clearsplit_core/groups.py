"""Groups: the commands and events of a group itself. So far: creating one."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from clearsplit_core.currencies import decimals
from clearsplit_core.errors import AlreadyExists
from clearsplit_core.group import Event, Group, append
from clearsplit_core.journal import GroupId, MemberId
from clearsplit_core.ports import Decision, Needs
from clearsplit_core.records import Member, Role
from clearsplit_core.text import Text, require_readable

NAME_MAX: Final = 100
"""Characters that the name of a group or a member may have."""


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
        event = GroupCreated(name=self.name, currency=self.currency, founder=founder)
        founded, _ = append(group, event)
        return Decision((event,), founded)


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


def require_name(name: Text) -> None:
    """A name of a group or a member can be shown on one line. Raises BadText."""
    require_readable(name.words or "", field="/name", characters_max=NAME_MAX, lines=False)
