"""What happened in a drill, told as it happens: a row a step, with the seconds that it took."""

import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Final, Self

VERIFIED: Final = "everything holds"


@dataclass
class Told:
    """One drill's rows. `broken` are the promises that were not kept."""

    drill: str
    broken: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    verdict: str = ""
    """The row that tells the whole drill, once it has ended."""

    def ended(self) -> Self:
        """It is over, and so is its time."""
        outcome = "; ".join(["NOT GOOD ENOUGH", *self.broken]) if self.broken else "kept"
        self.verdict = f"{self.drill:<11}{time.monotonic() - self.began:6.1f}  {outcome}"
        return self

    def step(self, happened: str, since: float) -> None:
        """`happened`, between `since` (time.monotonic) and now."""
        self._row(f"{time.monotonic() - since:6.1f}", happened)

    def note(self, happened: str) -> None:
        """`happened`, and its time is no matter."""
        self._row("", happened)

    def promise(self, promise: str, *, held: bool) -> None:
        """It is said only where it was broken."""
        if not held:
            self.broken.append(promise)
            self._row("BROKEN", promise)

    def verify(self, url: str) -> None:
        """The step that ends each drill: `clearsplit verify`, which finds no fault."""
        since = time.monotonic()
        status, said = verified(url)
        *faults, last = said.splitlines() or [""]
        for fault in faults[:3]:
            self.note(fault)
        self.step(f"clearsplit verify: {last}", since)
        self.promise("clearsplit verify finds no fault", held=status == 0 and VERIFIED in last)

    def _row(self, seconds: str, happened: str) -> None:
        print(f"{self.drill:<11}{seconds:>6}  {happened}", flush=True)


def verified(url: str) -> tuple[int, str]:
    """The exit status of `clearsplit verify` on a database, and all that it says."""
    command = (sys.executable, "-m", "clearsplit_core", "verify", "--database-url", url)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
