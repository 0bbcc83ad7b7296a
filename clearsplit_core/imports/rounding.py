"""Exact nets made whole: minor units that sum to zero, and never far from what the file says.

A file's nets may miss zero by a cent where each was rounded on its own, and may be finer than a
cent where none was. The journal knows neither, so here is where they end. Exact nets are integers
of grains (`amounts.py`), in the order of `names`; a positive one is owed to the member.
"""

from collections.abc import Sequence
from dataclasses import dataclass


def is_rounding_drift(nets: Sequence[int], unit: int) -> bool:
    """The nets miss zero by no more than rounding each of them to a minor unit can explain.

    `unit`: grains in a minor unit. Rounding moves a net by at most half of it; one minor unit is
    always forgiven, since a net that was rounded to zero cannot be told from none.
    """
    return 2 * abs(sum(nets)) <= unit * max(2, sum(map(bool, nets)))


def without_drift(nets: Sequence[int], names: Sequence[str]) -> list[int]:
    """The nets sum to zero: the largest took the difference, for whom it matters least."""
    settled = list(nets)
    if drift := sum(nets):
        settled[min(range(len(nets)), key=lambda i: (-abs(nets[i]), names[i]))] -= drift
    return settled


@dataclass(slots=True)
class Rounding:
    """Rounds one currency's nets row by row, so that the sums stay within one minor unit of exact.

    What rounding a row leaves over is carried to the next. Each running sum is thus the exact one,
    rounded down or up, by the largest remainder. A row of whole minor units comes out as it is:
    it changes no remainder, hence nothing in who was rounded up.
    """

    unit: int
    names: Sequence[str]
    carried: list[int]

    @classmethod
    def start(cls, unit: int, names: Sequence[str]) -> "Rounding":
        return cls(unit, names, [0] * len(names))

    def whole(self, nets: Sequence[int]) -> list[int]:
        """Minor units that sum to zero, for exact nets that do."""
        exact = [net + carried for net, carried in zip(nets, self.carried, strict=True)]
        minor = [amount // self.unit for amount in exact]
        if spare := -sum(minor):
            for index in self._by_remainder(exact)[:spare]:
                minor[index] += 1
        self.carried = [a - b * self.unit for a, b in zip(exact, minor, strict=True)]
        return minor

    def _by_remainder(self, exact: Sequence[int]) -> list[int]:
        order = range(len(exact))
        return sorted(order, key=lambda i: (-(exact[i] % self.unit), self.names[i]))
