"""Capacity: what so many groups need, reckoned from the figures and assumptions in docs/scaling.md.

    make capacity

The tables that follow them there are written anew. Whoever has other figures, or another idea of
how people use it, changes a number above and runs this again. A test holds the document to it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final

from tests.tools import asked, run

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "scaling.md"
BEGIN: Final = "<!-- make capacity writes from here -->\n"
END: Final = "<!-- to here -->\n"
SIZES: Final = (100_000, 1_000_000, 10_000_000, 100_000_000)
DAY_S: Final = 86_400


@dataclass(frozen=True)
class Need:
    """What so many groups come to: bytes, changes and reads a second at the peak, cores."""

    groups: int
    disk: float
    changes: float
    reads: float
    database_cores: float
    server_cores: float
    wal_a_day: float
    shards: int
    machines_by_disk: int
    machines_by_cores: int

    @property
    def machines(self) -> int:
        return max(self.machines_by_disk, self.machines_by_cores)


def told(document: str) -> dict[str, float]:
    """Every number in the tables above the part that is written, by what its row says it is."""
    above, _, _ = document.partition(BEGIN)
    rows = re.findall(r"^\| ([^|]+?) \| ([\d,.]+)(?: [^|]*)? \|", above, re.MULTILINE)
    return {name: float(number.replace(",", "")) for name, number in rows}


def need(groups: int, given: Mapping[str, float]) -> Need:
    changes_a_day = groups * given["changes of a group in a day, on average"]
    changes = changes_a_day / DAY_S * given["peak over average"]
    reads = changes * given["reads for each change"]
    changed = 1e-6 * given["CPU of Postgres, an expense recorded"]
    read = 1e-6 * given["CPU of Postgres, balances"]
    served = 1e-6 * given["CPU of a server, an expense recorded"]
    asked = 1e-6 * given["CPU of a server, balances"]
    of_a_group = given["an empty group of six"]
    of_a_group += given["expenses of a group in its life"] * given["an expense among six"]
    disk = groups * of_a_group + changes_a_day * given["an answer, kept for a day"]
    database_cores = changes * changed + reads * read
    usable = given["part of a machine that may be used"]
    return Need(
        groups=groups,
        disk=disk,
        changes=changes,
        reads=reads,
        database_cores=database_cores,
        server_cores=changes * served + reads * asked,
        wal_a_day=changes_a_day * given["WAL of an expense, right after a checkpoint"],
        shards=ceil(disk / (1e9 * given["size of a shard"])),
        machines_by_disk=ceil(disk / (1e12 * given["disk of a machine"] * usable)),
        machines_by_cores=ceil(database_cores / (given["cores of a machine"] * usable)),
    )


def tables(given: Mapping[str, float]) -> str:
    """What follows the figures: for each number of groups, and for one machine."""
    needs = [need(groups, given) for groups in SIZES]
    usable = given["part of a machine that may be used"]
    a_second = 1e6 * given["cores of a machine"] * usable
    changed = given["CPU of Postgres, an expense recorded"]
    mixed = changed + given["reads for each change"] * given["CPU of Postgres, balances"]
    alone, among_reads = a_second / changed, a_second / mixed
    cores = f"{alone:,.0f} recorded expenses a second, {among_reads:,.0f} with their reads"
    return "\n".join([*_table(needs), "", f"The cores of one machine: {cores}.", ""])


def _table(needs: Sequence[Need]) -> Iterator[str]:
    heads = [f"{each.groups:,} groups" for each in needs]
    yield "| |" + "".join(f" {head} |" for head in heads)
    yield "|---|" + "---:|" * len(heads)
    rows = {
        "disk": [_bytes(each.disk) for each in needs],
        "changes a second at the peak": [f"{each.changes:,.1f}" for each in needs],
        "reads a second at the peak": [f"{each.reads:,.0f}" for each in needs],
        "cores of Postgres at the peak": [f"{each.database_cores:,.2f}" for each in needs],
        "cores of servers at the peak": [f"{each.server_cores:,.2f}" for each in needs],
        "WAL a day, at most": [_bytes(each.wal_a_day) for each in needs],
        "shards": [f"{each.shards:,}" for each in needs],
        "changes a second in a shard": [f"{each.changes / each.shards:,.1f}" for each in needs],
        "machines for the disk": [f"{each.machines_by_disk:,}" for each in needs],
        "machines for the cores": [f"{each.machines_by_cores:,}" for each in needs],
        "**machines**": [f"**{each.machines:,}**" for each in needs],
    }
    for name, values in rows.items():
        yield f"| {name} |" + "".join(f" {value} |" for value in values)


def _bytes(size: float) -> str:
    for unit, least in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= least:
            return f"{size / least:,.1f} {unit}"
    return f"{size:,.0f} bytes"


def written(document: str) -> str:
    """The document with the tables as its figures have them."""
    above, _, rest = document.partition(BEGIN)
    _, _, below = rest.partition(END)
    return above + BEGIN + "\n" + tables(told(document)) + "\n" + END + below


def main() -> int:
    asked("tests.bench.capacity", __doc__).parse_args()
    document = DOCUMENT.read_text()
    DOCUMENT.write_text(written(document))
    print(tables(told(document)), end="")
    return 0


if __name__ == "__main__":
    run(main)
