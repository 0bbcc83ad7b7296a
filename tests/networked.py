"""A Postgres for whoever comes over the network: by address, with a password, and durable."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from clearsplit_pg.embedded import EmbeddedPostgres

_PASSWORD = "with @, / and ? inside"
_QUOTED = "with%20%40%2C%20%2F%20and%20%3F%20inside"


def own_address() -> str:
    """A loopback address that hardly anybody else uses."""
    return f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}.2"


@dataclass
class Server:
    """It listens on an address of its own; `running` is none while it is stopped."""

    folder: Path
    address: str = field(default_factory=own_address)
    running: EmbeddedPostgres | None = None
    """As its superuser has it, by its socket."""

    @property
    def url(self) -> str:
        """As others see it; no database named yet."""
        return f"postgresql://{self.login}@{self.address}:5432"

    @property
    def login(self) -> str:
        return f"owner:{_QUOTED}"

    @property
    def password(self) -> str:
        return _PASSWORD

    def start(self) -> None:
        self.running = EmbeddedPostgres(self.folder, {"listen_addresses": self.address})
        self.running.start()

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()
        self.running = None

    def make_owner(self) -> None:
        """Passwords are asked for from here on, and a role may make databases."""
        assert self.running is not None
        (access,) = self.folder.glob("postgres-*/pg_hba.conf")
        rules = access.read_text().replace("reject", "scram-sha-256")
        access.write_text(f"{rules}\nhost all all 127.0.0.0/8 scram-sha-256\n")
        create = sql.SQL("create role owner login createdb createrole password {}")
        execute(self.running.url, sql.SQL("select pg_reload_conf()"))
        execute(self.running.url, create.format(sql.Literal(_PASSWORD)))


def execute(url: str, statement: sql.SQL | sql.Composed) -> None:
    """Done, outside any transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
