"""Metrics: what the server tells Prometheus at /metrics, and how it is counted.

No label can be chosen by a caller: a route is its template, never an address; methods and codes are
closed lists. Metrics belong to the process. Of several workers (workers.py) each keeps its numbers
in files of one folder, and whichever is asked adds all of them up.
"""

import asyncio
import os
import platform
from functools import cache
from importlib.metadata import version
from typing import ClassVar, Final

from litestar.types import HTTPScope, Method, Receive, Send
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from clearsplit_core.ports import Occupancy
from clearsplit_http.answers import send_answer

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder; prometheus_client reads it when it is first imported."""
SAMPLE_S: Final = 1.0
"""Seconds between two looks at what is not counted but seen: connections, queues."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER: Final = "other"
"""The method that no route takes, and the route of an address that none has."""
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_OWN: Final = CollectorRegistry()

REQUESTS: Final = Counter(
    "clearsplit_requests",
    "Requests that were answered, by method, route template and status (0: the client had gone).",
    ["method", "route", "status"],
    registry=_OWN,
)
DURATION: Final = Histogram(
    "clearsplit_request_duration_seconds",
    "Seconds from a request's head to the end of its answer.",
    ["method", "route"],
    buckets=BUCKETS_S,
    registry=_OWN,
)
REFUSALS: Final = Counter(
    "clearsplit_refusals", "Refusals by the code of their problem.", ["code"], registry=_OWN
)


def _gauge(name: str, said: str) -> Gauge:
    """Of several workers the living ones count, and their sum is told."""
    return Gauge(f"clearsplit_{name}", said, registry=_OWN, multiprocess_mode="livesum")


IN_FLIGHT: Final = _gauge("requests_in_flight", "Requests that are being answered.")
CONNECTIONS: Final = _gauge("pool_connections", "Connections to the database, made or being made.")
IDLE: Final = _gauge("pool_connections_idle", "Connections to the database that nobody uses.")
LIMIT: Final = _gauge("pool_connections_max", "Connections to the database that there may be.")
WAITING: Final = _gauge("pool_waiting", "Requests that wait for a connection to the database.")
SOLVING: Final = _gauge("solver_queue", "Settlements that are being solved or wait for it.")
WORKERS: Final = _gauge("workers", "Processes that answer requests.")
BUILD: Final = Gauge(
    "clearsplit_build_info",
    "The version that runs; always 1.",
    ["version", "python"],
    registry=_OWN,
    multiprocess_mode="max",
)


# ── Counting ─────────────────────────────────────────────────────────────────────────────────────


class InFlight:
    """Requests that this process is answering; a gauge would cost more than all the rest."""

    count: ClassVar[int] = 0


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """A request that some address takes (`route`) or none (OTHER) was answered within so long."""
    requests, duration = _children(method if method in METHODS else OTHER, route, status)
    requests.inc()
    duration.observe(seconds)


@cache
def _children(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Looking a label up costs more than counting."""
    return REQUESTS.labels(method, route, status), DURATION.labels(method, route)


def refused(code: str) -> None:
    """A request was refused, for the reason of that code."""
    _refusals(code).inc()


@cache
def _refusals(code: str) -> Counter:
    return REFUSALS.labels(code)


def sample(occupancy: Occupancy, settlements: int) -> None:
    """What this process has open now, and the settlements in its solver's queue."""
    IN_FLIGHT.set(InFlight.count)
    CONNECTIONS.set(occupancy.connections)
    IDLE.set(occupancy.idle)
    LIMIT.set(occupancy.connections_max)
    WAITING.set(occupancy.waiting)
    SOLVING.set(settlements)
    WORKERS.set(1)
    _build().set(1)


@cache
def _build() -> Gauge:
    """To find the version out takes a millisecond, every second."""
    return BUILD.labels(version("clearsplit"), platform.python_version())


# ── Telling ──────────────────────────────────────────────────────────────────────────────────────


def exposition() -> bytes:
    """All of it, as Prometheus reads it."""
    if FOLDER not in os.environ:
        return generate_latest(_OWN)
    everybody = CollectorRegistry()
    MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]  # it has no annotations
    return generate_latest(everybody)


class _Exposition:
    """Where Prometheus asks."""

    method: Method = "GET"
    path = "/metrics"

    async def answer(self, scope: HTTPScope, _receive: Receive, send: Send) -> None:
        IN_FLIGHT.set(InFlight.count)
        body = await asyncio.to_thread(exposition)
        await send_answer(200, CONTENT_TYPE_LATEST, (), body, scope, send)


METRICS: Final = _Exposition()
