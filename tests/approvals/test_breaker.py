from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

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


class Checked(RuleBasedStateMachine):
    """Any order of calls, outcomes and waits, against what the breaker promises."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Seconds()
        self.breaker = Breaker(3, 5.0, self.clock)
        self.in_a_row = 0
        self.shut_until = 0.0
        self.under_way = 0

    @rule()
    def call(self) -> None:
        through = self.breaker.lets_through()
        if self.in_a_row < 3:
            assert through
        else:
            # While it is open nobody, then one probe, then again nobody for as long.
            assert through == (self.clock.now >= self.shut_until)
            if through:
                self.shut_until = self.clock.now + 5.0
        self.under_way += through

    @precondition(lambda self: self.under_way)
    @rule()
    def succeed(self) -> None:
        self.breaker.succeeded()
        self.under_way -= 1
        self.in_a_row = 0

    @precondition(lambda self: self.under_way)
    @rule()
    def fail(self) -> None:
        self.breaker.failed()
        self.under_way -= 1
        self.in_a_row += 1
        if self.in_a_row >= 3:
            self.shut_until = self.clock.now + 5.0

    @rule(seconds=st.sampled_from([0.1, 1.0, 4.9, 5.0, 60.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds


TestAnyOrder = Checked.TestCase
TestAnyOrder.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
