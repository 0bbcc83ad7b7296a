"""What Postgres says, as what ClearSplit says: the one table from its errors to our refusals."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from psycopg import InterfaceError, OperationalError
from psycopg.errors import (
    DeadlockDetected,
    LockNotAvailable,
    QueryCanceled,
    SerializationFailure,
    UniqueViolation,
)
from psycopg_pool import PoolTimeout, TooManyRequests

from clearsplit_core.errors import EmailTaken, Overloaded, Refusal

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
    except UniqueViolation as error:
        raise _refusal_of(error) from error
    except (*WORTH_ANOTHER_TRY, *_UNREACHABLE) as error:
        raise Overloaded from error


def _refusal_of(error: UniqueViolation) -> Refusal:
    if error.diag.constraint_name == "accounts_one_an_email":
        return EmailTaken(field="/email")
    return Overloaded()
