"""The server: what every route may use, made when the process starts and closed when it ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from clearsplit_core.limits import MemoryLimits
from clearsplit_core.ports import AsyncStore, Clock
from clearsplit_http import metrics
from clearsplit_http.auth import AccessTokens
from clearsplit_http.credentials import Credentials
from clearsplit_http.keys import Keys
from clearsplit_http.limits import Limits
from clearsplit_http.passwords import Passwords
from clearsplit_http.settings import Settings
from clearsplit_http.solver import Solver
from clearsplit_http.stores import store_at


@dataclass(slots=True, kw_only=True)
class Server:
    """A store and the machines beside it. `draining`: it is about to stop and wants no new work."""

    settings: Settings
    clock: Clock
    store: AsyncStore
    keys: Keys
    keys_before: tuple[Keys, ...]
    """Of the secret before: with them is read what was made then, and nothing is made any more."""
    access_tokens: AccessTokens
    credentials: Credentials
    passwords: Passwords
    limits: Limits
    solver: Solver
    draining: bool = False

    @property
    def session_lifetime(self) -> timedelta:
        return timedelta(days=self.settings.refresh_token_days)


@asynccontextmanager
async def running(settings: Settings, clock: Clock) -> AsyncGenerator[Server]:
    """The server, until the end of the block. Raises what `store_at` raises, and its opening."""
    lifetime = timedelta(minutes=settings.access_token_minutes)
    passwords = Passwords(
        cost=settings.bcrypt_cost,
        length_min=settings.password_length_min,
        pepper=settings.password_pepper,
        peppers_before=_set(settings.password_pepper_previous),
    )
    solver = Solver()
    try:
        async with store_at(settings.store_url, clock, settings.store) as store:
            access_tokens = AccessTokens(
                (settings.jwt_secret, *_set(settings.jwt_secret_previous)),
                settings.jwt_algorithm,
                lifetime,
                clock,
            )
            server = Server(
                settings=settings,
                clock=clock,
                store=store,
                keys=Keys.of(settings.jwt_secret),
                keys_before=tuple(map(Keys.of, _set(settings.jwt_secret_previous))),
                access_tokens=access_tokens,
                credentials=Credentials(access_tokens, store),
                passwords=passwords,
                limits=_limits(settings, store, clock),
                solver=solver,
            )
            async with _sampled(server):
                yield server
    finally:
        passwords.close()
        await solver.close()


@asynccontextmanager
async def _sampled(server: Server) -> AsyncGenerator[None]:
    """Meanwhile /metrics knows what the server has open."""
    sampler = asyncio.create_task(_sample(server))
    try:
        yield
    finally:
        sampler.cancel()
        await asyncio.gather(sampler, return_exceptions=True)


async def _sample(server: Server) -> None:
    while True:
        metrics.sample(server.store.occupancy(), server.solver.waiting)
        await asyncio.sleep(metrics.SAMPLE_S)


def _set(secret: bytes) -> tuple[bytes, ...]:
    return (secret,) if secret else ()


def _limits(settings: Settings, store: AsyncStore, clock: Clock) -> Limits:
    of_addresses = (settings.signup_quota, settings.login_quota, settings.refresh_quota)
    login = settings.login_quota
    return Limits(
        together=store,
        alone=MemoryLimits(clock=clock),
        by_address={quota.name: quota for quota in of_addresses if quota},
        by_account=login and replace(login, name=f"{login.name}-account"),
        writes=settings.writes_quota,
    )
