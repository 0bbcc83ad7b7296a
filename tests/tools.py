"""What the tools that `make` runs have in common: how they are asked, and how they are stopped.

SIGTERM and Ctrl-C become an exception, so that every server and folder goes as at the end of a run.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Collection, Sequence
from types import FrameType
from typing import Final, NoReturn

STOPS: Final = (signal.SIGINT, signal.SIGTERM)


class Stopped(SystemExit):
    """Somebody wants the tool to end now. It ends with the status that a shell gives a signal."""


def run(main: Callable[[], int]) -> NoReturn:
    """`main` from beginning to end, or to the first signal; the process ends with its status."""
    for each in STOPS:
        signal.signal(each, _stop)
    try:
        sys.exit(main())
    except Stopped as stopped:
        print("\nstopped before the end; what was started is gone", file=sys.stderr)
        sys.exit(stopped.code)


def _stop(number: int, _: FrameType | None) -> NoReturn:
    """`timeout` and a terminal tell everybody at once, some of them twice: the first is enough, and
    the cleaning up is not cut short.
    """
    for each in STOPS:
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(128 + number)


def asked(module: str, says: str | None) -> argparse.ArgumentParser:
    """A parser whose usage is what one types, and whose help is the docstring as it stands."""
    return argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=says,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def at_least_one(text: str) -> int:
    """A number of things to do: with none of them nothing would be tested, and all be well."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"it must be a whole number from 1 on, not {text}")
    return int(text)


def named(
    parser: argparse.ArgumentParser, names: Sequence[str], there: Collection[str]
) -> list[str]:
    """The names, or all that there are if none was given. One that there is not ends the process
    with status 2.
    """
    unknown = [name for name in names if name not in there]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(there)}")
    return list(names or there)
