"""The peer: ihatemoney under gunicorn, on the same Postgres, asked for the same things.

It is installed into a virtual environment of its own, outside ours, when it is first needed.
"""

import os
import subprocess
import tempfile
import venv
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psycopg

from tests.bench.serving.load import wait_for
from tests.drill.servers import free_port

PACKAGES: Final = ("ihatemoney==7.2.1", "gunicorn", "psycopg2-binary", "setuptools<81")
HOME: Final = Path(tempfile.gettempdir()) / "clearsplit-bench-ihatemoney"
PASSWORD: Final = "correct horse"
SETTINGS: Final = """
SQLALCHEMY_DATABASE_URI = {url!r}
SECRET_KEY = "known to everybody who reads the bench"
ALLOW_PUBLIC_PROJECT_CREATION = True
ACTIVATE_DEMO_PROJECT = False
ENABLE_CAPTCHA = False
"""
SEED: Final = """
with bill as (
    insert into bill (payer_id, amount, date, creation_date, what, bill_type, original_currency,
                      converted_amount)
    select %(payer)s, 12.34, current_date, current_date, 'Dinner', 'EXPENSE', 'XXX', 12.34
      from generate_series(1, %(count)s)
    returning id
)
insert into billowers (bill_id, person_id) select bill.id, owner
  from bill, unnest(%(members)s::int[]) as owner
"""


@dataclass(frozen=True)
class Peer:
    url: str
    pid: int
    version: str

    def project(self, database_url: str, name: str, members: int, bills: int) -> "Project":
        """A project of that many members and bills."""
        body = {
            "name": name,
            "id": name,
            "password": PASSWORD,
            "contact_email": "ana@example.org",
            "default_currency": "XXX",
        }
        where = f"/api/projects/{name}"
        with httpx.Client(base_url=self.url, timeout=60, auth=(name, PASSWORD)) as http:
            http.post("/api/projects", json=body).raise_for_status()
            told = [
                http.post(f"{where}/members", json={"name": f"Member {number}"})
                for number in range(members)
            ]
            ids = [int(each.raise_for_status().text) for each in told]
            token = http.get(f"{where}/token").raise_for_status().json()["token"]
        with psycopg.connect(database_url) as database:
            database.execute(SEED, {"payer": ids[0], "count": bills, "members": ids})
        return Project(self.url + where, ids, {"Authorization": f"Bearer {token}"})


@dataclass(frozen=True)
class Project:
    """Its token is checked without a password's hash, so nobody pays for that here."""

    url: str
    members: list[int]
    headers: dict[str, str]


@contextmanager
def peer(database_url: str) -> Generator[Peer]:
    """ihatemoney in two processes, until the end of the block."""
    python = _installed()
    settings = HOME / "settings.cfg"
    settings.write_text(SETTINGS.format(url=_for_sqlalchemy(database_url)))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [str(python.parent / "gunicorn"), "--workers", "1", "--threads", "20", "--timeout", "300",
         "--bind", f"127.0.0.1:{port}", "--log-level", "error", "ihatemoney.wsgi:application"],
        env={"PATH": os.environ["PATH"], "IHATEMONEY_SETTINGS_FILE_PATH": str(settings)},
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(url, seconds=60)
        yield Peer(url, process.pid, _version(python))
    finally:
        process.kill()  # it would finish what it has begun, and that takes minutes
        process.wait(timeout=30)


def _installed() -> Path:
    python = HOME / "bin" / "python"
    if not (HOME / "bin" / "gunicorn").exists():
        venv.create(HOME, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True, stderr=subprocess.DEVNULL)
    return python


def _version(python: Path) -> str:
    code = "from importlib.metadata import version; print(version('ihatemoney'))"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _for_sqlalchemy(url: str) -> str:
    """The same database in its spelling: `postgresql+psycopg2://user@/name?host=…`."""
    return url.replace("postgresql://", "postgresql+psycopg2://", 1)
