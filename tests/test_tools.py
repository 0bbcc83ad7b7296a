"""The tools of `make`: they refuse to test nothing, and leave nothing behind when they are stopped.

What they find is theirs to show (`make bank-broken`, `make drill-broken`).
"""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drill.__main__ import DRILLS
from tests.drill.broken import MISTAKES

ROOT = Path(__file__).parents[1]
SLEEPER = """
import tempfile, time
from tests.tools import run

def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        print(folder, flush=True)
        time.sleep(60)
    return 0

run(main)
"""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["tests.drill", "standby", "flood"], "there is no flood; there are restarts, "),
        (["tests.drill.broken", "nothing"], "there is no nothing; there are restarts, "),
        (["tests.bank.broken", "misspelt"], "there is no misspelt; there are idempotency "),
        (["tests.bank", "--ops", "0"], "argument --ops: it must be a whole number from 1 on"),
        (["tests.bank", "--ops=-5"], "argument --ops: it must be a whole number from 1 on"),
        (["tests.simulation", "--seeds", "0"], "argument --seeds: it must be a whole number"),
        (["tests.bench.serving", "--rounds", "0"], "argument --rounds: it must be a whole number"),
    ],
)
def test_a_tool_that_would_test_nothing_refuses(words: list[str], says: str) -> None:
    done = ran(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


@pytest.mark.parametrize(
    "tool",
    ["drill", "drill.broken", "bank", "bank.broken", "simulation", "bench.serving",
     "bench.storage", "bench.capacity", "bench.core", "bench.entry_legs", "bench.signing_in",
     "bench.instructions"],
)  # fmt: skip
def test_help_says_what_to_type_and_runs_nothing(tool: str) -> None:
    done = ran(f"tests.{tool}", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: python -m tests.{tool} ")


def test_every_drill_is_shown_to_be_able_to_fail() -> None:
    assert {broken.of for broken in MISTAKES} == set(DRILLS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_tool_that_is_stopped_says_so_in_a_line_and_leaves_nothing(number: int) -> None:
    words = (sys.executable, "-c", SLEEPER)
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as tool:
        assert tool.stdout is not None
        folder = Path(tool.stdout.readline().strip())
        assert folder.is_dir()
        tool.send_signal(number)
        _, said = tool.communicate()
    assert (tool.returncode, said.strip().count("\n")) == (128 + number, 0)
    assert "stopped" in said
    assert not folder.exists()


def ran(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
