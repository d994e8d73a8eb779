from __future__ import annotations

from pytest_ffparity.approvals.breaker import Breaker


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Seconds) -> Breaker:
    breaker = Breaker(3, 5.0, clock)
    for _ in range(3):
        assert breaker.lets_through()
        breaker.failed()
    return breaker


def test_it_opens_after_failures_in_a_row() -> None:
    assert not opened(Seconds()).lets_through()


def test_a_success_in_between_starts_the_count_afresh() -> None:
    breaker = Breaker(2, 5.0, Seconds())
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.lets_through()


def test_half_open_lets_one_probe_through() -> None:
    clock = Seconds()
    breaker = opened(clock)
    clock.now = 4.9
    assert not breaker.lets_through()
    clock.now = 5.0
    assert breaker.lets_through()
    assert not breaker.lets_through()
    breaker.succeeded()
    assert breaker.lets_through()
    assert breaker.lets_through()


def test_a_probe_that_fails_opens_it_again() -> None:
    clock = Seconds()
    breaker = opened(clock)
    clock.now = 5.0
    assert breaker.lets_through()
    clock.now = 6.0
    breaker.failed()
    clock.now = 10.9
    assert not breaker.lets_through()
    clock.now = 11.0
    assert breaker.lets_through()


def test_a_probe_that_never_comes_back_shuts_nobody_out_for_ever() -> None:
    clock = Seconds()
    breaker = opened(clock)
    clock.now = 5.0
    assert breaker.lets_through()
    clock.now = 10.0
    assert breaker.lets_through()
