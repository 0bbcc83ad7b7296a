"""Who may do what in the database: one role owns the tables, another serves requests.

The migrator's role owns everything and changes the schema. The application's role has what the
server's statements need and nothing else: above all it can add to the journal and never change or
empty it. A role is made by whoever runs the database, not here: a migrator seldom may.

The grants below are the whole truth, given anew each time, so that a table of a later version needs
no second look; a test holds them against the tables there are. One role for both works as well: it
owns the tables, so only the trigger guards the journal against it.
"""

from typing import Final, LiteralString

import psycopg
from psycopg import sql

from clearsplit_core.errors import Conflict
from clearsplit_pg.schema import MIGRATION_LOCK
from clearsplit_pg.urls import normalise


class OwnRole(Conflict, code="own-role"):
    """The application's role must be another than the role that migrates: that one owns the tables
    and needs no grant. Leave --app-role out where one role does both."""


def grant(url: str, role: str) -> None:
    """`role` may do what the server does, and no more, whatever it could do before.

    It takes effect at once or not at all. Raises OwnRole.
    """
    with psycopg.connect(normalise(url)) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
        row = connection.execute("select current_user, current_schema()").fetchone()
        assert row is not None, "a query without a table always answers with one row"
        owner, schema = row
        if owner == role:
            raise OwnRole
        connection.execute(
            sql.SQL(_GRANTS).format(role=sql.Identifier(role), schema=sql.Identifier(schema))
        )


# Revoking first makes the list below complete. `for no key update` needs UPDATE on groups and
# accounts. Foreign keys are checked as the owner and need nothing.
_GRANTS: Final[LiteralString] = """
grant usage on schema {schema} to {role};

revoke all on entries, groups, texts, members, postings, balances, debts, expenses, comments,
              payments, settlements, invites, answers, accounts, sessions,
              personal_tokens, attempts, sheets, seats, credentials, _yoyo_migration from {role};

grant select, insert                 on entries, postings                           to {role};
grant select, insert, update         on groups, members, balances, debts, expenses,
                                        comments, payments, settlements, invites    to {role};
grant select, insert, delete         on texts                                       to {role};
grant select, insert, update, delete on answers, accounts, sessions, personal_tokens,
                                        attempts                                    to {role};
grant select                         on sheets, seats, credentials, _yoyo_migration to {role};

grant execute on function legs_balance(uuid[], text[], date[], bigint[]),
                          session_lives(uuid, uuid, timestamptz),
                          strings_in(jsonb), texts_in_terms(jsonb), texts_in_event(jsonb) to {role};
"""
