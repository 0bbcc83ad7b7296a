"""The documentation pages: complete without a network."""

import asyncio
import re
import shutil
import socket
import subprocess
from pathlib import Path

import msgspec
import pytest
import uvicorn

from clearsplit_http.app import OPERATIONS
from clearsplit_http.openapi import every_reason
from tests.http.api import Api, Person

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--virtual-time-budget=20000", "--dump-dom"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@pytest.mark.parametrize(
    "path",
    [
        "/docs",
        "/docs/problems",
        "/docs/start.js",
        "/docs/swagger-ui.css",
        "/docs/swagger-ui-bundle.js",
    ],
)
async def test_a_page_lets_a_browser_ask_nobody_else(memory_api: Api, path: str) -> None:
    answer = await memory_api.http.get(path)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "http" not in answer.headers["content-security-policy"]


async def test_our_pages_name_no_other_host(memory_api: Api) -> None:
    for path in ("/docs", "/docs/problems", "/docs/start.js"):
        page = (await memory_api.http.get(path)).text
        assert not re.search(r"(?:src|href|url)\W+(?:https?:)?//", page)


async def test_a_problem_leads_to_its_line(memory_api: Api) -> None:
    problem = await Person(memory_api).get("/nowhere")
    path, _, line = problem["type"].partition("#")
    page = (await memory_api.http.get(path)).text
    assert f'<tr id="{line}">' in page
    assert page.count("<tr ") == len(every_reason(OPERATIONS))


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt install chromium")
async def test_a_browser_shows_every_operation_and_asks_no_other_host(
    memory_api: Api, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(memory_api.app, log_config=None, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        shown, requests = await asyncio.to_thread(_visit, f"{origin}/docs", tmp_path)
        server.should_exit = True
        await running
    assert [each.name for each in OPERATIONS if f'{each.name}"' not in shown] == []
    assert {address for by, address in requests if by == origin} == {
        f"{origin}/docs/{name}" for name in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js")
    } | {f"{origin}/openapi.json"}


class _Params(msgspec.Struct):
    initiator: str = ""
    url: str = ""


class _Event(msgspec.Struct):
    params: _Params = msgspec.field(default_factory=_Params)


class _NetLog(msgspec.Struct):
    events: list[_Event]


def _visit(address: str, folder: Path) -> tuple[str, set[tuple[str, str]]]:
    """The page as it stands when its scripts are done, and who asked for which address.

    What the browser asks for itself, not for a page, goes nowhere.
    """
    assert CHROMIUM is not None
    log = folder / "net.json"
    places = (f"--user-data-dir={folder / 'user'}", f"--log-net-log={log}")
    done = subprocess.run(
        [CHROMIUM, *SWITCHES, *places, address],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    events = msgspec.json.decode(log.read_bytes(), type=_NetLog).events
    return done.stdout, {(each.params.initiator, each.params.url) for each in events}
