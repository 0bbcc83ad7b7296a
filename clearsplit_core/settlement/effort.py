"""Effort: a budget of work units, so that a plan never depends on the machine or the clock.

A unit is a third to half a microsecond of one server core of 2026 under CPython 3.11.
Every step names its price *before* it is taken, and prices depend on the question alone. So a
larger budget follows the same path further: it chooses nothing, and never makes a plan or a bound
worse. What a step may hold in memory is limited before it is taken, too. To read, sort and pay n
members costs no units; it takes some microseconds for each.
"""

from typing import Final

from clearsplit_core.errors import BadEffort

BY_NAME: Final = {"interactive": 1_500_000, "thorough": 20_000_000}


class Exhausted(Exception):
    """The next step costs more than is left."""


class Effort:
    """Counts up to a budget; `spent` never exceeds it. Once exhausted, it stays so."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.spent = 0

    def spend(self, units: int) -> None:
        """The units are paid for. Raises Exhausted, and pays nothing, if they are not left."""
        self._afford(units)
        self.spent += units

    def part(self, units: int) -> "Effort":
        """A smaller budget; what is spent of it is to be spent here as well.

        Raises Exhausted if it is not left whole: a part must not depend on how much was left.
        """
        self._afford(units)
        return Effort(units)

    def _afford(self, units: int) -> None:
        if self.spent + units > self.budget:
            self.budget = self.spent
            raise Exhausted


def units(effort: str | int) -> int:
    """The budget that a caller named. Raises BadEffort."""
    named = BY_NAME.get(effort) if isinstance(effort, str) else effort
    if type(named) is not int or named <= 0:
        raise BadEffort(field="/effort")
    return named
