"""The bench: what a request costs, beside the least it could cost and beside a peer. `make bench`.

One run on one machine and one Postgres with durable writes: every case in turn, and all of them
again, so that what the machine does meanwhile meets each of them. Figures are medians over the
rounds; ratios are taken within a round. Exit 0 if every target was met.
"""

import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg

from clearsplit_pg.embedded import EmbeddedPostgres
from clearsplit_pg.heads import KNOWN_MAX
from tests.bench.serving import limits
from tests.bench.serving.groups import Founder, Seeded, seed, to_record, twins
from tests.bench.serving.load import (
    CONNECTIONS,
    Case,
    Measured,
    measured,
    no_wrk,
    rss_bytes,
    wait_for,
)
from tests.bench.serving.peer import Peer, peer
from tests.bench.serving.pgbench import CTE, SELECT, Ran, Script, ran
from tests.bench.serving.recorded import recorded
from tests.drill.servers import free_port, postgres, served
from tests.machine import machine
from tests.tools import asked, at_least_one, run

ROUNDS: Final = 9
ROUND_S: Final = 2
SETTINGS: Final = {"RATE_LIMIT_SIGNUP": "0", "LOG_LEVEL": "warning"}
CALM: Final = [f"calm {number}" for number in range(50)]
"""Groups among which writes are spread, so that they seldom wait for one another."""
GROUPS: Final = {
    "6 x 1,000": (6, 1_000),
    "30 x 10": (30, 10),
    "30 x 10,000": (30, 10_000),
    "revised": (6, 20_000),
    **dict.fromkeys(CALM, (6, 0)),
}
"""Members and expenses of each group that is asked about."""
MANY: Final = KNOWN_MAX + 50
"""Groups of which a worker never knows the one that is next: it was forgotten meanwhile."""
MEMORY_REQUESTS: Final = 200_000
MEMORY_BYTES_MAX: Final = 5_000_000


@dataclass(frozen=True)
class Target:
    """A ratio that is promised: of `ours` to `other`, at least or at most that."""

    what: str
    ours: str
    other: str
    of: Callable[[Measured], float]
    least: float | None = None
    most: float | None = None

    def met(self, ratio: float) -> bool:
        return (self.least is None or ratio >= self.least) and (
            self.most is None or ratio <= self.most
        )


def _per_s(one: Measured) -> float:
    return one.per_s


TARGETS: Final = (
    Target("balances to one SELECT", "balances 6 x 1,000", "Litestar, one SELECT", _per_s, 0.75),
    Target(
        "CPU of a GET to one SELECT",
        "balances 6 x 1,000",
        "Litestar, one SELECT",
        lambda one: one.server_s,
        most=1.35,
    ),
    Target("30 x 10,000 to 30 x 10", "balances 30 x 10,000", "balances 30 x 10", _per_s, 0.95),
    Target("record to one CTE", "record, split by 6", "Litestar, one CTE", _per_s, 0.35),
    Target("record to ihatemoney", "record, split by 6", "ihatemoney, create", _per_s, 6),
    Target("6 x 1,000 to ihatemoney", "balances 6 x 1,000", "ihatemoney, 6 x 1,000", _per_s, 100),
    Target(
        "30 x 10,000 to ihatemoney",
        "balances 30 x 10,000",
        "ihatemoney, 30 x 10,000",
        _per_s,
        1_000,
    ),
)


@dataclass
class Bench:
    """What is measured, and what it came to, round by round."""

    database: EmbeddedPostgres
    folder: Path
    counted: int = ROUNDS
    """Rounds after the one that warms up."""
    cases: list[Callable[[], Case]] = field(default_factory=list)
    rounds: dict[str, list[Measured]] = field(default_factory=dict)
    scripts: dict[str, Script] = field(default_factory=dict)
    pgbench: dict[str, list[Ran]] = field(default_factory=dict)

    @property
    def database_pid(self) -> int:
        (pid_file,) = self.database.data_dir.glob("postgres-*/postmaster.pid")
        return int(pid_file.read_text().split()[0])

    def add(self, case: Callable[[], Case]) -> None:
        """A case, made anew for each round: keys and things are used once."""
        self.cases.append(case)

    def round(self, seconds: int) -> None:
        for make in self.cases:
            case = make()
            one = measured(case, self.database_pid, seconds)
            assert not one.failed, f"{case.name}: {one.failed} requests were refused"
            self.rounds.setdefault(case.name, []).append(one)
        for name, script in self.scripts.items():
            run = ran(script, self.database.url, self.database_pid, self.folder, seconds=seconds)
            self.pgbench.setdefault(name, []).append(run)

    def file(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content)
        return str(path)


# ── The servers ──────────────────────────────────────────────────────────────────────────────────


@contextmanager
def bare(what: str, database_url: str) -> Generator[tuple[str, int]]:
    """One of the limits: its URL and its process."""
    port = free_port()
    command = (sys.executable, "-m", limits.__name__, what, str(port), database_url)
    process = subprocess.Popen(command)
    try:
        wait_for(f"http://127.0.0.1:{port}/hello")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def ours(database_url: str, workers: int) -> Generator[tuple[str, int]]:
    with served(database_url, workers, SETTINGS) as server:
        assert server.process is not None
        yield server.url, server.process.pid


# ── The cases ────────────────────────────────────────────────────────────────────────────────────


def add_limits(
    bench: Bench, uvicorn: tuple[str, int], litestar: tuple[str, int], group: Seeded
) -> None:
    body = bench.file("inserts", '/insert\t{"amount_minor": 6000}\n')
    url, pid = litestar
    bench.add(lambda: Case("uvicorn", f"{uvicorn[0]}/hello", [uvicorn[1]]))
    bench.add(lambda: Case("Litestar", f"{url}/hello", [pid]))
    bench.add(lambda: Case("Litestar, one SELECT", f"{url}/select/{group.id}", [pid]))
    bench.add(
        lambda: Case("Litestar, one CTE", url, [pid], script="post.lua", arguments=[body, "k"])
    )


def add_ours(
    bench: Bench,
    founder: Founder,
    server: tuple[str, int],
    groups: Mapping[str, Seeded],
    many: Sequence[Seeded],
    suffix: str = "",
) -> None:
    url, pid = server
    small, large = groups["6 x 1,000"], groups["30 x 10,000"]

    def reads(name: str, path: str, connections: int = CONNECTIONS) -> None:
        headers = founder.authorization
        case = Case(name + suffix, url + path, [pid], headers, connections=connections)
        bench.add(lambda: case)

    def records(name: str, into: Sequence[Seeded]) -> None:
        file = bench.file(name, "".join(map(_to_record, into)))

        def case() -> Case:
            arguments = [file, uuid4().hex]
            return Case(name + suffix, url, [pid], founder.authorization, "post.lua", arguments)

        bench.add(case)

    reads("balances 6 x 1,000", f"/groups/{small.id}/balances")
    records("record, split by 6", [groups[name] for name in CALM])
    if suffix:
        return
    reads("balances 30 x 10", f"/groups/{groups['30 x 10'].id}/balances")
    reads("balances 30 x 10,000", f"/groups/{large.id}/balances")
    records("record, group not known", many)
    records("record, all in one group", [groups[CALM[0]]])
    reads("an expense by id", f"/groups/{small.id}/expenses/{small.expenses[0]}")
    reads("a page of 50 expenses", f"/groups/{large.id}/expenses?limit=50")
    # Solved once in each worker and then remembered; `make bench-core` has what solving costs.
    reads("settle preview again, 6", f"/groups/{small.id}/settlements/preview", 4)
    reads("settle preview again, 30", f"/groups/{large.id}/settlements/preview", 4)
    _add_revise(bench, founder, server, groups["revised"])


def _to_record(group: Seeded) -> str:
    """A line for post.lua: an expense of that group, split among all of its members."""
    return f"/groups/{group.id}/expenses\t{json.dumps(to_record(group))}\n"


def _add_revise(bench: Bench, founder: Founder, server: tuple[str, int], group: Seeded) -> None:
    body = bench.file("revise.json", '{"amount_minor": 4200}')
    left = list(group.expenses)

    def case() -> Case:
        """Each round takes expenses that no round before it has corrected."""
        part = len(group.expenses) // (bench.counted + 1)
        ids = bench.file("ids", "\n".join(map(str, left[:part])))
        del left[:part]
        path = f"/groups/{group.id}/expenses/"
        arguments = [body, uuid4().hex, ids, path]
        headers = founder.authorization
        return Case("revise", server[0], [server[1]], headers, "revise.lua", arguments)

    bench.add(case)


def add_peer(bench: Bench, other: Peer, database_url: str) -> None:
    small = other.project(database_url, "small", 6, 1_000)
    large = other.project(database_url, "large", 30, 10_000)
    bill = {
        "date": "2026-01-31",
        "what": "Dinner",
        "payer": small.members[0],
        "payed_for": small.members,
        "amount": "60.00",
    }
    path = small.url.removeprefix(other.url)
    body = bench.file("bills", f"{path}/bills\t{json.dumps(bill)}\n")
    for project, size, once in ((small, "6 x 1,000", False), (large, "30 x 10,000", True)):
        url = f"{project.url}/statistics"
        case = Case(
            f"ihatemoney, {size}", url, [other.pid], project.headers, connections=4, once=once
        )
        bench.add(partial(_itself, case))
    bench.add(
        lambda: Case(
            "ihatemoney, create",
            other.url,
            [other.pid],
            small.headers,
            "post.lua",
            [body, "k"],
        )
    )


def _itself(case: Case) -> Case:
    return case


# ── Running and telling ──────────────────────────────────────────────────────────────────────────


def main() -> int:
    parser = asked("tests.bench.serving", __doc__)
    parser.add_argument("--rounds", type=at_least_one, default=ROUNDS, help="how often each case")
    parser.add_argument("--seconds", type=at_least_one, default=ROUND_S, help="of each round")
    parser.add_argument("--no-peer", action="store_true", help="without ihatemoney")
    parser.add_argument("--memory", action="store_true", help="200,000 requests to one worker")
    chosen = parser.parse_args()
    if reason := no_wrk():
        parser.exit(2, f"{reason}\n")
    with ExitStack() as stack:
        database = stack.enter_context(postgres())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clearsplit-bench-")))
        bench = Bench(database, folder, chosen.rounds)
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(limits.TABLES.encode())
            connection.execute("create database ihatemoney")
        server = stack.enter_context(ours(database.url, 1))
        founder = Founder.at(server[0])
        print("filling the groups", file=sys.stderr)
        groups = asyncio.run(seed(founder, database.url, GROUPS))
        if chosen.memory:
            print(machine(database.url))
            return _memory(founder, server, groups["6 x 1,000"])
        many = asyncio.run(twins(founder, database.url, MANY))
        two = stack.enter_context(ours(database.url, 2))
        uvicorn = stack.enter_context(bare("uvicorn", database.url))
        litestar = stack.enter_context(bare("litestar", database.url))
        add_limits(bench, uvicorn, litestar, groups["6 x 1,000"])
        add_ours(bench, founder, server, groups, many)
        add_ours(bench, founder, two, groups, many, ", 2 workers")
        if not chosen.no_peer:
            theirs = database.url.replace("/postgres?", "/ihatemoney?")
            add_peer(bench, stack.enter_context(peer(theirs)), theirs)
        bench.scripts = {
            "pgbench, the SELECT": SELECT,
            "pgbench, the CTE": CTE,
            "pgbench, an expense recorded": asyncio.run(recorded(database.url, founder.caller)),
        }
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("vacuum analyze")
        for number in range(bench.counted + 1):  # the first one warms up, and does not count
            print(f"round {number} of {bench.counted}", file=sys.stderr)
            bench.round(chosen.seconds if number else 1)
        return _tell(bench)


def _tell(bench: Bench) -> int:
    print(machine(bench.database.url))
    heads = ("p50 ms", "p99 ms", "server µs", "database µs")
    print(f"{'':28}{'requests/s':>11} {'(spread)':>19}" + "".join(f"{head:>12}" for head in heads))
    for name, rounds in bench.rounds.items():
        kept = rounds[1:]
        columns = (
            _with_spread([one.per_s for one in kept]),
            f"{_median(kept, lambda one: one.p50_ms):>12.1f}",
            f"{_median(kept, lambda one: one.p99_ms):>12.1f}",
            f"{1e6 * _median(kept, lambda one: one.server_s):>12,.0f}",
            f"{1e6 * _median(kept, lambda one: one.database_s):>12,.0f}",
        )
        print(f"{name:28}{''.join(columns)}")
    for name, found in bench.pgbench.items():
        per_s = _with_spread([run.per_s for run in found[1:]])
        database_us = 1e6 * statistics.median(run.database_s for run in found[1:])
        print(f"{name:28}{per_s}{'':>36}{database_us:>12,.0f}")
    print()
    verdicts = [_told(bench, target) for target in TARGETS]
    met, left_out = verdicts.count(True), verdicts.count(None)
    print(f"{met} of {len(TARGETS)} targets were met, {left_out} not measured")
    return 1 if False in verdicts else 0


def _told(bench: Bench, target: Target) -> bool | None:
    """Whether it was met; None if it could not be measured here."""
    if target.other not in bench.rounds:
        print(f"{target.what:28}{'not measured':>13}  (there was no {target.other})")
        return None
    ratios = [
        target.of(one) / target.of(other)
        for one, other in zip(
            bench.rounds[target.ours][1:], bench.rounds[target.other][1:], strict=True
        )
    ]
    ratio = statistics.median(ratios)
    wanted = f"at least {target.least}" if target.least else f"at most {target.most}"
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    verdict = "" if target.met(ratio) else "  NOT MET"
    print(f"{target.what:28}{ratio:>13,.2f}  ({spread}; wanted {wanted}){verdict}")
    return target.met(ratio)


def _with_spread(figures: Sequence[float]) -> str:
    """The median, the least and the most."""
    spread = f"({min(figures):,.0f} to {max(figures):,.0f})"
    return f"{statistics.median(figures):>11,.0f} {spread:>19}"


def _median(rounds: Sequence[Measured], of: Callable[[Measured], float]) -> float:
    return statistics.median(map(of, rounds))


def _memory(founder: Founder, server: tuple[str, int], group: Seeded) -> int:
    """One worker holds no more after 200,000 requests than after the first of them."""
    url = f"{server[0]}/groups/{group.id}/balances"
    (header,) = (f"{name}: {value}" for name, value in founder.authorization.items())
    asked = ["wrk", "-t1", f"-c{CONNECTIONS}", "-H", header]
    counts, sizes = 0, list[int]()
    while counts < MEMORY_REQUESTS:
        said = subprocess.run([*asked, "-d10s", url], capture_output=True, text=True, check=True)
        found = re.search(r"(\d+) requests in", said.stdout)
        assert found, said.stdout
        counts += int(found[1])
        sizes.append(rss_bytes(server[1]))
        print(f"after {counts:>9,} requests {sizes[-1] / 1e6:.1f} MB")
    grown = sizes[-1] - sizes[0]
    print(f"grown by {grown / 1e6:.1f} MB (wanted: at most {MEMORY_BYTES_MAX / 1e6:.0f})")
    return int(grown > MEMORY_BYTES_MAX)


if __name__ == "__main__":
    run(main)
