"""Members as they stand: a seat in a group, and the invites by which accounts come to seats."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from clearsplit_core.journal import MemberId
from clearsplit_core.records.ids import AccountId, InviteId
from clearsplit_core.text import Text


class Role(StrEnum):
    """What a member may do: everything, take part, or look on."""

    OWNER = "owner"
    MEMBER = "member"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A seat in a group: linked to an account, or a guest (no account).

    The account's id is kept as a text, so that the hash chain holds no account and erasing one
    breaks nothing.
    """

    id: MemberId
    name: Text
    role: Role
    active: bool
    account: Text | None
    version: int

    @property
    def account_id(self) -> AccountId | None:
        if self.account is None or self.account.words is None:
            return None
        return AccountId(UUID(self.account.words))


class InviteState(StrEnum):
    """Whether an invite can still be accepted; one that has expired stays open in its record."""

    OPEN = "open"
    USED = "used"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """A seat offered to whoever brings the secret, which the record does not know.

    With `member_id` it is that guest's seat, history and all; without, a new one.
    """

    id: InviteId
    member_id: MemberId | None
    role: Role
    made_by: MemberId
    made_at: datetime
    expires_at: datetime
    state: InviteState
    version: int
    recorded_seq: int

    def live_at(self, now: datetime) -> bool:
        return self.state is InviteState.OPEN and now < self.expires_at
