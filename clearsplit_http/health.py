"""Routes of the server's own state, for whoever watches over it."""

from typing import Literal

import msgspec

from clearsplit_core.ports import Sealed
from clearsplit_http.asked import Asked
from clearsplit_http.operations import operation
from clearsplit_http.refusals import NotReady
from clearsplit_http.wire.resources import Nothing


class Health(msgspec.Struct, frozen=True):
    """All is well."""

    status: Literal["ok"] = "ok"


@operation("GET", "/health", public=True, takes=Nothing, gives=Health)
async def health(_asked: Asked[Nothing]) -> Sealed:
    """The process answers."""
    return _OK


@operation("GET", "/health/live", public=True, takes=Nothing, gives=Health)
async def live(_asked: Asked[Nothing]) -> Sealed:
    """The process answers; no database is asked."""
    return _OK


@operation("GET", "/health/ready", public=True, takes=Nothing, gives=Health, refuses=(NotReady,))
async def ready(asked: Asked[Nothing]) -> Sealed:
    """The data can be reached and has the right schema, and the server is not about to stop."""
    if asked.server.draining or not await asked.store.ready():
        raise NotReady
    return _OK


ROUTES = (health, live, ready)

_OK = Sealed(200, (), msgspec.json.encode(Health()))
