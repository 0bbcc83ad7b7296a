"""The command `clearsplit`: settle or verify a file here, and whatever commands the adapters add.

The only module of the core that reads, writes or asks what is installed. It knows no rule: it reads
bytes, calls the core and prints. Exit statuses: 0 fine, 1 the file (or the request) is wrong, 2 the
command line is wrong.

An adapter adds a command as an entry point in the group `clearsplit.commands`: a function that is
given the command's own parser, adds its arguments and returns what runs it. The first line of its
docstring is its help. It is loaded only when its command was chosen, so that settling a file needs
no third-party package and starts quickly; an extra in square brackets behind the entry point names
what to install where it cannot be loaded.
"""

import ast
import json
import os
import re
import signal
import sys
import unicodedata
from argparse import (
    ArgumentError,
    ArgumentParser,
    ArgumentTypeError,
    Namespace,
    RawDescriptionHelpFormatter,
)
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from clearsplit_core.errors import BadFile, DebtsMissing, Refusal
from clearsplit_core.imports import FILE_BYTES_MAX, Imported, read
from clearsplit_core.journal_file import LINE_BYTES_MAX, check
from clearsplit_core.money import Money
from clearsplit_core.settlement import Plan, settle

Run: TypeAlias = Callable[[Namespace], int]
"""Does a command's work and returns the exit status."""
AddCommand: TypeAlias = Callable[[ArgumentParser], Run]
"""What an entry point in COMMANDS is."""

COMMANDS: Final = "clearsplit.commands"
OWN: Final = frozenset({"settle", "verify"})
"""The core's own commands. An adapter's `verify` joins in where no file is named."""
FINE, WRONG_FILE, WRONG_USAGE = 0, 1, 2
INTERRUPTED, PIPE_CLOSED, TERMINATED = 130, 141, 143
"""128 and the number of SIGINT, SIGPIPE or SIGTERM, as a shell reports them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line has been done, or stderr says why not.

    No traceback for what a person can cause: a bad file, a full disk, a closed pipe, Ctrl-C.
    Returns the exit status; leaves by SystemExit where argparse does (--help, wrong usage).
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, _leave)
    try:
        return _flushed(words)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _leave_stdout()
        return PIPE_CLOSED
    except OSError as error:
        _leave_stdout()
        _complain(f"{error}.")
        return WRONG_FILE


def _leave(_number: int, _frame: object) -> None:
    """What SIGTERM does to every other process by itself: Linux spares process 1, and a container
    that is stopped while it still starts would wait to be killed.
    """
    raise SystemExit(TERMINATED)


def _flushed(words: list[str]) -> int:
    try:
        return _do(words)
    except Refusal as refusal:
        _complain(refusal.message)
        return WRONG_FILE
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


def _do(words: list[str]) -> int:
    parser = _parser(words)
    chosen = parser.parse_args(words)
    if chosen.version:
        print(f"clearsplit {_version()}")
        return FINE
    if chosen.run is None:
        parser.print_help(sys.stderr)
        return WRONG_USAGE
    run: Run = chosen.run
    return run(chosen)


def _parser(words: Sequence[str]) -> ArgumentParser:
    parser = ArgumentParser(prog="clearsplit", description=_ABOUT, allow_abbrev=False)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    settling = commands.add_parser(
        "settle",
        help="settle a group from an export file",
        description=_ABOUT_SETTLE,
        formatter_class=RawDescriptionHelpFormatter,
    )
    settling.set_defaults(run=_settle_command(settling))
    verifying = commands.add_parser(
        "verify",
        help="check the journal in a file that was exported, or all journals of a database",
        description=_ABOUT_VERIFY,
        formatter_class=RawDescriptionHelpFormatter,
    )
    verifying.set_defaults(run=_verify_command(verifying))
    command = next((word for word in words if not word.startswith("-")), "")
    if command == "verify" and not _names_a_file(words):
        _verify_databases_too(verifying)
    if command not in OWN:
        for entry in _adapters():
            added = commands.add_parser(entry.name, help=_help(entry), description=_help(entry))
            if entry.name == command:
                added.set_defaults(run=_adapter_command(entry, added))
    return parser


_ABOUT: Final = (
    "The open ledger and settlement engine for shared expenses: who owes whom, and the fewest "
    "payments that settle it."
)
_ABOUT_SETTLE: Final = """\
Read a group's export file and print everybody's balance and the fewest
payments that settle the group, currency by currency. Nothing leaves this
computer. FILE is a Splitwise group export (CSV).

exit status: 0 fine, 1 the file is wrong, 2 the command line is wrong"""
_ABOUT_VERIFY: Final = """\
With FILE, a journal that `clearsplit export` wrote: check the chain of its
entries, every sum, what each event leads to and every text, without network
or database. --head is a hash that you kept, from an answer of the server or
from an earlier export; without one, a file that was written anew as a whole
looks fine.

Without FILE, do that for the journals in a database, and compare everything
that stands beside them with what they tell.

exit status: 0 everything holds, 1 something does not, 2 the command line is wrong"""


def _version() -> str:
    try:
        return version("clearsplit")
    except PackageNotFoundError:
        return "(not installed)"


# ── settle ───────────────────────────────────────────────────────────────────────────────────────


def _settle_command(parser: ArgumentParser) -> Run:
    parser.add_argument("file", metavar="FILE", help="the export; - reads standard input")
    parser.add_argument("--json", action="store_true", help="print JSON, amounts in minor units")
    parser.add_argument(
        "--strategy",
        choices=("fewest", "direct"),
        default="fewest",
        help="fewest payments (the default), or direct: along existing debts, which needs a file "
        "that says who owes whom",
    )
    return _settle


def _settle(chosen: Namespace) -> int:
    group = read(_bytes_of(chosen.file))
    balances = group.balances
    try:
        plans = {each: settle(balances[each], strategy=chosen.strategy) for each in balances}
    except DebtsMissing:
        _complain("--strategy direct needs to know who owes whom; this file has only nets.")
        return WRONG_USAGE
    for warning in group.warnings:
        _complain(f"warning: {warning}")
    print(_as_json(group, plans) if chosen.json else _as_text(group, plans))
    return FINE


def _bytes_of(file: str) -> bytes:
    """At most one byte more than an import reads. Raises BadFile where there is nothing to read."""
    try:
        if file != "-":
            with Path(file).open("rb") as opened:
                return opened.read(FILE_BYTES_MAX + 1)
        return sys.stdin.buffer.read(FILE_BYTES_MAX + 1) if sys.stdin else b""
    except OSError as error:
        raise BadFile(f"{file}: {error.strerror}.") from error


def _as_json(group: Imported, plans: Mapping[str, Plan[str]]) -> str:
    """ASCII only, so that it is the same in every locale and no name can speak to a terminal."""
    currencies = {
        currency: {
            "balances": balances,
            "transfers": [
                {"from": t.debtor, "to": t.creditor, "amount_minor": t.amount_minor}
                for t in plans[currency].transfers
            ],
            "optimal": plans[currency].optimal,
            "lower_bound": plans[currency].lower_bound,
        }
        for currency, balances in group.balances.items()
    }
    return json.dumps({"currencies": currencies, "warnings": list(group.warnings)}, indent=2)


def _as_text(group: Imported, plans: Mapping[str, Plan[str]]) -> str:
    if not plans:
        return "There are no expenses in this file."
    balances = group.balances
    return "\n\n".join(
        "\n".join(_paragraph(currency, balances[currency], plan))
        for currency, plan in plans.items()
    )


def _paragraph(currency: str, balances: Mapping[str, int], plan: Plan[str]) -> Iterator[str]:
    yield currency
    yield from _columns(
        [
            (_shown(member), Money(balance, currency).major, _owes(balance))
            for member, balance in balances.items()
        ],
        right=1,
    )
    yield ""
    yield from _columns(
        [
            (
                f"{_shown(transfer.debtor)} pays",
                _shown(transfer.creditor),
                Money(transfer.amount_minor, currency).major,
            )
            for transfer in plan.transfers
        ],
        right=2,
    )
    yield "  " + _verdict(plan)


def _owes(balance: int) -> str:
    return ("settled", "is owed", "owes")[(balance > 0) - (balance < 0)]


def _verdict(plan: Plan[str]) -> str:
    payments = len(plan.transfers)
    if not payments:
        return "Everybody is settled."
    said = "1 payment" if payments == 1 else f"{payments} payments"
    if plan.optimal:
        return f"{said}; it cannot be done with fewer."
    return f"{said}; it cannot be done with fewer than {plan.lower_bound}."


# ── verify ───────────────────────────────────────────────────────────────────────────────────────


def _verify_command(parser: ArgumentParser) -> Run:
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help="the export; - reads standard input"
    )
    parser.add_argument("--head", metavar="HASH", type=_hash, help="a hash that the journal had")
    return _verify


def _names_a_file(words: Sequence[str]) -> bool:
    """Whether `verify` is asked about a file and nothing else, so that no adapter is needed."""
    alone = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    _verify_command(alone)
    try:
        chosen, others = alone.parse_known_args(words[words.index("verify") + 1 :])
    except ArgumentError:
        return False
    return chosen.file is not None and not others


def _verify_databases_too(parser: ArgumentParser) -> None:
    """Adds what an adapter's `verify` takes, and runs it where no file is named."""
    for entry in entry_points(group=COMMANDS, name="verify"):
        parser.set_defaults(run=_either(_adapter_command(entry, parser)))


def _either(verify_databases: Run) -> Run:
    return lambda chosen: verify_databases(chosen) if chosen.file is None else _verify(chosen)


def _hash(text: str) -> str:
    if not _HASH.fullmatch(text):
        raise ArgumentTypeError("a hash has 64 digits, 0 to 9 and a to f")
    return text


def _verify(chosen: Namespace) -> int:
    if chosen.file is None:
        _complain("verify needs a file, or the server packages: pip install 'clearsplit[server]'")
        return WRONG_USAGE
    with _opened(chosen.file) as opened:
        lines = iter(lambda: opened.readline(LINE_BYTES_MAX), b"")
        checked = check(lines, remembered=chosen.head)
    head = checked.group.head
    print(f"group    {checked.group.id}")
    print(f"entries  {head.seq}, all in their place and unchanged")
    print(f"texts    {checked.texts}, all as they were written")
    print(f"head     {head.hash}")
    return FINE


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    if file == "-":
        return nullcontext(sys.stdin.buffer if sys.stdin else BytesIO())
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise BadFile(f"{file}: {error.strerror}.") from error


_HASH: Final = re.compile("[0-9a-f]{64}")


# ── Adapters' commands ───────────────────────────────────────────────────────────────────────────


def _adapters() -> list[EntryPoint]:
    """The commands that are installed beside the core's own, by name, each name once."""
    by_name = {entry.name: entry for entry in entry_points(group=COMMANDS)}
    return [by_name[name] for name in sorted(by_name.keys() - OWN)]


def _adapter_command(entry: EntryPoint, parser: ArgumentParser) -> Run:
    with _extra_of(entry, parser):
        add_command: AddCommand = entry.load()
        run = add_command(parser)

    def run_with_extra(chosen: Namespace) -> int:
        with _extra_of(entry, parser):
            return run(chosen)

    return run_with_extra


@contextmanager
def _extra_of(entry: EntryPoint, parser: ArgumentParser) -> Iterator[None]:
    """Leaves, saying what to install, where a third-party package is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("clearsplit_core", entry.module.partition(".")[0]):
            raise
        need = f"needs the package {missing}, which is not installed."
        if entry.extras:
            need = f"needs the {entry.extras[0]} packages: pip install '{_with_extra(entry)}'"
        parser.exit(WRONG_USAGE, f"clearsplit {entry.name} {need}\n")


def _with_extra(entry: EntryPoint) -> str:
    distribution = entry.dist.name if entry.dist else "clearsplit"
    return f"{distribution}[{','.join(entry.extras)}]"


def _help(entry: EntryPoint) -> str:
    """The first line of the command's docstring, read from its source: nothing is imported."""
    needs = f" (needs {_with_extra(entry)})" if entry.extras else ""
    return (_first_line(entry) + needs).strip().replace("%", "%%")


def _first_line(entry: EntryPoint) -> str:
    try:
        spec = find_spec(entry.module)
    except ModuleNotFoundError:
        return ""
    if spec is None or spec.origin is None:
        return ""
    for node in ast.parse(Path(spec.origin).read_bytes()).body:
        if isinstance(node, ast.FunctionDef) and node.name == entry.attr:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


# ── What a terminal gets ─────────────────────────────────────────────────────────────────────────


def _complain(message: str) -> None:
    if sys.stderr is not None:
        print(f"clearsplit: {_shown(message)}", file=sys.stderr)


def _leave_stdout() -> None:
    """Nothing is written any more, not by the interpreter's last flush either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _columns(rows: Sequence[tuple[str, str, str]], *, right: int) -> Iterator[str]:
    """The rows as an indented table, the column `right` flush right."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            " " * gap + cell if index == right else cell + " " * gap
            for index, cell in enumerate(row)
            for gap in [widths[index] - _width(cell)]
        ]
        yield ("  " + "  ".join(cells)).rstrip()


def _shown(text: str) -> str:
    """`text` on one line, with nothing in it that a terminal obeys or that stdout cannot spell.

    Control characters, escape sequences and text that reorders its surroundings come out as
    backslash escapes (Unicode Technical Report 36).
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    harmless = "".join(_escaped(character) for character in text)
    return harmless.encode(encoding, "backslashreplace").decode(encoding)


def _escaped(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _OBEYED:
        return character
    return character.encode("unicode_escape").decode()


_OBEYED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS: Final = frozenset("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")
"""They shape Persian and Indic names and emoji, and do nothing else."""


def _width(text: str) -> int:
    """The cells that `text` takes in a terminal (Unicode Standard Annex 11)."""
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
