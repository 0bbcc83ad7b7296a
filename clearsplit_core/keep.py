"""Keep: what a change leaves out stays as it is.

A field of a change is either new or KEEP; None is a value like any other, and takes something away.
"""

from enum import Enum
from typing import Final, TypeAlias, TypeVar


class Keep(Enum):
    """Leave a field as it is."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP
T = TypeVar("T")
Change: TypeAlias = T | Keep


def changed(old: T, new: Change[T]) -> T:
    """`old` with the change made."""
    return old if isinstance(new, Keep) else new
