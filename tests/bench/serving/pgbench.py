"""pgbench: what the database does a second without any server in between."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict

from clearsplit_core.ports import StoreOptions
from clearsplit_pg.embedded import _binary
from clearsplit_pg.pool import conninfo
from tests.bench.serving.load import CONNECTIONS, database_cpu_s


@dataclass(frozen=True)
class Script:
    """What a client sends again and again; `values` by the names that stand in it as :name."""

    sql: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """One run: transactions and how many a second, and the CPU that the database spent on each."""

    transactions: int
    per_s: float
    database_s: float


SELECT: Final = Script("select seq, name, currency from groups limit 1;")
CTE: Final = Script("""
with expense as (
    insert into bare_expenses (expense_id, title, amount_minor, currency, day)
    values (gen_random_uuid(), 'Dinner', 6000, 'EUR', '2026-01-31')
    returning expense_id
)
insert into bare_shares (expense_id, member_id, share_minor)
select expense_id, gen_random_uuid(), 1000 from expense, generate_series(1, 6);
""")


def ran(
    script: Script,
    url: str,
    database_pid: int,
    folder: Path,
    *,
    seconds: int = 0,
    each: int = 1,
) -> Ran:
    """All clients at once, connected as a store is: for so long, or each so many times.

    Every transaction succeeded.
    """
    file = folder / "script.sql"
    file.write_text(script.sql)
    told = conninfo_to_dict(url)
    command = [
        str(_binary("pgbench")),
        *("--no-vacuum", "--client", str(CONNECTIONS), "--protocol", "prepared"),
        *(("--time", str(seconds)) if seconds else ("--transactions", str(each))),
        *("--define=started=0", "--file", str(file)),
        *("--host", str(told["host"]), "--username", str(told["user"])),
        *(f"--define={name}={value}" for name, value in script.values.items()),
        str(told["dbname"]),
    ]
    before = database_cpu_s(database_pid)
    done = subprocess.run(
        command, env=_environment(url), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[:2000]
    transactions = int(_found(r"actually processed: (\d+)", done.stdout))
    assert int(_found(r"failed transactions: (\d+)", done.stdout)) == 0, done.stderr[:2000]
    return Ran(
        transactions,
        float(_found(r"tps = ([\d.]+)", done.stdout)),
        (database_cpu_s(database_pid) - before) / transactions,
    )


def _environment(url: str) -> dict[str, str]:
    settings = conninfo_to_dict(conninfo(url, StoreOptions()))["options"]
    return {**os.environ, "PGOPTIONS": str(settings)}


def _found(pattern: str, said: str) -> str:
    found = re.search(pattern, said)
    assert found, said
    return found[1]
