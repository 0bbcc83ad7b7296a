"""Schemathesis finds nothing wrong: every operation, every check, and what is exempt with a reason.

A short run here; `make schemathesis` (FUZZ=1) runs all phases and many more examples. `hooks.py`
and `schemathesis.toml` say what is exempt.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.http.process import IN_MEMORY, address, serving

HERE: Final = Path(__file__).parent
LONG: Final = bool(os.environ.get("FUZZ"))
HOW_MUCH: Final = (
    ("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "50")
    if LONG
    else ("--phases", "examples,fuzzing,stateful", "--max-examples", "2", "--seed", "1")
)
QUIET: Final = {
    "RATE_LIMIT_SIGNUP": "0",
    "RATE_LIMIT_LOGIN": "0",
    "RATE_LIMIT_REFRESH": "0",
    "LOG_LEVEL": "error",
}
LONGEST_S: Final = 1800


def test_schemathesis_finds_nothing_wrong(tmp_path: Path) -> None:
    with serving(env=IN_MEMORY | QUIET) as (_, said):
        url = address(said)
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                *("--config-file", HERE / "schemathesis.toml", "run", f"{url}/openapi.json"),
                *("--checks", "all", "--continue-on-failure", *HOW_MUCH),
            ],
            cwd=tmp_path,
            env=os.environ
            | {
                "FUZZ_URL": url,
                "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
                "PYTHONPATH": str(HERE.parent.parent),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_S,
        )
    assert done.returncode == 0, done.stdout
