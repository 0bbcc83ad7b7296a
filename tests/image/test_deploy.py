"""What docs/deploy holds: roles, proxies, alerts, a dashboard; and that backups can be restored."""

import asyncio
import hashlib
import hmac
import json
import re
import subprocess
from base64 import b64decode
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from clearsplit_core.cli import main
from clearsplit_core.errors import Refusal
from clearsplit_core.ports import Occupancy
from clearsplit_http import metrics
from clearsplit_pg.embedded import EmbeddedPostgres, _binary
from clearsplit_pg.roles import grant
from clearsplit_pg.schema import migrate, pending, required
from clearsplit_pg.store import open_store
from tests.drill.clusters import make_roles
from tests.literals import Clock, caller, expense, founding
from tests.postgres import FORGETFUL, with_database

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
GUIDE = (ROOT / "docs" / "deployment.md").read_text()
COMPOSE = (ROOT / "docker-compose.prod.yml").read_text()
PASSWORDS = {"MIGRATOR_PASSWORD": "it's `one`", "APP_PASSWORD": "$two; drop"}


@pytest.fixture
def server(tmp_path: Path) -> Generator[EmbeddedPostgres]:
    """A server of its own, since the script's roles have fixed names."""
    with EmbeddedPostgres(tmp_path, {"fsync": "off"}) as started:
        yield started


def test_the_guides_two_roles_migrate_serve_and_guard_the_journal(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url, autocommit=True) as superuser:
        superuser.execute("create database clearsplit")
    url = with_database(server.url, "clearsplit")
    migrator = url.replace("//clearsplit@", "//clearsplit_migrator@")
    app = url.replace("//clearsplit@", "//clearsplit_app@")

    assert make_roles(server, "clearsplit", PASSWORDS) == ""
    assert set(migrate(migrator)) == required()
    grant(migrator, "clearsplit_app")

    with psycopg.connect(app, autocommit=True) as connection:
        connection.execute("select from entries")
        for statement in ("delete from entries", "create table mine ()", "create role other"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_a_password_is_kept_to_the_letter(server: EmbeddedPostgres) -> None:
    make_roles(server, "postgres", PASSWORDS)

    with psycopg.connect(server.url) as superuser:
        of_app = "select rolpassword from pg_authid where rolname = 'clearsplit_app'"
        (verifier,) = superuser.execute(of_app).fetchone() or ("",)
    assert is_verifier_of(PASSWORDS["APP_PASSWORD"], verifier)


def is_verifier_of(password: str, verifier: str) -> bool:
    """Whether a SCRAM verifier, as Postgres writes it, was made from `password` (RFC 5802)."""
    _, rounds_and_salt, keys = verifier.split("$")
    rounds, salt = rounds_and_salt.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b64decode(salt), int(rounds))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hashlib.sha256(client_key).digest() == b64decode(keys.partition(":")[0])


def test_the_compose_file_grants_to_the_role_that_the_script_makes() -> None:
    script = (DEPLOY / "roles.sh").read_text()

    (granted,) = re.findall(r"--app-role, (\w+)", COMPOSE)
    assert f"create role {granted} " in script
    assert "postgresql://clearsplit_migrator:" in COMPOSE
    assert "create role clearsplit_migrator " in script


def test_every_alert_leads_to_a_heading_of_the_guide() -> None:
    headings = re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}

    alerts = (DEPLOY / "alerts.yml").read_text()
    runbooks = re.findall(r"runbook: docs/deployment\.md#(\S+)", alerts)
    assert runbooks
    assert set(runbooks) <= anchors


SCRAPED = (DEPLOY / "prometheus.yml").read_text()
WATCHED = {
    "dashboard": [
        target["expr"]
        for panel in json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]
        for target in panel["targets"]
    ],
    "alerts": re.findall(r"^ +expr: (.+)$", (DEPLOY / "alerts.yml").read_text(), re.MULTILINE),
}
JOBS = {
    "probe": "readiness",
    "pg": "postgres",
    "container": "containers",
    "clearsplit": "clearsplit",
}


@pytest.mark.parametrize("expressions", WATCHED.values(), ids=WATCHED)
def test_what_is_watched_is_scraped(expressions: list[str]) -> None:
    names = set(re.findall(r"\b(?:probe|pg|container|clearsplit)_\w+", " ".join(expressions)))
    assert names
    assert all(f"job_name: {JOBS[name.partition('_')[0]]}\n" in SCRAPED for name in names)


@pytest.mark.parametrize("expressions", WATCHED.values(), ids=WATCHED)
def test_our_metrics_that_are_watched_are_told_with_these_labels(expressions: list[str]) -> None:
    metrics.sample(Occupancy(), settlements=0)
    told = {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    } | LABELLED
    for expression in expressions:
        for name, matched in re.findall(r"\b(clearsplit_\w+)(?:{([^}]*)})?", expression):
            assert name in told
            assert set(re.findall(r"(\w+)[=!]~?\"", matched)) <= told[name] | {"job", "instance"}


LABELLED = {
    f"{name}{suffix}": {*metric._labelnames, *more}
    for metric, suffixes in (
        (metrics.REQUESTS, {"_total": ()}),
        (metrics.REFUSALS, {"_total": ()}),
        (metrics.DURATION, {"_bucket": ("le",), "_count": (), "_sum": ()}),
    )
    for name in [metric._name]
    for suffix, more in suffixes.items()
}
"""Metrics that show up only once they were counted."""


def test_a_code_that_is_watched_is_one_that_is_refused_with() -> None:
    codes = set(
        re.findall(r'code="([\w-]+)"', " ".join([*WATCHED["alerts"], *WATCHED["dashboard"]]))
    )
    assert codes
    assert codes <= set(Refusal.by_code)


def test_every_one_of_our_metrics_is_on_the_dashboard() -> None:
    shown = " ".join(WATCHED["dashboard"])
    ours = {family.name for family in metrics._OWN.collect()}
    assert {name for name in ours if name not in shown} == set()


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Caddyfile", "respond /metrics* 404"),
        ("nginx.conf", "location ^~ /metrics { return 404; }"),
        ("traefik.yml", "!PathPrefix(`/metrics`)"),
    ],
)
def test_no_proxy_lets_the_metrics_out_nor_anything_that_begins_so(name: str, rule: str) -> None:
    assert rule in (DEPLOY / name).read_text()


# ── Backups ──────────────────────────────────────────────────────────────────────────────────────


WHOLE = "1 group, 4 entries: everything holds.\n"


async def keep_a_ledger(url: str) -> None:
    """A group, which is an entry, and three expenses."""
    async with open_store(url, Clock(), FORGETFUL) as store:
        await store.perform(founding("ann"), caller=caller("ann"))
        for title in ("Dinner", "Taxi", "Museum"):
            await store.perform(expense(title, among="ann"), caller=caller("ann"))


def verified(url: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """What `clearsplit verify` says, and its exit status."""
    capsys.readouterr()
    status = main(["verify", "--database-url", url])
    return status, capsys.readouterr().out


def test_a_dump_restores_a_ledger_that_holds(
    server: EmbeddedPostgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate(server.url)
    asyncio.run(keep_a_ledger(server.url))
    restored = with_database(server.url, "restored")
    dump = str(tmp_path / "ledger.dump")
    for words in (
        ("pg_dump", "--format=custom", f"--file={dump}", server.url),
        ("createdb", f"--maintenance-db={server.url}", "restored"),
        ("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={restored}", dump),
    ):
        subprocess.run([str(_binary(words[0])), *words[1:]], check=True)

    assert verified(restored, capsys) == (0, WHOLE)


def test_a_base_backup_and_its_wal_restore_any_moment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The drill of the guide: an accident, and the ledger as it stood just before."""
    archive, restored = tmp_path / "wal", tmp_path / "restored"
    archive.mkdir()
    restored.mkdir(mode=0o700)
    archiving = {"archive_mode": "on", "archive_command": f"cp %p {archive}/%f"}
    with EmbeddedPostgres(tmp_path / "live", archiving) as live:
        migrate(live.url)
        where = str(conninfo_to_dict(live.url)["host"])
        cluster = restored / f"postgres-{live._major}"
        backup = [str(_binary("pg_basebackup")), "-h", where, "-U", "clearsplit"]
        subprocess.run([*backup, "-D", str(cluster), "-X", "none", "-c", "fast"], check=True)
        asyncio.run(keep_a_ledger(live.url))
        with psycopg.connect(live.url, autocommit=True) as ledger:
            (before,) = ledger.execute("select clock_timestamp()::text").fetchone() or ("",)
            ledger.execute("drop table balances cascade")
            ledger.execute("select pg_switch_wal()")
    (cluster / "recovery.signal").touch()

    recovering = {
        "restore_command": f"cp {archive}/%f %p",
        "recovery_target_time": before,
        "recovery_target_action": "promote",
    }
    with EmbeddedPostgres(restored, recovering) as again:
        assert pending(again.url) == []
        assert verified(again.url, capsys) == (0, WHOLE)
