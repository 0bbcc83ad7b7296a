"""Passwords: what is kept of them, and what fits it."""

import asyncio
import time

import bcrypt
import pytest

from clearsplit_core.errors import Overloaded
from clearsplit_http import common
from clearsplit_http.passwords import THREADS, Passwords
from clearsplit_http.refusals import BadPassword, CommonPassword

WORDS = "correct horse battery staple"


def passwords(pepper: bytes = b"pepper", cost: int = 4, before: bytes = b"") -> Passwords:
    return Passwords(
        cost=cost, length_min=15, pepper=pepper, peppers_before=(before,) if before else ()
    )


async def test_only_the_password_fits_what_is_kept_of_it() -> None:
    kept = await passwords().hashed(WORDS)
    assert await passwords().fits(WORDS, kept)
    assert not await passwords().fits(WORDS + " ", kept)
    assert not await passwords().fits(WORDS, await passwords().hashed(WORDS[::-1]))


async def test_all_of_a_long_password_counts() -> None:
    kept = await passwords().hashed("x" * 100 + "a")
    assert not await passwords().fits("x" * 100 + "b", kept)


async def test_a_nul_in_a_password_ends_nothing() -> None:
    kept = await passwords().hashed("x" * 15 + "\0a")
    assert not await passwords().fits("x" * 15 + "\0b", kept)


async def test_without_the_pepper_nothing_fits() -> None:
    kept = await passwords().hashed(WORDS)
    assert not await passwords(pepper=b"another").fits(WORDS, kept)
    assert not bcrypt.checkpw(WORDS.encode(), kept.partition(":")[2].encode())


async def test_what_is_kept_names_its_pepper_and_its_cost() -> None:
    with_one, without = await passwords().hashed(WORDS), await passwords(b"").hashed(WORDS)
    assert with_one.partition(":")[0] not in ("none", "pepper", "")
    assert without.startswith("none:$2b$04$")


async def test_a_hash_of_the_pepper_before_is_known_and_made_anew() -> None:
    old = await passwords(b"before").hashed(WORDS)
    without = await passwords(b"").hashed(WORDS)
    now = passwords(b"pepper", before=b"before")
    for kept in (old, without):
        assert await now.fits(WORDS, kept)
        renewed = await now.renewed(WORDS, kept)
        assert renewed is not None
        assert await passwords(b"pepper").fits(WORDS, renewed)
    assert not await passwords(b"pepper").fits(WORDS, old)
    assert await passwords(b"pepper").fits(WORDS, without)


async def test_a_hash_of_another_cost_is_made_anew_and_one_of_ours_is_kept() -> None:
    cheap = await passwords(cost=4).hashed(WORDS)
    assert await passwords(cost=4).renewed(WORDS, cheap) is None
    assert ":$2b$05$" in (await passwords(cost=5).renewed(WORDS, cheap) or "")


@pytest.mark.parametrize(
    "words",
    [
        "passwordpassword",
        "PASSWORDPASSWORD",
        "123456789012345",
        "correcthorsebatterystaple",
        "ｑｗｅｒｔｙｕｉｏｐａｓｄｆｇ",  # noqa: RUF001
    ],
)
async def test_what_many_people_have_is_refused(words: str) -> None:
    with pytest.raises(CommonPassword):
        await passwords().hashed(words)


def test_the_list_has_three_thousand_passwords_that_are_long_enough_and_is_in_order() -> None:
    """ASVS 5.0, 6.2.4; bisection needs the order."""
    known = common._known()
    digests = [known[n : n + 5] for n in range(0, len(known), 5)]
    assert len(digests) == 375_893
    assert digests == sorted(set(digests))


async def test_a_place_in_the_queue_is_taken_until_the_thread_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever hangs up meanwhile makes no room for more work than the threads can do."""
    monkeypatch.setattr("clearsplit_http.passwords.WAITING_MAX", 0)
    busy = passwords(cost=12)
    gone = [asyncio.create_task(busy.fits(WORDS, None)) for _ in range(THREADS)]
    await asyncio.sleep(0.01)
    for task in gone:
        task.cancel()
    await asyncio.wait(gone)
    with pytest.raises(Overloaded):
        await busy.fits(WORDS, None)
    busy.close()
    assert busy._waiting.count == 0


@pytest.mark.parametrize("words", ["", "x" * 14, "x" * 1025, "x" * 1_000_000])
async def test_a_password_has_15_to_1024_characters(words: str) -> None:
    with pytest.raises(BadPassword):
        await passwords().hashed(words)
    assert not await passwords().fits(words, None)


async def test_nobody_takes_as_long_as_somebody() -> None:
    """Without the work for nobody it would be a hundredth; the rest is room for a busy machine."""
    checked = passwords(cost=8)
    kept = await checked.hashed(WORDS)
    pairs = [(await _seconds(checked, None), await _seconds(checked, kept)) for _ in range(9)]
    for_nobody, for_somebody = map(min, zip(*pairs, strict=True))
    assert 0.3 < for_nobody / for_somebody < 3


async def _seconds(checked: Passwords, kept: str | None) -> float:
    begun = time.perf_counter()
    await checked.fits("a wrong password", kept)
    return time.perf_counter() - begun
