"""Database URLs: every spelling in use becomes the one that libpq reads.

SQLAlchemy's spellings name a driver (`postgresql+asyncpg://`); only the scheme is changed, whatever
follows it is kept. A URL may hold a password, so no refusal here repeats any part of one.
"""

import re

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict

from clearsplit_core.errors import Invalid

_SCHEME = re.compile(r"(?:postgresql|postgres)(?:\+[a-z0-9_]+)?://(?P<rest>.*)", re.DOTALL)

# An unescaped @, / or ? in a password makes libpq take its tail for a host or a port, and its error
# message would show it. So an @ may stand only where the password ends.
_REST = re.compile(r"(?:[^:@/?]*(?::[^@/?]*)?@)?[^@]*", re.DOTALL)


class BadDatabaseUrl(Invalid, code="bad-database-url"):
    """A database URL is postgresql://user:password@host:5432/database, with @, / and ? in the
    password written as %40, %2F and %3F, and with libpq's options only."""


def normalise(url: str) -> str:
    """The same database as a `postgresql://` URL, everything after the scheme unchanged.

    Raises BadDatabaseUrl for another scheme and for what libpq cannot read.
    """
    found = _SCHEME.fullmatch(url)
    if found is None or _REST.fullmatch(found["rest"]) is None:
        raise BadDatabaseUrl
    normal = f"postgresql://{found['rest']}"
    try:
        conninfo_to_dict(normal)
    except (Error, UnicodeEncodeError):  # the latter: bytes that are no UTF-8 (PEP 383)
        raise BadDatabaseUrl from None  # libpq's message quotes the URL
    return normal
