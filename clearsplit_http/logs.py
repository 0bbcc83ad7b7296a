"""Logs: one JSON object a line on stderr, each with the id of the request that it is about.

What happens to somebody's access has an event with a name of its own (docs/security.md lists
them); everything else that a request comes to is told by the line `request`, which names the route
as our documentation has it and never the address as it was sent: that may hold a secret. No
password, token, body or e-mail address is ever passed to a logger.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from uuid import UUID

import msgspec
import structlog
from litestar.types import HTTPScope
from structlog.typing import EventDict

from clearsplit_core.errors import InsufficientRole, Refusal, SessionEnded, WrongCredentials
from clearsplit_http.addresses import Networks, client_address
from clearsplit_http.answers import request_id
from clearsplit_http.refusals import InsufficientScope, QuotaExceeded

LEVELS: Final = ("info", "warning", "error")
EVENTS: Final[Mapping[type[Refusal], str]] = MappingProxyType(
    {
        SessionEnded: "token-refused",
        WrongCredentials: "login-failed",
        QuotaExceeded: "limit-hit",
        InsufficientRole: "access-refused",
        InsufficientScope: "access-refused",
    }
)
"""Refusals that somebody who watches over the server wants to know of."""


@dataclass(slots=True)
class Told:
    """What every line of one request says of it, looked up when a line is written."""

    scope: HTTPScope
    trusted: Networks
    facts: dict[str, str | UUID] = field(default_factory=dict)


_TOLD: Final[ContextVar[Told | None]] = ContextVar("told", default=None)


def _of_the_request(_logger: object, _level: str, event: EventDict) -> EventDict:
    if told := _TOLD.get():
        event["request_id"] = request_id(told.scope)
        event["client"] = client_address(told.scope, told.trusted)
        event.update(told.facts)
    return event


_SHARED: Final = (
    _of_the_request,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)
_log: Final = structlog.get_logger()


def write_logs(level: str = "info") -> None:
    """From now on every logger of the process writes JSON on stderr, from `level` up.

    What uvicorn warns of is told by us (`framing.py`), and other libraries' information is theirs.
    """
    structlog.configure(
        processors=[*_SHARED, structlog.processors.JSONRenderer(serializer=_line)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_line),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


def happened(event: str, **facts: str) -> None:
    """Something happened to somebody's access, as it should."""
    _log.info(event, **facts)


def alarming(event: str, **facts: str) -> None:
    """Something happened to somebody's access that may be an attack."""
    _log.warning(event, **facts)


def refused(refusal: Refusal) -> None:
    """A request was refused; what is not about somebody's access has its line `request` alone."""
    event = next((EVENTS[kind] for kind in type(refusal).__mro__ if kind in EVENTS), None)
    if event is not None:
        alarming(event, code=refusal.code)


def begin(scope: HTTPScope, trusted: Networks) -> None:
    """From now on all lines are about this request."""
    _TOLD.set(Told(scope, trusted))


def about(**facts: str | UUID) -> None:
    """All further lines of this request say so."""
    if told := _TOLD.get():
        told.facts.update(facts)


def _line(event: MutableMapping[str, object], **_: object) -> str:
    return msgspec.json.encode(event).decode()
