"""Examples for the OpenAPI document: sent in this order to an empty server, every one works.

The ids are chosen by the client, as any client may, so that the later ones can name the earlier.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final
from uuid import UUID, uuid5

import msgspec

from clearsplit_core.plain import Plain

GROUP: Final = "01990a5e-7c00-7a11-8000-000000000001"
BO: Final = "01990a5e-7c00-7a11-8000-000000000002"
CY: Final = "01990a5e-7c00-7a11-8000-000000000003"
EXPENSE: Final = "01990a5e-7c00-7a11-8000-000000000004"
PAYMENT: Final = "01990a5e-7c00-7a11-8000-000000000005"
INVITE: Final = "01990a5e-7c00-7a11-8000-000000000006"
INVITE_TOKEN: Final = "csi_AZkKXnwAehGAAAAAAAAAAQGZCl58AHoRgAAAAAAAAAY" + 43 * "A"
SETTLEMENT: Final = "01990a5e-7c00-7a11-8000-000000000007"
TRANSFER: Final = str(uuid5(UUID(SETTLEMENT), "0"))
COMMENT: Final = "01990a5e-7c00-7a11-8000-00000000000c"
SESSION: Final = "01990a5e-7c00-7a11-8000-0000000000fe"
PERSONAL: Final = "01990a5e-7c00-7a11-8000-0000000000fd"

IDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "group_id": GROUP,
        "member_id": BO,
        "expense_id": EXPENSE,
        "payment_id": PAYMENT,
        "invite_id": INVITE,
        "token": INVITE_TOKEN,
        "settlement_id": SETTLEMENT,
        "transfer_id": TRANSFER,
        "comment_id": COMMENT,
        "session_id": SESSION,
        "token_id": PERSONAL,
    }
)

_PASSWORD: Final = "correct horse battery staple"  # noqa: S105
_DINNER: Final[Plain] = {
    "id": EXPENSE,
    "title": "Dinner",
    "amount_minor": 10000,
    "currency": "EUR",
    "date": "2026-05-17",
    "paid_by": BO,
    "split": {"kind": "equal", "members": [BO, CY]},
}


def _expense(title: str, amount_minor: int, split: Plain) -> Plain:
    return {
        "title": title,
        "amount_minor": amount_minor,
        "currency": "EUR",
        "date": "2026-05-18",
        "paid_by": BO,
        "split": split,
    }


BODIES: Final[Mapping[str, Mapping[str, Plain]]] = MappingProxyType(
    {
        "signup": {"ana": {"email": "ana@example.org", "password": _PASSWORD, "name": "Ana"}},
        "login": {"ana": {"email": "ana@example.org", "password": _PASSWORD}},
        "revise_me": {
            "name": {"name": "Ana Lima"},
            "address": {"email": "ana@example.org", "current_password": _PASSWORD},
        },
        "change_password": {
            "another": {"current_password": _PASSWORD, "new_password": "nine lives have cats"}
        },
        "issue_token": {"backup": {"name": "Backup", "scope": "read", "expires_in_days": 30}},
        "create_group": {"lisbon": {"id": GROUP, "name": "Lisbon", "currency": "EUR"}},
        "revise_group": {
            "another name": {"name": "Lisbon in May"},
            "into the archive": {"archived": True},
            "out of the archive": {"archived": False},
        },
        "add_guest": {
            "bo": {"id": BO, "name": "Bo"},
            "cy": {"id": CY, "name": "Cy", "role": "member"},
        },
        "revise_member": {
            "another name": {"name": "Bo Chen"},
            "another role": {"role": "viewer"},
            "back again": {"role": "member", "active": True},
        },
        "make_invite": {
            "for cy": {"id": INVITE, "member_id": CY, "role": "member", "expires_in_days": 14},
            "for somebody new": {"role": "viewer"},
        },
        "record_expense": {
            "equal": _DINNER,
            "exact": _expense(
                "Museum",
                3000,
                {
                    "kind": "exact",
                    "parts": [
                        {"member_id": BO, "amount_minor": 1200},
                        {"member_id": CY, "amount_minor": 1800},
                    ],
                },
            ),
            "percentage": _expense(
                "Flat",
                90000,
                {
                    "kind": "percentage",
                    "parts": [
                        {"member_id": BO, "percent": "33.34"},
                        {"member_id": CY, "percent": "66.66"},
                    ],
                },
            ),
            "shares": _expense(
                "Hostel",
                9000,
                {
                    "kind": "shares",
                    "parts": [{"member_id": BO, "shares": 2}, {"member_id": CY, "shares": 1}],
                },
            ),
            "adjustment": _expense(
                "Taxi",
                2500,
                {
                    "kind": "adjustment",
                    "members": [BO, CY],
                    "adjustments": [{"member_id": CY, "amount_minor": 500}],
                },
            ),
            "itemised": _expense(
                "Lunch",
                3300,
                {
                    "kind": "itemised",
                    "items": [
                        {"title": "Soup", "amount_minor": 1000, "members": [BO]},
                        {"title": "Fish", "amount_minor": 2000, "members": [BO, CY]},
                    ],
                    "tip_minor": 300,
                },
            ),
            "refund": _expense("Deposit back", -4000, {"kind": "equal", "members": [BO, CY]}),
            "several payers, with a rate": {
                "title": "Concert",
                "amount_minor": 12000,
                "currency": "USD",
                "date": "2026-05-19",
                "payers": [
                    {"member_id": BO, "amount_minor": 8000},
                    {"member_id": CY, "amount_minor": 4000},
                ],
                "split": {"kind": "equal", "members": [BO, CY]},
                "category": "culture",
                "memo": "The rate is our bank's.",
                "fx": {"rate": "0.9213", "currency": "EUR"},
            },
        },
        "add_comment": {"a question": {"id": COMMENT, "text": "Was that with the wine?"}},
        "record_payment": {
            "what is owed": {
                "id": PAYMENT,
                "from_member_id": CY,
                "to_member_id": BO,
                "amount_minor": 2000,
                "currency": "EUR",
                "date": "2026-05-20",
                "memo": "In cash.",
            },
            "more than is owed": {
                "from_member_id": BO,
                "to_member_id": CY,
                "amount_minor": 500,
                "currency": "EUR",
                "date": "2026-05-20",
                "allow_overpay": True,
            },
        },
        "confirm_payment": {"all of it": {"allow_overpay": True}},
        "void_payment": {"a mistake": {"reason": "It was another dinner."}},
        "compute_settlement": {"fewest": {"id": SETTLEMENT, "strategy": "fewest"}},
        "pay_transfer": {"in cash": {"date": "2026-05-21", "memo": "In cash."}},
        "void_settlement": {"another way": {"reason": "We pay in another way."}},
        "revise_expense": {"another amount": {"title": "Dinner and wine", "amount_minor": 12000}},
    }
)
"""Bodies by operation and by what they show."""

ANSWERS_FILE: Final = Path(__file__).parent / "data" / "answers.json"
ANSWERS: Final[Mapping[str, object]] = MappingProxyType(
    msgspec.json.decode(ANSWERS_FILE.read_bytes(), type=dict[str, object])
)
"""An answer of each operation that gives one, recorded by tests/http/test_document.py."""
