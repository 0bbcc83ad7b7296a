"""The drill of a lost machine: the primary is killed under load, its synchronous standby goes on.

Two machines with a line of 10 ms between them, and five kills -9: the second as soon as the pair is
whole again, the others at random moments. Each time the standby is promoted, the server finds it
by itself, and the old primary is made its standby (pg_rewind). Kept if no acknowledged write is
lost, none is done twice by clients that ask again with the same key, and the server is never
restarted.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from clearsplit_pg.embedded import EmbeddedPostgres
from tests.bank.audit import hold
from tests.bank.clients import SETTINGS, WORKERS, Bank, opened, run_beside
from tests.drill.clusters import asked, cluster_in, killed, ordered, socket_in, tool
from tests.drill.line import Line, line
from tests.drill.servers import Served, migrate, served
from tests.drill.told import Told
from tests.networked import Server
from tests.postgres import with_database

OPS_MAX: Final = 50_000
"""More than there will be time for."""
PAUSE_S: Final = (1.0, 3.0)
"""Seconds of load before a kill, at least and at most."""
CUT_S: Final = 0.05
"""Seconds for which a primary that is about to be lost is alone already."""
PATIENCE_S: Final = 60
DATABASE: Final = "ledger"
RELOAD: Final = "select pg_reload_conf()"
KEEPING: Final = (
    "alter system set wal_keep_size = '1GB'",
    "alter system set wal_retrieve_retry_interval = '200ms'",
    RELOAD,
)
CONFIRMED_BY_BOTH: Final = ("alter system set synchronous_standby_names = '*'", RELOAD)
CONFIRMED_BY_ONE: Final = ("alter system set synchronous_standby_names = ''", RELOAD)
PROMOTE: Final = "select pg_promote()"
FROM_HERE_ON: Final = ("checkpoint", "select pg_logical_emit_message(true, 'clearsplit', 'here')")
"""sync_state tells what is set, not that commits wait already. They do when the checkpointer has
read the setting, which it does before a checkpoint; and when this message, a commit like any other,
is confirmed, the standby has all that was before it."""
STREAMING: Final = "select count(*) from pg_stat_replication where state = 'streaming'"
SYNCHRONOUS: Final = "select count(*) from pg_stat_replication where sync_state = 'sync'"


@dataclass
class Machine:
    """A Postgres, and the line on which its standby hears of it."""

    server: Server
    line: Line

    @property
    def postgres(self) -> EmbeddedPostgres:
        assert self.server.running is not None, "it is down"
        return self.server.running

    @property
    def url(self) -> str:
        """The ledger, as the superuser has it."""
        return with_database(self.postgres.url, DATABASE)

    @property
    def conninfo(self) -> str:
        """Where its standby finds it."""
        return f"host=127.0.0.1 port={self.line.port} user=clearsplit dbname=postgres"


@dataclass
class Pair:
    """Two machines. At any time one of them is the primary."""

    primary: Machine
    standby: Machine

    @property
    def url(self) -> str:
        """For the server: both, and whichever takes writes."""
        both = f"{self.primary.server.address}:5432,{self.standby.server.address}:5432"
        login = self.primary.server.login
        return f"postgresql://{login}@{both}/{DATABASE}?target_session_attrs=read-write"

    def found(self) -> None:
        """A primary with an empty ledger, and its standby, from a base backup."""
        primary, standby = self.primary, self.standby
        primary.server.start()
        primary.server.make_owner()
        ordered(primary.postgres.url, f"create database {DATABASE} owner owner", *KEEPING)
        migrate(f"{primary.server.url}/{DATABASE}")
        standby.server.folder.mkdir(mode=0o700)
        tool(
            "pg_basebackup",
            *("--dbname", primary.conninfo, "--pgdata", str(cluster_in(standby.server.folder))),
            *("--checkpoint=fast", "--write-recovery-conf"),
        )
        self.follow()

    def follow(self) -> None:
        """The standby runs, and nothing is confirmed any more that it does not have."""
        self.standby.server.start()
        _until(lambda: asked(self.primary.postgres.url, STREAMING) == "1")
        ordered(self.primary.postgres.url, *CONFIRMED_BY_BOTH)
        _until(lambda: asked(self.primary.postgres.url, SYNCHRONOUS) == "1")
        ordered(self.primary.postgres.url, *FROM_HERE_ON)

    def lose_the_primary(self) -> None:
        """Its line goes first, with what was under way on it; then all of it, by kill -9."""
        self.primary.line.cut()
        time.sleep(CUT_S)
        killed(self.primary.postgres)
        self.primary.server.stop()

    def promote(self) -> None:
        """The standby is the primary, and waits for nobody until it has a standby itself."""
        ordered(self.standby.postgres.url, *CONFIRMED_BY_ONE, PROMOTE)
        self.primary, self.standby = self.standby, self.primary

    def bring_back(self) -> None:
        """The machine that was lost is the standby."""
        self.standby.line.mend()
        tool(
            "pg_rewind",
            *("--target-pgdata", str(cluster_in(self.standby.server.folder))),
            *("--source-server", self.primary.conninfo, "--write-recovery-conf"),
        )
        self.follow()


def drill(told: Told, *, commit: str = "on") -> None:
    """With `commit` (synchronous_commit) `local` acknowledged writes are lost, and it goes red."""
    with tempfile.TemporaryDirectory(prefix="clearsplit-standby-") as name, ExitStack() as stack:
        machines = [_machine(stack, Path(name) / each) for each in ("a", "b")]
        pair, since = Pair(*machines), time.monotonic()
        pair.found()
        ordered(pair.primary.url, f"alter system set synchronous_commit = {commit}", RELOAD)
        told.step("a primary and its synchronous standby, from a base backup", since)
        with served(pair.url, WORKERS, SETTINGS) as server:
            asyncio.run(_under_load(told, pair, server))
        told.verify(pair.primary.url)


def _machine(stack: ExitStack, folder: Path) -> Machine:
    server = Server(folder)
    stack.callback(server.stop)
    return Machine(server, stack.enter_context(line(socket_in(folder))))


async def _under_load(told: Told, pair: Pair, server: Served) -> None:
    bank = await opened(1, OPS_MAX, server.port)
    await run_beside(bank, (0.0, partial(_fail_over_and_over, told, pair, bank)))
    await hold(told, bank, pair.primary.url)
    told.promise("the server is not restarted", held=server.runs)


def _fail_over_and_over(told: Told, pair: Pair, bank: Bank) -> None:
    for pause_s in (random.uniform(*PAUSE_S), 0.0, *(random.uniform(*PAUSE_S) for _ in range(3))):
        time.sleep(pause_s)
        _fail_over(told, pair, bank)
    time.sleep(PAUSE_S[0])
    bank.enough = True


def _fail_over(told: Told, pair: Pair, bank: Bank) -> None:
    since, done = time.monotonic(), bank.done
    pair.lose_the_primary()
    acknowledged = len(bank.acknowledged)
    pair.promote()
    promoted_s = time.monotonic() - since
    _until(lambda: len(bank.acknowledged) > acknowledged)
    again_s = time.monotonic() - since
    pair.bring_back()
    told.step(
        f"primary lost after {done} operations; standby promoted {promoted_s:.1f} s later, writing"
        f" again {again_s:.1f} s later; the lost one is back as the standby",
        since,
    )


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.02)
