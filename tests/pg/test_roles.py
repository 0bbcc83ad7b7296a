"""The application's role serves everything, and cannot touch what has been written.

Roles belong to a whole server, so each test makes one of its own and drops it again.
"""

import re
import secrets
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors, sql

from clearsplit_core.accounts import EndSession, IssueToken, OpenAccount, RevokeToken, StartSession
from clearsplit_core.expenses import Changes
from clearsplit_core.questions import Entries, Expenses, TheExpense, TheGroup, TheStanding
from clearsplit_core.records import Scope
from clearsplit_pg.roles import OwnRole, grant
from clearsplit_pg.schema import migrate, required
from clearsplit_pg.store import open_store
from tests.literals import (
    NOON,
    TRIP,
    Clock,
    account,
    caller,
    expense,
    expense_called,
    founding,
    guest,
    receipt,
    restore,
    revise,
    seat,
    session,
    text,
    token_id,
    void,
)
from tests.pg.test_schema import rows, run_migrate
from tests.postgres import FORGETFUL, with_database

TABLES = """
select format('%I', relname)
  from pg_class
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')
 order by 1
"""
YOYOS_OWN = {"_yoyo_log", "_yoyo_version", "yoyo_lock"}


@dataclass(frozen=True)
class Role:
    """A role that may log in and nothing else, yet."""

    name: str
    url: str

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement.encode())


@pytest.fixture
def role(database_url: str) -> Generator[Role]:
    name, password = f"app {secrets.token_hex(4)}", secrets.token_hex(8)
    create = sql.SQL("create role {} login password {}")
    drop = sql.SQL("drop owned by {0}; drop role {0}")
    user = name.replace(" ", "%20")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(create.format(sql.Identifier(name), sql.Literal(password)))
        yield Role(name, re.sub("//([^/@]*@)?", f"//{user}:{password}@", database_url, count=1))
        connection.execute(drop.format(sql.Identifier(name)))


@pytest.fixture
def application(role: Role, database_url: str) -> Role:
    grant(database_url, role.name)
    return role


def in_database(url: str, other: str) -> str:
    """`url` with the database that `other` names."""
    return with_database(url, urlsplit(other).path.lstrip("/"))


# ── What it may ──────────────────────────────────────────────────────────────────────────────────


async def test_the_application_role_can_do_all_that_the_server_does(application: Role) -> None:
    ann = caller("ann")
    async with open_store(application.url, Clock(), FORGETFUL) as store:
        assert await store.ready()
        for command in (
            founding("ann"),
            seat("bob"),
            guest("cem"),
            expense("Dinner", "60.00 EUR", by="ann", among="ann bob cem"),
            revise("Dinner", Changes(title=text("Supper"))),
            void("Dinner", version=2),
            restore("Dinner", version=3),
        ):
            await store.perform(command, caller=ann)
        first = await store.perform_once(expense("Taxi"), caller=ann, receipt=receipt())
        again = await store.perform_once(expense("Taxi"), caller=ann, receipt=receipt())
        await store.erase(TRIP, 1)

        assert (first.body, again.replayed) == (again.body, True)
        assert len(await store.read(Entries(TRIP), caller=ann)) == 8
        assert len(await store.read(Expenses(TRIP), caller=ann)) == 2
        assert (
            await store.read(TheExpense(TRIP, expense_called("Taxi")), caller=ann)
        ).voided is False
        assert [each.id for each in await store.groups(caller=ann)] == [TRIP]
        assert (await store.read(TheStanding(TRIP), caller=ann)).balances
        assert (await store.read(TheGroup(TRIP), caller=ann)).id == TRIP


async def test_the_application_role_keeps_accounts_and_sessions(application: Role) -> None:
    async with open_store(application.url, Clock(), FORGETFUL) as store:
        await store.perform_on_account(
            OpenAccount(
                account_id=account("ann"),
                email="ann@example.org",
                name="ann",
                password_hash="hash",
            )
        )
        phone = StartSession(
            account_id=account("ann"),
            session_id=session("phone"),
            password_hash="hash",
            refresh="phone",
            lifetime=NOON - NOON.replace(day=1),
        )
        await store.perform_on_account(phone)
        token = IssueToken(
            account_id=account("ann"),
            by=session("phone"),
            token_id=token_id("backup"),
            name="Backup",
            scope=Scope.READ,
            digest="digest",
            lifetime=NOON - NOON.replace(day=1),
        )
        await store.perform_on_account(token)
        await store.perform_on_account(
            RevokeToken(account_id=account("ann"), by=session("phone"), token_id=token.token_id)
        )
        await store.perform_on_account(
            EndSession(account_id=account("ann"), by=session("phone"), session_id=session("phone"))
        )
        found = await store.account_by_email("ann@example.org")

    assert found is not None
    assert found.name == "ann"


# ── What it may not ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "statement",
    [
        "update entries set seq = seq",
        "delete from entries",
        "truncate entries cascade",
        "alter table entries disable trigger all",
        "drop table entries cascade",
        "update postings set amount_minor = 1",
        "delete from postings",
        "delete from groups",
        "delete from balances",
        "update texts set words = ''",
        "delete from expenses",
        "delete from members",
        "insert into _yoyo_migration (migration_id) values ('0009.forged')",
        "select * from _yoyo_log",
    ],
)
def test_whatever_the_server_does_not_do_is_refused(application: Role, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege) as refusal:
        application.execute(statement)

    assert refusal.value.sqlstate == "42501"


def test_a_role_without_a_grant_reads_nothing(role: Role) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        role.execute("select from groups")


def test_a_right_too_many_is_taken_back(application: Role, database_url: str) -> None:
    with psycopg.connect(database_url) as owner:
        too_much = sql.SQL("grant all on all tables in schema public to {}")
        owner.execute(too_much.format(sql.Identifier(application.name)))

    grant(database_url, application.name)

    with pytest.raises(errors.InsufficientPrivilege):
        application.execute("delete from entries")


def test_every_table_has_been_thought_of(application: Role, database_url: str) -> None:
    tables = {str(name) for (name,) in rows(database_url, TABLES)} - YOYOS_OWN

    for table in tables:
        application.execute(f"select from {table}")

    assert "entries" in tables


# ── Granting ─────────────────────────────────────────────────────────────────────────────────────


def test_the_command_migrates_and_grants_in_one_go(
    role: Role, bare_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--database-url", bare_database_url, "--app-role", role.name)

    assert run_migrate(*words) == 0
    assert run_migrate(*words) == 0

    granted = f"granted {role.name} what the server needs"
    applied = [f"applied {migration}" for migration in sorted(required())]
    assert capsys.readouterr().out.splitlines() == [*applied, granted, "up to date", granted]
    Role(role.name, in_database(role.url, bare_database_url)).execute("select from entries")
    with psycopg.connect(bare_database_url) as owner:
        owner.execute(sql.SQL("drop owned by {}").format(sql.Identifier(role.name)))


def test_two_may_grant_at_once(role: Role, database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(grant, database_url, role.name) for _ in range(8)]

    assert [run.result() for run in runs] == [None] * 8


def test_a_migrator_that_may_not_create_roles_can_migrate_and_grant(
    role: Role, bare_database_url: str
) -> None:
    app = f"{role.name} server"
    database = sql.Identifier(urlsplit(bare_database_url).path.lstrip("/"))
    names = {"app": sql.Identifier(app), "role": sql.Identifier(role.name), "database": database}
    with psycopg.connect(bare_database_url, autocommit=True) as superuser:
        superuser.execute(sql.SQL("create role {app}").format(**names))
        superuser.execute(sql.SQL("alter database {database} owner to {role}").format(**names))
        try:
            url = in_database(role.url, bare_database_url)
            assert set(migrate(url)) == required()
            grant(url, app)
            granted = superuser.execute(
                "select has_table_privilege(%s, 'entries', 'insert'),"
                "       has_table_privilege(%s, 'entries', 'update')",
                [app, app],
            )
            assert granted.fetchone() == (True, False)
        finally:
            superuser.execute(sql.SQL("reassign owned by {role} to current_user").format(**names))
            superuser.execute(sql.SQL("drop owned by {app}; drop role {app}").format(**names))


def test_the_migrator_itself_needs_no_grant(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        owner = connection.info.user

    with pytest.raises(OwnRole):
        grant(database_url, owner)


def test_a_role_that_does_not_exist_is_named(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_migrate("--database-url", database_url, "--app-role", "nobody here") == 1

    said = capsys.readouterr().err
    assert 'role "nobody here" does not exist' in said
    assert "create role" in said
