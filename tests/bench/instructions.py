"""Instructions: how many Postgres needs to record an expense, counted and not timed.

    make bench-instructions

A busy machine makes every clock uncertain; a count stays the same to one in a thousand. The store
records expenses split by six, one by one as the route does, and Postgres runs under valgrind
(callgrind), which counts what each backend does outside of the kernel. Two backends record some and
many expenses; told is the difference, so that neither connecting nor planning counts. Beside it
stands the bare CTE of `make bench`, and below it what the parts of an expense took, each with all
that it called.

An instruction is not a time: what waits for memory takes longer than what does not, and reading
text is told for more than it takes.
"""

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias
from uuid import uuid4

import psycopg
from psycopg import AsyncConnection

from clearsplit_core.ports import Caller, StoreOptions
from clearsplit_core.records import AccountId, ExpenseId, SessionId
from clearsplit_pg.embedded import EmbeddedPostgres, _binary, _disguise, _environment
from clearsplit_pg.schema import migrate
from clearsplit_pg.store import open_store
from tests.bench.serving import limits
from tests.bench.serving.groups import Seeded, recording, twin
from tests.bench.serving.load import children
from tests.machine import machine
from tests.tools import asked, run

SOME, MANY = 60, 260
"""Expenses that the two backends record."""
BEFORE: Final = 100
"""Expenses that the group has before."""
WAIT_S_MAX: Final = 120
SETTLED_S: Final = 3
"""Seconds until a server that answers has started all processes of its own."""
PARTS: Final = (
    "ExecutorStart",
    "ExecConstraints",
    "RI_FKey_check_ins",
    "InputFunctionCall",
    "ExecCheckIndexConstraints",
    "ExecInsertIndexTuples",
    "ExecLockRows",
    "XLogInsert",
    "CommitTransaction",
)
"""Functions of Postgres that are told by themselves; some stand inside others."""
SESSION: Final = """
with account as (
    insert into accounts (account_id, email, name, password_hash, version, created_at)
    values (%(account_id)s, 'ana@example.org', 'Ana', '', 1, now())
)
insert into sessions (session_id, account_id, refresh, started_at, rotated_at, expires_at, ended)
values (%(session_id)s, %(account_id)s, '', now(), now(), now() + interval '1 day', false)
"""

Recording: TypeAlias = Callable[[str, int], Coroutine[None, None, None]]
"""So many expenses are recorded, over one connection to that URL."""
Counts: TypeAlias = Mapping[str, int]
"""Instructions by function, with all that it called; and of all, under ALL."""
Count: TypeAlias = Callable[[Recording, int], Counts]
"""What the backend did that recorded so many expenses."""
ALL: Final = "PROGRAM TOTALS"


def main() -> int:
    parser = asked("tests.bench.instructions", __doc__)
    parser.parse_args()
    if not shutil.which("valgrind"):
        parser.exit(2, "valgrind is not there; on Debian: apt install valgrind.\n")
    with tempfile.TemporaryDirectory(prefix="clearsplit-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder) / "data")
        with postgres:
            migrate(postgres.url)
            print(machine(postgres.url))
            with psycopg.connect(postgres.url, autocommit=True) as database:
                database.execute(limits.TABLES.encode())
            caller = _signed_in(postgres.url)
            group = asyncio.run(_filled(postgres.url, caller))
        out = Path(folder) / "counts"
        out.mkdir()
        with _counting(postgres, out) as count:
            expense = _above(count, _expenses(caller, group))
            cte = _above(count, _bare)
    print(f"\n{'instructions of one':34}{'thousands':>12}{'of an expense':>16}")
    _line("bare CTE", cte[ALL], expense[ALL])
    _line("recorded expense", expense[ALL], expense[ALL])
    for part in PARTS:
        _line(f"  {part}", expense[part], expense[ALL])
    return 0


def _line(name: str, count: int, whole: int) -> None:
    each = count / (MANY - SOME)
    print(f"{name:34}{each / 1_000:>12,.1f}{100 * count / whole:>14.0f} %")


def _signed_in(url: str) -> Caller:
    caller = Caller(AccountId(uuid4()), SessionId(uuid4()))
    ids = {"account_id": caller.account_id, "session_id": caller.session_id}
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(SESSION.encode(), ids)
    return caller


async def _filled(url: str, caller: Caller) -> Seeded:
    async with open_store(url, lambda: datetime.now(UTC), StoreOptions()) as store:
        return await twin(store, caller, BEFORE)


def _expenses(caller: Caller, group: Seeded) -> Recording:
    async def record(url: str, count: int) -> None:
        one = StoreOptions(connections_min=1, connections_max=1, unsafe=True)
        async with open_store(url, lambda: datetime.now(UTC), one) as store:
            for _ in range(count):
                command, receipt = recording(group, ExpenseId(uuid4()), uuid4().hex)
                await store.perform_once(command, caller=caller, receipt=receipt)

    return record


async def _bare(url: str, count: int) -> None:
    shares = {"title": "Dinner", "amount": 6_000, "share": 1_000, "members": limits.MEMBERS}
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(count):
            await connection.execute(limits.INSERT.encode(), shares | {"id": uuid4()})


# ── Counting ─────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _counting(postgres: EmbeddedPostgres, out: Path) -> Generator[Count]:
    """The server runs under valgrind, each of whose processes tells what it counted when it ends.

    Nothing is done now and then (checkpoints, vacuum), and what it writes may be lost.
    """
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(postgres._socket_dir),
        "autovacuum": "off",
        "checkpoint_timeout": "1h",
        "fsync": "off",
        "full_page_writes": "off",
    }
    command = [
        *_disguise(),
        *("valgrind", "--tool=callgrind", "--trace-children=yes", "--quiet"),
        f"--callgrind-out-file={out}/%p",
        *(str(_binary("postgres")), "-D", str(postgres._cluster)),
        *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
    ]
    postgres._socket_dir.mkdir(exist_ok=True)
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=_environment(), stdout=quiet, stderr=quiet) as server:
        try:
            _wait_until(postgres._answers)
            time.sleep(SETTLED_S)
            own = set(children(server.pid))

            def count(record: Recording, expenses: int) -> Counts:
                before = set(out.iterdir())
                asyncio.run(record(postgres.url, expenses))
                _wait_until(lambda: own.issuperset(children(server.pid)))
                return _by_function(max(set(out.iterdir()) - before, key=_total))

            yield count
        finally:
            server.terminate()


def _above(count: Count, record: Recording) -> Counts:
    """What MANY take above SOME."""
    some, many = (count(record, expenses) for expenses in (SOME, MANY))
    return {name: many.get(name, 0) - some.get(name, 0) for name in (ALL, *PARTS)}


def _total(file: Path) -> int:
    found = re.search(r"^(?:summary|totals): (\d+)", file.read_text(errors="replace"), re.MULTILINE)
    return int(found[1]) if found else 0


def _by_function(file: Path) -> Counts:
    annotate = ("callgrind_annotate", "--inclusive=yes", "--threshold=100", str(file))
    said = subprocess.run(annotate, capture_output=True, text=True, check=True).stdout
    counts: dict[str, int] = {}
    for number, name in re.findall(r"^\s*([\d,]+) \([^)]*\)\s+(.+)$", said, re.MULTILINE):
        function = name.split(":")[-1].split(" [")[0].split("'")[0].strip()
        counts[function] = max(counts.get(function, 0), int(number.replace(",", "")))
    return counts


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S_MAX
    while not holds():
        assert time.monotonic() < deadline, "Postgres did not do it in time"
        time.sleep(0.2)


if __name__ == "__main__":
    run(main)
