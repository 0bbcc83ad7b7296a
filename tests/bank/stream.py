"""The stream: what fifty clients of twenty groups are going to do, decided before anybody does it.

Everything follows from a seed: ids, amounts, keys, and which requests will be sent twice. What a
run adds is only the versions that it has seen and how the servers answer, so a seed replays a run.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias
from uuid import UUID

Json: TypeAlias = dict[str, object]
Kind: TypeAlias = Literal[
    "record", "revise", "void", "restore", "pay", "unpay", "settle", "balances", "expense", "list"
]
Again: TypeAlias = Literal["never", "after", "beside"]
"""Whether the same request is sent once more: when it was answered, or at the same time."""

CLIENTS: Final = 50
GROUPS: Final = 20
GUESTS: Final = 6
AGAIN: Final = 0.10
STALE: Final = 0.05
UNNAMED: Final = 0.25
"""How many expenses get their id from the server: their key alone keeps them from coming twice."""
GIVES_UP: Final = 0.3
"""How many clients that got no answer never ask again."""
SPLITS: Final = ("equal", "equal", "exact", "percentage", "shares", "adjustment", "itemised")
CURRENCIES: Final = ("EUR", "EUR", "EUR", "USD", "JPY")
WEIGHTS: Final[dict[Kind, int]] = {
    "record": 44,
    "revise": 9,
    "void": 5,
    "restore": 3,
    "pay": 10,
    "unpay": 2,
    "settle": 2,
    "balances": 15,
    "expense": 6,
    "list": 4,
}
CHANGES: Final = frozenset({"record", "revise", "void", "restore", "pay", "unpay", "settle"})
VERSIONED: Final = frozenset({"revise", "void", "restore", "unpay"})


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What one client is going to ask.

    `thing` is the expense, payment or settlement, None where the server names it.
    """

    number: int
    kind: Kind
    group: int
    thing: UUID | None
    body: Json | None
    again: Again
    stale: bool
    gives_up: bool

    @property
    def changes(self) -> bool:
        return self.kind in CHANGES

    @property
    def key(self) -> str:
        return f"operation-{self.number}"


@dataclass(frozen=True)
class Group:
    id: UUID
    guests: Sequence[UUID]


@dataclass
class Stream:
    """`operations` by number; client n does numbers n, n + CLIENTS, …"""

    seed: int
    groups: list[Group] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """The same for the same operations."""
        return hashlib.sha256(repr((self.groups, self.operations)).encode()).hexdigest()


def stream(seed: int, count: int) -> Stream:
    """The first `count` operations of that seed."""
    luck = random.Random(seed)
    groups = [Group(_id(luck), [_id(luck) for _ in range(GUESTS)]) for _ in range(GROUPS)]
    recorded: list[list[UUID]] = [[] for _ in groups]
    paid: list[list[UUID]] = [[] for _ in groups]
    done = Stream(seed, groups)
    kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
    for number in range(count):
        place = luck.randrange(GROUPS)
        (kind,) = luck.choices(kinds, weights)
        known = paid[place] if kind == "unpay" else recorded[place]
        thing: UUID | None = None
        if kind in ("record", "pay", "settle"):
            thing = _id(luck)
        elif kind not in ("balances", "list"):
            if not known:
                kind, thing = "record", _id(luck)
            else:
                # Mostly what is new: that is where writes meet.
                thing = known[-min(len(known), 1 + int(luck.expovariate(0.2)))]
        if kind == "record" and luck.random() < UNNAMED:
            thing = None
        if kind == "record" and thing:
            recorded[place].append(thing)
        if kind == "pay" and thing:
            paid[place].append(thing)
        done.operations.append(
            Operation(
                number=number,
                kind=kind,
                group=place,
                thing=thing,
                body=_body(luck, kind, number, thing, groups[place]),
                again=luck.choice(("after", "beside")) if luck.random() < AGAIN else "never",
                stale=luck.random() < STALE,
                gives_up=luck.random() < GIVES_UP,
            )
        )
    return done


# ── Bodies ───────────────────────────────────────────────────────────────────────────────────────


def _body(
    luck: random.Random, kind: Kind, number: int, thing: UUID | None, group: Group
) -> Json | None:
    match kind:
        case "record":
            named: Json = {"id": str(thing)} if thing else {}
            return named | _terms(luck, number, group.guests)
        case "revise":
            terms = _terms(luck, number, group.guests)
            return {"title": terms["title"]} if luck.random() < 0.3 else terms
        case "pay":
            payer, payee = luck.sample(list(group.guests), 2)
            return {
                "id": str(thing),
                "from_member_id": str(payer),
                "to_member_id": str(payee),
                "amount_minor": luck.randint(1, 5_000),
                "currency": luck.choice(CURRENCIES),
                "date": "2026-02-01",
                "allow_overpay": True,
            }
        case "settle":
            return {"id": str(thing)}
        case _:
            return None


def _terms(luck: random.Random, number: int, guests: Sequence[UUID]) -> Json:
    amount = luck.randint(1, 50_000) * luck.choice((1, 1, 1, 1, 1, 1, 1, 1, 1, -1))
    members = [str(each) for each in luck.sample(list(guests), luck.randint(1, len(guests)))]
    terms: Json = {
        "title": f"Operation {number}",
        "amount_minor": amount,
        "currency": luck.choice(CURRENCIES),
        "date": f"2026-01-{luck.randint(1, 28):02}",
        "split": _split(luck, amount, members),
    }
    if luck.random() < 0.8:
        return terms | {"paid_by": str(luck.choice(guests))}
    payers = [str(each) for each in luck.sample(list(guests), 2)]
    return terms | {"payers": _parts(luck, amount, payers)}


def _split(luck: random.Random, amount: int, members: list[str]) -> Json:
    kind = luck.choice(SPLITS)
    match kind:
        case "exact":
            return {"kind": kind, "parts": _parts(luck, amount, members)}
        case "percentage":
            each = 10_000 // len(members)
            percents = [each] * (len(members) - 1) + [10_000 - each * (len(members) - 1)]
            parts = zip(members, percents, strict=True)
            return {
                "kind": kind,
                "parts": [{"member_id": m, "percent": f"{p / 100:.2f}"} for m, p in parts],
            }
        case "shares":
            parts_of = [{"member_id": m, "shares": luck.randint(1, 5)} for m in members]
            return {"kind": kind, "parts": parts_of}
        case "adjustment":
            more = abs(amount) // 10 * (1 if amount > 0 else -1)
            adjusted = [{"member_id": members[0], "amount_minor": more}]
            return {"kind": kind, "members": members, "adjustments": adjusted}
        case "itemised" if amount > 10:
            first = amount // 2
            items = [
                {"amount_minor": first, "members": members[:1]},
                {"amount_minor": amount - first - 5, "members": members},
            ]
            return {"kind": kind, "items": items, "tip_minor": 5}
        case _:
            return {"kind": "equal", "members": members}


def _parts(luck: random.Random, amount: int, members: list[str]) -> list[Json]:
    """Amounts of the same sign that sum to it; with too little for all, the last has it all."""
    sign, left = (1 if amount > 0 else -1), abs(amount)
    if left <= len(members):
        members = members[-1:]
    cuts = sorted(luck.sample(range(1, left), len(members) - 1)) if len(members) > 1 else []
    ends = [*cuts, left]
    begins = [0, *cuts]
    return [
        {"member_id": member, "amount_minor": sign * (end - begin)}
        for member, begin, end in zip(members, begins, ends, strict=True)
    ]


def _id(luck: random.Random) -> UUID:
    return UUID(int=luck.getrandbits(128), version=4)
