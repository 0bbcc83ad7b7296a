"""What /metrics tells, and that no caller can choose a word of it."""

import os
import re
import signal
import time
from collections.abc import Callable, Generator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from clearsplit_core.errors import Refusal
from clearsplit_http import metrics
from clearsplit_http.app import OPERATIONS
from tests.http.api import Api, Person
from tests.http.process import SECRET, address, environment, serving

TEMPLATES = {operation.path for operation in OPERATIONS}
WORKERS = 3


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and the values of its labels."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def told(api: Api) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = await Person(api).get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return samples(answer.body.decode())


async def test_a_request_is_counted_under_its_template_and_timed(memory_api: Api) -> None:
    ana = await memory_api.signup("Ana")
    seen = ("clearsplit_requests_total", ("GET", "/groups/{group_id}", "404"))
    timed = ("clearsplit_request_duration_seconds_count", ("GET", "/groups/{group_id}"))
    refused = ("clearsplit_refusals_total", ("not-found",))
    before = await told(memory_api)

    for _ in range(3):
        await ana.get(f"/groups/{uuid4()}")

    after = await told(memory_api)
    assert [after[each] - before.get(each, 0) for each in (seen, timed, refused)] == [3, 3, 3]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/a-secret"),
        ("BREW", "/health"),
        ("GET", "/groups/a-secret/b-secret"),
        ("X" * 99, "/"),
    ],
)
async def test_no_caller_chooses_a_label(memory_api: Api, method: str, path: str) -> None:
    await Person(memory_api).raw(method, path, b"")

    text = (await Person(memory_api).get("/metrics")).body.decode()
    assert "secret" not in text
    assert "BREW" not in text
    assert "XXX" not in text


async def test_labels_are_of_closed_lists(api: Api) -> None:
    ana = await api.signup("Ana")
    for path in ("/groups", f"/groups/{uuid4()}", "/docs", "/nowhere", "/metrics"):
        await ana.get(path)
        await Person(api).get(path)

    sheets = {"/docs", "/openapi.json", "/metrics", metrics.OTHER}
    for name, labels in await told(api):
        if name == "clearsplit_requests_total":
            method, route, status = labels
            assert method in {*metrics.METHODS, metrics.OTHER}
            assert route in TEMPLATES | sheets or route.startswith("/docs/")
            assert re.fullmatch(r"\d+", status)
        if name == "clearsplit_refusals_total":
            assert labels[0] in Refusal.by_code


async def test_what_is_open_is_told(api: Api) -> None:
    now = await told(api)
    assert now["clearsplit_requests_in_flight", ()] == 1
    assert now["clearsplit_solver_queue", ()] == 0
    assert now["clearsplit_pool_waiting", ()] == 0
    assert (
        now["clearsplit_pool_connections_max", ()] == api.server.store.occupancy().connections_max
    )
    assert 1 in [value for (name, _), value in now.items() if name == "clearsplit_build_info"]


async def test_head_tells_only_how_long_it_is(memory_api: Api) -> None:
    head = await Person(memory_api).raw("HEAD", "/metrics", b"")
    assert (head.status, head.body) == (200, b"")


# ── Of several workers ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def server(database_url: str) -> Generator[tuple[int, str]]:
    """The process id and the address of a server with several workers."""
    env = environment(
        DATABASE_URL=database_url,
        JWT_SECRET=SECRET,
        ALLOW_UNSAFE_DATABASE="1",
        UVICORN_WORKERS=str(WORKERS),
    )
    with serving(env=env) as (process, said):
        yield process.pid, address(said)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def scraped(url: str) -> dict[tuple[str, tuple[str, ...]], float]:
    return samples(httpx.get(f"{url}/metrics").text)


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def until(it_is_so: Callable[[], bool]) -> None:
    """However long a busy machine takes."""
    deadline = time.monotonic() + 60
    while not it_is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_whichever_worker_is_asked_tells_of_all(server: tuple[int, str]) -> None:
    _, url = server
    with httpx.Client(headers={"Connection": "close"}) as client:
        for _ in range(30):
            client.get(f"{url}/health")
    time.sleep(2 * metrics.SAMPLE_S)

    for _ in range(2 * WORKERS):
        now = scraped(url)
        assert now["clearsplit_requests_total", ("GET", "/health", "200")] == 30
        assert now["clearsplit_workers", ()] == WORKERS
        assert now["clearsplit_pool_connections_max", ()] == WORKERS * 5


def test_a_worker_that_died_is_not_told_of_but_what_it_counted_is(server: tuple[int, str]) -> None:
    pid, url = server
    with httpx.Client(headers={"Connection": "close"}) as client:
        for _ in range(30):
            client.get(f"{url}/health")
    before = children(pid)
    os.kill(int(before[-1]), signal.SIGKILL)
    until(lambda: len({*children(pid)} - {*before}) == 1)
    until(lambda: scraped(url)["clearsplit_workers", ()] == WORKERS)
    time.sleep(3 * metrics.SAMPLE_S)

    now = scraped(url)
    assert now["clearsplit_workers", ()] == WORKERS
    assert now["clearsplit_requests_total", ("GET", "/health", "200")] == 30
