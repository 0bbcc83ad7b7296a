"""The settlement engine's frontier: by family and size, against greedy and against CP-SAT.

    python tests/bench/settlement.py            every family, twenty seeds: a quarter of an hour
    python tests/bench/settlement.py --quick    three seeds of the small sizes, nothing written

Each instance is settled with thorough effort on one thread, its certificate is checked, and greedy
runs beside it. Seconds are of the processor, so that other work on the machine disturbs them
little; against CP-SAT, which has all cores, they are of the clock. The awkward families of the
tests, made to drown a careless search, show that effort bounds what a plan may cost.

CP-SAT (the package ortools, for development only, on all cores) answers the same questions in the
same run: by its natural model, members in blocks, at n = 24; and by set packing over the zero-sum
sets that we listed, at n = 40 and 60, which is the stronger opponent because half the work is done
for it. Without ortools these tables are left out, and the output says so.

Writes docs/settlement-frontier.svg, and the tables between the marks in docs/settlement.md.
"""

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import log10
from os import cpu_count, getloadavg
from pathlib import Path
from platform import python_version
from resource import RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter, process_time
from types import ModuleType
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))

from clearsplit_core.settlement import check, settle
from clearsplit_core.settlement.descend import Descent
from clearsplit_core.settlement.effort import BY_NAME, Effort
from clearsplit_core.settlement.reduce import reduce
from tests.core.settlement.questions import Balances, awkward, expenses, greedy, uniform

BEGIN: Final = "<!-- frontier: written by tests/bench/settlement.py -->"
END: Final = "<!-- /frontier -->"
DOCS: Final = Path(__file__).parents[2] / "docs"

try:
    cp_model: ModuleType | None = import_module("ortools.sat.python.cp_model")
except ImportError:
    cp_model = None

FAMILIES: Final[dict[str, Callable[[int, int], Balances]]] = {
    "expense groups": expenses,
    "few payers": lambda n, seed: expenses(n, seed, payers=0.2),
    "uniform ±10²": lambda n, seed: uniform(n, 10**2, seed),
    "uniform ±10⁴": lambda n, seed: uniform(n, 10**4, seed),
    "uniform ±10⁶": lambda n, seed: uniform(n, 10**6, seed),
    "uniform ±10⁹": lambda n, seed: uniform(n, 10**9, seed),
}
SIZES: Final = (10, 20, 30, 40, 50, 60, 80)
SIZES_HUGE: Final = (10, 20, 30, 40, 44)
LARGE: Final = ((10**4, 1_000), (10**4, 10_000), (10**4, 100_000), (10**6, 1_000), (10**6, 10_000))
SEEDS: Final = 20
SEEDS_AT_80: Final = 10
CHECK_S: Final = 10.0
CP_SAT_SEEDS: Final = 5
CP_SAT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Run:
    """One instance: how long it took, and what came of it."""

    settle_s: float  # of the processor, as check_s
    check_s: float
    clock_s: float
    work: int
    optimal: bool
    certified: bool
    transfers: int
    bound: int
    greedy: int


@dataclass(frozen=True, slots=True)
class Row:
    """One family at one size."""

    family: str
    size: int
    runs: list[Run]

    @property
    def median_s(self) -> float:
        return median(run.settle_s for run in self.runs)

    @property
    def max_s(self) -> float:
        return max(run.settle_s for run in self.runs)

    def markdown(self) -> str:
        over = median(100 * (run.greedy / run.transfers - 1) for run in self.runs)
        cells = [
            self.family,
            f"{self.size}",
            f"{self.median_s:.3f}",
            f"{self.max_s:.3f}",
            share(run.optimal for run in self.runs),
            share(run.certified for run in self.runs),
            f"{median(run.check_s for run in self.runs):.3f}",
            f"{max(run.transfers - run.bound for run in self.runs)}",
            f"{over:.0f} %",
        ]
        return f"| {' | '.join(cells)} |"


def share(claims: Iterator[bool]) -> str:
    held = list(claims)
    return f"{sum(held)} of {len(held)}"


# ── Ours and greedy ──────────────────────────────────────────────────────────────────────────────


def run(question: Balances, effort: str = "thorough") -> Run:
    clock, start = perf_counter(), process_time()
    plan = settle(question, effort=effort)
    clock_end, settled = perf_counter(), process_time()
    checked = check(plan, question)
    end = process_time()
    return Run(
        settle_s=settled - start,
        check_s=end - settled,
        clock_s=clock_end - clock,
        work=plan.work,
        optimal=plan.optimal is True,
        certified=plan.optimal is True and checked.valid and end - settled <= CHECK_S,
        transfers=len(plan.transfers),
        bound=plan.lower_bound,
        greedy=greedy(question),
    )


def frontier(sizes: Sequence[int], seeds: int) -> Iterator[Row]:
    for family, draw in FAMILIES.items():
        fitting = [n for n in sizes if family != "uniform ±10⁹" or n in SIZES_HUGE]
        for size in fitting + [n for n in SIZES_HUGE if n not in sizes and "10⁹" in family]:
            number = min(seeds, SEEDS_AT_80) if size >= 80 else seeds
            row = Row(family, size, [run(draw(size, seed)) for seed in range(number)])
            progress(row.markdown())
            yield row


def large_rows() -> Iterator[str]:
    for amount_max, size in LARGE:
        question = uniform(size, amount_max, seed=0)
        start = process_time()
        plan = settle(question)
        elapsed_s = process_time() - start
        over = 100 * (len(plan.transfers) / plan.lower_bound - 1)
        by_greedy = "not run"  # greedy as the tests write it is quadratic
        if size <= 10_000:
            by_greedy = f"{100 * (greedy(question) / plan.lower_bound - 1):.0f} %"
        amounts = f"±10^{log10(amount_max):.0f}"
        row = f"| {amounts} | {size:,} | {elapsed_s:.2f} | {over:.1f} % | {by_greedy} |"
        progress(row)
        yield row


def awkward_rows() -> Iterator[str]:
    for name, question in awkward.items():
        brief, thorough = run(question, "interactive"), run(question)
        gap = thorough.transfers - thorough.bound
        row = (
            f"| {name} | {len(question)} | {brief.settle_s:.2f} | {brief.work:,} "
            f"| {thorough.settle_s:.2f} | {thorough.work:,} | {thorough.check_s:.2f} | {gap} |"
        )
        progress(row)
        yield row


def progress(line: str) -> None:
    print(line, flush=True)


# ── CP-SAT ───────────────────────────────────────────────────────────────────────────────────────


def by_blocks(cp: ModuleType, question: Balances) -> tuple[float, bool]:
    """Each member in one block, each used block sums to zero, as many used as can be."""
    _, _, residual = reduce(question.values())
    members = [residual.values[index] for index in residual.everybody()]
    model = cp.CpModel()
    blocks = range(residual.level_max)
    inside = [[model.new_bool_var("") for _ in blocks] for _ in members]
    used = [model.new_bool_var("") for _ in blocks]
    for row in inside:
        model.add_exactly_one(row)
    for b in blocks:
        model.add(sum(value * row[b] for value, row in zip(members, inside, strict=True)) == 0)
        model.add(sum(row[b] for row in inside) >= used[b])
        if b:
            model.add(used[b - 1] >= used[b])
    model.maximize(sum(used))
    return solved(cp, model)


def by_packing(cp: ModuleType, question: Balances) -> tuple[float, bool]:
    """The most disjoint sets from our list, and one more block of those left over."""
    _, _, residual = reduce(question.values())
    sets = Descent(residual, Effort(BY_NAME["thorough"])).run().sets
    model = cp.CpModel()
    chosen = [model.new_bool_var("") for _ in sets]
    rest = model.new_bool_var("")
    users: list[list[object]] = [[] for _ in residual.values]
    for picks, variable in zip(sets, chosen, strict=True):
        for index, times in Counter(picks).items():
            users[index].append(times * variable)
    for terms, count in zip(users, residual.counts, strict=True):
        model.add(cp.LinearExpr.sum(terms) <= count)
    sizes = cp.LinearExpr.weighted_sum(chosen, [len(picks) for picks in sets])
    model.add(sizes + rest <= residual.size)
    model.maximize(cp.LinearExpr.sum([*chosen, rest]))
    return solved(cp, model)


def solved(cp: ModuleType, model: object) -> tuple[float, bool]:
    """Seconds, and whether it was proven optimal within the limit."""
    solver = cp.CpSolver()
    solver.parameters.max_time_in_seconds = CP_SAT_S
    start = perf_counter()
    status = solver.solve(model)
    return perf_counter() - start, bool(status == cp.OPTIMAL)


def against(
    cp: ModuleType,
    title: str,
    model: Callable[[ModuleType, Balances], tuple[float, bool]],
    sizes: Sequence[int],
) -> Iterator[str]:
    for family in ("uniform ±10⁴", "expense groups"):
        for size in sizes:
            questions = [FAMILIES[family](size, seed) for seed in range(CP_SAT_SEEDS)]
            ours = [run(question).clock_s for question in questions]
            theirs = [model(cp, question) for question in questions]
            ratios = sorted(other / mine for mine, (other, _) in zip(ours, theirs, strict=True))
            row = (
                f"| {title} | {family} | {size} | {median(ours):.3f} "
                f"| {median(s for s, _ in theirs):.2f} | {share(done for _, done in theirs)} "
                f"| {ratios[0]:.1f} to {ratios[-1]:.0f}, median {median(ratios):.1f} |"
            )
            progress(row)
            yield row


# ── What is written ──────────────────────────────────────────────────────────────────────────────


def with_table(page: str, table: str) -> str:
    """The page, with the table between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"


def markdown(
    rows: list[Row], large: list[str], hard: list[str], cp_sat: list[str], load: str, memory_mb: int
) -> str:
    lines = [
        f"Measured by `python tests/bench/settlement.py`, CPython {python_version()}, one thread,",
        "thorough effort. Seconds of the processor; *gap*: the worst distance from plan to bound.",
        f"Load of the machine ({cpu_count()} cores) while it ran: {load}.",
        f"All of it but CP-SAT, checks included, in one process: {memory_mb} MB at most.",
        "",
        "| balances | n | median | max | optimal | certified | check | gap | greedy over ours |",
        "|---|---|---|---|---|---|---|---|---|",
        *(row.markdown() for row in rows),
        "",
        "Large groups, uniform, interactive effort, against the proven bound:",
        "",
        "| amounts | n | seconds | over the bound | greedy |",
        "|---|---|---|---|---|",
        *large,
        "",
        "Awkward families, made to have millions of zero-sum sets, or sums that are long or crowd:",
        "",
        "| family | n | interactive | units | thorough | units | check | gap |",
        "|---|---|---|---|---|---|---|---|",
        *hard,
        "",
        f"CP-SAT on all cores, {CP_SAT_S:.0f} s of the clock at most, {CP_SAT_SEEDS} seeds;",
        "packing gets our listed sets for nothing:"
        if cp_sat
        else "listed sets. Not measured: ortools is missing.",
        "",
        *cp_sat,
    ]
    return "\n".join(lines).rstrip() + "\n"


CP_SAT_HEAD: Final = [
    "| model | balances | n | ours, median | CP-SAT, median | proven | CP-SAT / ours |",
    "|---|---|---|---|---|---|---|",
]
COLOURS: Final = ("#1b6ca8", "#6aa84f", "#8e6bbf", "#d08a1d", "#c0392b", "#555555")
WIDTH, HEIGHT, MARGIN = 720, 420, 60


SVG_HEAD: Final = f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="12"
     font-family="sans-serif">
<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>
<text x="{MARGIN}" y="24" font-size="14">Seconds to a proven optimum, or to the end of thorough
effort: the median, and up to the worst</text>
<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 14}" text-anchor="middle">members</text>"""


def svg(rows: list[Row]) -> str:
    """Median seconds by size, a line for each family, the whisker up to the worst; log scale."""
    body = [grid_line(exponent) for exponent in range(-4, 2)]
    body += [
        f'<text x="{x_of(n):.0f}" y="{HEIGHT - 38}" text-anchor="middle">{n}</text>' for n in SIZES
    ]
    for place, (family, colour) in enumerate(zip(FAMILIES, COLOURS, strict=True)):
        points = [row for row in rows if row.family == family]
        body += family_lines(points, colour, place)
        body.append(
            f'<text x="{MARGIN + 12}" y="{MARGIN + 18 * place}" fill="{colour}">{family}</text>'
        )
    lines = [SVG_HEAD, *body, "</svg>"]
    return "\n".join(lines) + "\n"


def x_of(size: int) -> float:
    return MARGIN + (size - 10) * (WIDTH - 2 * MARGIN) / 70


def y_of(seconds: float) -> float:
    return HEIGHT - MARGIN - (log10(max(seconds, 1e-4)) + 4) * (HEIGHT - 2 * MARGIN) / 5.3


def grid_line(exponent: int) -> str:
    y = y_of(10.0**exponent)
    return (
        f'<line x1="{MARGIN}" y1="{y:.1f}" x2="{WIDTH - MARGIN}" y2="{y:.1f}" stroke="#ddd"/>'
        f'<text x="{MARGIN - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**exponent:g} s</text>'
    )


def family_lines(points: list[Row], colour: str, place: int) -> list[str]:
    shift = 2 * (place - 2)  # whiskers of several families stand side by side
    path = " ".join(f"{x_of(p.size) + shift:.1f},{y_of(p.median_s):.1f}" for p in points)
    whiskers = [
        f'<line x1="{x_of(p.size) + shift:.1f}" y1="{y_of(p.median_s):.1f}" '
        f'x2="{x_of(p.size) + shift:.1f}" y2="{y_of(p.max_s):.1f}" stroke="{colour}"/>'
        for p in points
    ]
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *whiskers,
    ]


def main() -> None:
    parser = ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="three seeds, small sizes, no files")
    quick: bool = parser.parse_args().quick
    before = getloadavg()[0]
    rows = list(frontier(SIZES[:3] if quick else SIZES, 3 if quick else SEEDS))
    large = [] if quick else list(large_rows())
    hard = list(awkward_rows())
    between = getloadavg()[0]
    memory_mb = getrusage(RUSAGE_SELF).ru_maxrss // 1024
    cp_sat: list[str] = []
    if cp_model is None:
        progress("ortools is not installed: CP-SAT is left out")
    else:
        cp_sat += CP_SAT_HEAD
        cp_sat += against(cp_model, "blocks", by_blocks, [24])
        cp_sat += against(cp_model, "set packing", by_packing, [24] if quick else [40, 60])
    load = f"{before:.0f} at first, {between:.0f} in between, {getloadavg()[0]:.0f} at last"
    if not quick:
        page = DOCS / "settlement.md"
        page.write_text(
            with_table(page.read_text(), markdown(rows, large, hard, cp_sat, load, memory_mb))
        )
        (DOCS / "settlement-frontier.svg").write_text(svg(rows))


if __name__ == "__main__":
    main()
