"""The limits: the least that a server of this kind can do, to hold ours against.

    python -m tests.bench.serving.limits uvicorn|litestar PORT DATABASE

Served as ours is: uvicorn with uvloop and httptools, one process, no access log, a pool in
autocommit, the same care for the garbage collector. Its ten connections are twice ours: it records
more with ten than with five.
"""

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias
from uuid import uuid4

import uvicorn
import uvloop
from litestar import Litestar, get, post
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from clearsplit_http.serving import settle_memory

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Pool: TypeAlias = AsyncConnectionPool[AsyncConnection[TupleRow]]

SHARES: Final = 6
SELECT: Final = "select seq, name, currency from groups where group_id = %s::uuid"
INSERT: Final = """
with expense as (
    insert into bare_expenses (expense_id, title, amount_minor, currency, day)
    values (%(id)s, %(title)s, %(amount)s, 'EUR', '2026-01-31')
    returning expense_id
)
insert into bare_shares (expense_id, member_id, share_minor)
select expense_id, member_id, %(share)s
  from expense, unnest(%(members)s::uuid[]) as share (member_id)
"""
TABLES: Final = """
create table bare_expenses (expense_id uuid primary key, title text not null,
                            amount_minor bigint not null, currency text not null,
                            day date not null);
create table bare_shares (expense_id uuid not null references bare_expenses,
                          member_id uuid not null, share_minor bigint not null,
                          primary key (expense_id, member_id));
"""
MEMBERS: Final = [uuid4() for _ in range(SHARES)]


async def hello(_scope: Message, _receive: Receive, send: Send) -> None:
    """What uvicorn alone costs."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"17")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"hello":"world"}'})


def bare(pool: Pool) -> Litestar:
    """Litestar with nothing around its routes."""

    @get("/hello")
    async def plain() -> dict[str, str]:
        return {"hello": "world"}

    @get("/select/{group_id:str}")
    async def select(group_id: str) -> dict[str, object]:
        async with pool.connection() as connection:
            row = await (await connection.execute(SELECT, (group_id,))).fetchone()
        assert row is not None, "that group is not there"
        return {"seq": row[0], "name": row[1], "currency": row[2]}

    @post("/insert")
    async def insert(data: dict[str, int]) -> dict[str, object]:
        expense_id, amount = uuid4(), data["amount_minor"]
        params = {"id": expense_id, "title": "Dinner", "amount": amount, "members": MEMBERS}
        async with pool.connection() as connection:
            await connection.execute(INSERT, params | {"share": amount // SHARES})
        return {"id": str(expense_id), "amount_minor": amount}

    return Litestar([plain, select, insert], openapi_config=None, logging_config=None)


async def serve(what: str, port: int, database: str) -> None:
    pool: Pool = AsyncConnectionPool(
        database, kwargs={"autocommit": True}, min_size=1, max_size=10, open=False
    )
    if what == "litestar":
        await pool.open()
    settle_memory()
    await uvicorn.Server(
        uvicorn.Config(
            hello if what == "uvicorn" else bare(pool),
            port=port,
            http="httptools",
            log_level="error",
            access_log=False,
            lifespan="off",
        )
    ).serve()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
