"""`clearsplit serve` as a process: started, listened to, and ended."""

import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SECRET: Final = "a secret for the tests, long enough"
COMMAND: Final = (sys.executable, "-m", "clearsplit_http", "serve", "--port", "0")
START_S_MAX: Final = 60


def environment(**changes: str) -> dict[str, str]:
    """Ours, without what would decide about the server."""
    names = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return kept | {"BCRYPT_COST": "4"} | changes


IN_MEMORY: Final = environment(DATABASE_URL="memory:", JWT_SECRET=SECRET)


@contextmanager
def serving(
    *more: str, env: dict[str, str], own_group: bool = False
) -> Generator[tuple[subprocess.Popen[str], str]]:
    """The process once it serves, and what it said until then."""
    process = subprocess.Popen(
        [*COMMAND, *more],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=own_group,
    )
    try:
        yield process, _words(process)
    finally:
        process.kill()
        process.communicate()


def _words(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, f"it ended: {said}"
        said += line
    return said


def address(said: str) -> str:
    found = re.search(r"http://[\d.]+:\d+", said)
    assert found
    return found[0]


def refused(*more: str, env: dict[str, str]) -> str:
    """What the server says when it cannot start: a sentence or a list, no traceback, exit 1."""
    done = subprocess.run(
        [*COMMAND, *more], env=env, capture_output=True, text=True, timeout=START_S_MAX, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    first, *others = done.stderr.splitlines()
    assert first.startswith("clearsplit serve: ")
    assert all(line.startswith("  ") for line in others)
    return done.stderr


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
