"""What Postgres says, as what ClearSplit says: the one table from its errors to our refusals."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from psycopg import Error, InterfaceError, OperationalError
from psycopg.errors import (
    DeadlockDetected,
    LockNotAvailable,
    QueryCanceled,
    SerializationFailure,
    UniqueViolation,
)
from psycopg_pool import PoolTimeout, TooManyRequests

from clearsplit_core.errors import EmailTaken, Overloaded

WORTH_ANOTHER_TRY: Final = (SerializationFailure, DeadlockDetected, UniqueViolation)
"""Somebody else was quicker: decide again from what they left behind."""

_UNREACHABLE: Final = (
    OperationalError,
    InterfaceError,
    PoolTimeout,
    TooManyRequests,
    LockNotAvailable,
    QueryCanceled,
)


@contextmanager
def refusals() -> Generator[None]:
    """Inside it, what Postgres cannot do now is Overloaded; a taken e-mail address is EmailTaken.

    Everything else that Postgres says is a fault of ours and passes through.
    """
    try:
        yield
    except WORTH_ANOTHER_TRY as error:
        raise (EmailTaken(field="/email") if is_email_taken(error) else Overloaded()) from error
    except _UNREACHABLE as error:
        raise Overloaded from error


def is_email_taken(error: Error) -> bool:
    """The one kind of being slower that another try cannot mend."""
    return error.diag.constraint_name == "accounts_one_an_email"
