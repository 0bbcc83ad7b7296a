"""The machine: what stands at the head of every table of measurements, or they could not be read.

python -m tests.machine
"""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

from clearsplit_pg.embedded import _binary

ROOT: Final = Path(__file__).parent.parent


def machine(database_url: str | None = None, *, brought: bool = False) -> str:
    """When and of which commit; on what; with which Python and, if there is one, which Postgres.

    `brought`: the one that we bring along, for whoever starts several of them.
    """
    programs = [f"Python {platform.python_version()}"]
    if database_url is not None:
        with psycopg.connect(database_url) as database:
            programs.append(f"PostgreSQL {database.info.parameter_status('server_version')}")
    if brought:
        programs.append(_printed(str(_binary("postgres")), "--version"))
    memory, system = f"{_memory_gib():.0f} GiB of memory", platform.uname()
    hardware = (_processor(), f"{os.cpu_count()} cores", memory, f"load {os.getloadavg()[0]:.1f}")
    programs.append(f"{system.system} {system.release} {system.machine}")
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}"
    return "\n".join((when, ", ".join(hardware), ", ".join(programs)))


def _commit() -> str:
    """Of this checkout, and whether anything in it was changed since."""
    git = ("git", "-C", str(ROOT))
    try:
        head = _printed(*git, "rev-parse", "--short", "HEAD")
        return head + (" with changes" if _printed(*git, "status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _printed(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "an unknown processor"
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


if __name__ == "__main__":
    print(machine())
