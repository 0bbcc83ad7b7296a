"""Limits: so many attempts in a window, whoever counts them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearsplit_core import limits
from clearsplit_core.limits import Allowance, Attempts, MemoryLimits, Quota
from tests.literals import NOON, Clock

THREE = Quota("knock", 3, 60)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60))
def test_in_no_window_that_an_attempt_opens_are_more_granted_than_the_quota(
    pauses_s: list[int],
) -> None:
    """Times of granted attempts, cut where a window opens, hold at most the quota each."""
    now, attempts = NOON, None
    granted: dict[object, int] = {}
    for pause in pauses_s:
        now += timedelta(seconds=pause)
        attempts = Attempts.one_more(attempts, THREE, now)
        allowance = Allowance.after(attempts, THREE, now)
        assert 1 <= allowance.resets_in_s <= THREE.window_s
        assert allowance.left == max(0, 3 - attempts.made)
        granted[attempts.resets_at] = granted.get(attempts.resets_at, 0) + allowance.granted
    assert max(granted.values()) <= THREE.attempts_max


def test_a_refused_attempt_makes_the_window_no_longer() -> None:
    clock = Clock()
    counted = MemoryLimits(clock=clock)
    answers = [counted.attempt(THREE, "ann") for _ in range(9)]
    assert [one.granted for one in answers] == [True] * 3 + [False] * 6
    clock.turn(seconds=60)
    assert counted.attempt(THREE, "ann").granted


def test_memory_forgets_who_was_not_seen_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KNOWN_MAX", 2)
    counted = MemoryLimits(clock=Clock())
    for who in ("ann", "bob", "ann", "cem"):
        counted.attempt(THREE, who)
    assert [who for _, who in counted._known] == ["ann", "cem"]
