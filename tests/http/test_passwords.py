"""Passwords: what is kept of them, and what fits it."""

import time

import bcrypt
import pytest

from clearsplit_http.passwords import Passwords
from clearsplit_http.refusals import BadPassword

WORDS = "correct horse battery staple"


def passwords(pepper: bytes = b"pepper", cost: int = 4) -> Passwords:
    return Passwords(cost=cost, pepper=pepper, length_min=15)


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
