"""Load: wrk at concurrency 20, and what each side spent on a request meanwhile."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import httpx

CONNECTIONS: Final = 20
PATIENCE_S: Final = 300
TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
FOLDER: Final = Path(__file__).parent

Counts: TypeAlias = tuple[int, float, float, float, int]
"""Requests, how many a second, milliseconds within which half and 99 % were answered, refusals."""


@dataclass(frozen=True)
class Measured:
    """One round. CPU in seconds for one request, of all processes of each side."""

    per_s: float
    p50_ms: float
    p99_ms: float
    server_s: float
    database_s: float
    failed: int


@dataclass(frozen=True)
class Case:
    """What is asked of whom. `script` is wrk's, with its `arguments`; without one it is a GET."""

    name: str
    url: str
    pids: Sequence[int]
    headers: Mapping[str, str] = field(default_factory=dict)
    script: str = ""
    arguments: Sequence[str] = ()
    connections: int = CONNECTIONS
    once: bool = False
    """One request a round, for what takes seconds."""


def no_wrk() -> str:
    """Why nothing can be measured here, if nothing can."""
    return "" if shutil.which("wrk") else "wrk is missing; tests/install.sh installs it on Debian"


def measured(case: Case, database_pid: int, seconds: int) -> Measured:
    """A round of that many seconds."""
    server = [pid for each in case.pids for pid in (each, *children(each))]
    before = _cpu_s(server), database_cpu_s(database_pid)
    counts = _once(case) if case.once else _wrk(case, seconds)
    if not counts[0] and not case.script:
        counts = _once(case)  # however long it takes: a busy machine is no reason to end the bench
    requests, per_s, p50_ms, p99_ms, failed = counts
    assert requests, f"{case.name}: no answer within {seconds} s"
    after = _cpu_s(server), database_cpu_s(database_pid)
    return Measured(
        per_s=per_s,
        p50_ms=p50_ms,
        p99_ms=p99_ms,
        server_s=(after[0] - before[0]) / requests,
        database_s=(after[1] - before[1]) / requests,
        failed=failed,
    )


def database_cpu_s(pid: int) -> float:
    """Seconds of CPU that Postgres has used so far, all of its processes."""
    return _cpu_s([pid, *children(pid)])


def _once(case: Case) -> Counts:
    began = time.perf_counter()
    answer = httpx.get(case.url, headers=dict(case.headers), timeout=PATIENCE_S)
    seconds = time.perf_counter() - began
    return 1, 1 / seconds, 1e3 * seconds, 1e3 * seconds, int(not answer.is_success)


def _wrk(case: Case, seconds: int) -> Counts:
    command = ["wrk", "-t1", f"-c{case.connections}", f"-d{seconds}s", "--latency"]
    for name, value in case.headers.items():
        command += ["-H", f"{name}: {value}"]
    if case.script:
        command += ["-s", str(FOLDER / case.script)]
    command += [case.url, *(["--", *case.arguments] if case.arguments else [])]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return (
        int(_found(r"(\d+) requests in", said)),
        float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        _ms(_found(r"\n +50% +(\S+)", said)),
        _ms(_found(r"\n +99% +(\S+)", said)),
        int(failed[1]) if failed else 0,
    )


def children(pid: int) -> list[int]:
    """Every process below that one; none of one that has just ended."""
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [each for child in map(int, told) for each in (child, *children(child))]


def _cpu_s(pids: Iterable[int]) -> float:
    """Seconds of CPU that they used, those of their ended children included."""
    return sum(_ticks(pid) for pid in pids) * TICK_S


def _ticks(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return sum(int(field) for field in stat.rpartition(")")[2].split()[11:15])


def wait_for(url: str, *, seconds: float = 60) -> None:
    """Somebody answers there."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            httpx.get(url)
        except httpx.TransportError:
            assert time.monotonic() < deadline, f"nobody answers at {url}"
            time.sleep(0.1)
        else:
            return


def rss_bytes(pid: int) -> int:
    """What the process holds in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _found(pattern: str, said: str) -> str:
    found = re.search(pattern, said)
    assert found, said
    return found[1]


def _ms(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]  # wrk's own form
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]
